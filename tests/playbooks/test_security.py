"""What the security toolset of 2018 is on the nodes that have a part in it."""

import json

import pytest
import yaml
from ansible_collections.etape.node.plugins.module_utils.desired import State, parse_state

from tests.playbooks.conftest import hosts_of, renderer_of
from tests.playbooks.test_roles import text_of

FOLDER = "/etc/etape/security"


@pytest.fixture(scope="module")
def hosts() -> dict[str, dict]:
    """Of the edition that has the toolset."""
    return hosts_of("2018-s11")


@pytest.fixture(scope="module")
def states(hosts: dict[str, dict]) -> dict[str, State]:
    """Of every node, what the role wants there."""
    return {
        node: parse_state(renderer_of(host).state(["security"]))
        for node, host in hosts.items()
        if "security" in host["etape"]["roles"]
    }


def test_the_centre_knows_every_agent_and_every_enforcer_by_a_key_of_its_own(hosts, states):
    """Guards: a router that sees an attack and is not believed, and one stolen key that opens all of them."""
    enrolled = text_of(states["security-1"], f"{FOLDER}/enrol")
    keys = set()
    for node, state in states.items():
        if node == "security-1":
            continue
        login = yaml.safe_load(text_of(state, f"{FOLDER}/login.yaml"))
        enforcer = yaml.safe_load(text_of(state, f"{FOLDER}/enforcer.yaml"))
        assert f"machines add {node} --password {login['password']} " in enrolled
        assert f"bouncers add {node} --key {enforcer['api_key']}\n" in enrolled
        assert (
            login["url"] == enforcer["api_url"] == f"http://{hosts['security-1']['etape']['hosts']['security-1']}:8340/"
        )
        keys |= {login["password"], enforcer["api_key"]}
    assert len(keys) == 2 * (len(states) - 1) > 8


def test_an_agent_reads_the_doors_that_its_node_has(states):
    """Guards: passwords tried at the broker that nobody reads about."""

    def read(node: str) -> list[str]:
        sources = yaml.safe_load_all(text_of(states[node], f"{FOLDER}/logs.yaml"))
        return [entry for source in sources for entry in source["journalctl_filter"]]

    assert read("gateway-1") == ["_SYSTEMD_UNIT=ssh.service"]
    assert read("edge-1") == ["_SYSTEMD_UNIT=ssh.service", "_SYSTEMD_UNIT=etape-broker.service"]
    assert read("manage-1") == ["_SYSTEMD_UNIT=ssh.service", "_SYSTEMD_UNIT=etape-hub.service"]


def test_keys_are_read_by_nobody_else_and_stay_out_of_diffs(states):
    """Guards: a key in a log of a deploy, or in a file that every account of the node reads."""
    told = [file for state in states.values() for file in state.every("files") if "the-seed" in file.content]
    held = [file for state in states.values() for file in state.every("files") if file.secret]
    assert told == []
    assert {file.mode for file in held} == {"0600", "0750"}
    assert {file.group for file in held if file.mode == "0750"} == {"etape"}


def test_no_list_makes_private_addresses_harmless(states):
    """Guards: a toolset that shuts out nobody, because on this estate every address is a private one."""
    links = [link.target for state in states.values() for link in state.every("links")]
    assert any("ssh-bf" in target for target in links)
    assert not any("whitelist" in target for target in links)


def test_an_edition_without_the_toolset_has_no_part_of_it():
    """Guards: 2017 with a unit that did not exist that year."""
    assert "security" not in json.dumps([host["etape"]["roles"] for host in hosts_of("2017-s09").values()])


def test_who_needs_the_centre_waits_for_it(states):
    """Guards: a morning on which a router is ready before the centre, and its enforcer has given up."""
    for node in ("gateway-1", "wan-1"):
        waits = text_of(states[node], f"{FOLDER}/await")
        url = yaml.safe_load(text_of(states[node], f"{FOLDER}/login.yaml"))["url"]
        assert f'"{url}health"' in waits
        for unit in ("etape-security-agent", "etape-security-enforcer"):
            text = text_of(states[node], f"/etc/systemd/system/{unit}.service")
            assert f"ExecStart={FOLDER}/await /usr/bin/crowdsec" in text
