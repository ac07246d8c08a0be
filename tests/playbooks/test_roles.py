"""What the roles want of real nodes of the 2017 estate."""

import json
from collections.abc import Callable

import pytest
from ansible.errors import AnsibleError
from ansible_collections.etape.node.plugins.module_utils.desired import State, parse_state
from ansible_collections.etape.node.plugins.plugin_utils.render import Renderer

from tests.playbooks.conftest import renderer_of

StateOf = Callable[..., State]


def text_of(state: State, path: str) -> str:
    """Content of one file of a state."""
    return next(file.content for file in state.every("files") if file.path == path)


def test_a_switch_bridges_the_ports_of_its_segment(state_of: StateOf) -> None:
    """Guards: a port that is cabled but not bridged, a bridge that swallows LLDP's neighbours or blocks for 15 s."""
    state = state_of("switch-1")
    folder = "/etc/systemd/network"

    netdev = text_of(state, f"{folder}/30-etape-br-race.netdev")
    assert "Name=br-race\nKind=bridge\nMTUBytes=1500\n" in netdev
    assert "STP=no\nForwardDelaySec=0\nGroupForwardMask=0\n" in netdev
    ports = text_of(state, f"{folder}/50-etape-br-race.network")
    assert "Name=port1 port6 port7 port8 port10\n" in ports
    assert "Bridge=br-race\n" in ports
    assert "Address=10.17.10.11/24\n" in text_of(state, f"{folder}/40-etape-br-race.network")


def test_a_route_stands_with_the_interface_that_reaches_its_gateway(state_of: StateOf) -> None:
    """Guards: routes that networkd refuses because the gateway is on another segment."""
    state = state_of("gateway-1")

    assert "Gateway=100.64.9.1" in text_of(state, "/etc/systemd/network/40-etape-wan0.network")
    assert "[Route]" not in text_of(state, "/etc/systemd/network/40-etape-lan0.network")


@pytest.mark.parametrize(("node", "value"), [("gateway-1", "1"), ("edge-1", "0")])
def test_only_routers_forward(state_of: StateOf, node: str, value: str) -> None:
    """Guards: an edge server with two legs that becomes a way around the gateway."""
    assert text_of(state_of(node), "/etc/sysctl.d/60-etape.conf") == f"net.ipv4.ip_forward = {value}\n"


def test_bridges_have_hardware_addresses_of_their_own(hosts: dict, state_of: StateOf) -> None:
    """Guards: machines from one image share their machine-id, and systemd would give their bridges one address."""
    bridges = [
        line.removeprefix("MACAddress=")
        for node in hosts
        for file in state_of(node).every("files")
        for line in file.content.splitlines()
        if line.startswith("MACAddress=")
    ]
    assert len(bridges) == len(set(bridges)) > 3
    assert all(int(address[:2], 16) & 3 == 2 for address in bridges), "locally administered, unicast"


def test_the_management_interface_is_left_alone(hosts: dict, state_of: StateOf) -> None:
    """Guards: a deploy that cuts its own way in, and an agent's LLDP that leaks the management network."""
    for node in hosts:
        files = [file for file in state_of(node).every("files") if file.path.startswith("/etc/systemd/network/")]
        assert files
        assert not [file.path for file in files if "eth0" in file.content]
    assert "pattern *,!eth0" in text_of(state_of("edge-1"), "/etc/lldpd.d/etape.conf")


def test_a_service_has_the_limits_of_the_capacity_profile(hosts: dict, state_of: StateOf) -> None:
    """Guards: a unit that may take the whole machine."""
    for node, variables in hosts.items():
        state = state_of(node)
        for service in variables["etape"]["services"]:
            text = text_of(state, f"/etc/systemd/system/{service['unit']}.service.d/limits.conf")
            assert f"CPUQuota={service['limits']['cpu_percent']}%\n" in text
            assert f"MemoryMax={service['limits']['memory_mb']}M\n" in text


def test_a_service_that_ends_is_started_again(hosts: dict, state_of: StateOf) -> None:
    """Guards: a service that stays down because nobody was looking."""
    for node, variables in hosts.items():
        for service in variables["etape"]["services"]:
            own = f"/etc/systemd/system/{service['unit']}.service"
            path = "/etc/systemd/system/chrony.service.d/etape.conf" if service["name"] == "time_sync" else own
            assert "Restart=always\n" in text_of(state_of(node), path)


def test_only_who_runs_the_kernel_takes_its_machine_code(state_of: StateOf) -> None:
    """Guards: a processor that compiles for a minute when the race starts, and a relay that waits for a copy."""
    unit = "/etc/systemd/system/etape-{}.service"

    assert "/opt/etape/current/numba" in text_of(state_of("processor-1"), unit.format("processor"))
    assert "ExecStartPre" not in text_of(state_of("edge-2"), unit.format("relay"))


def test_every_service_of_the_estate_has_a_unit_that_runs(hosts: dict, state_of: StateOf) -> None:
    """Guards: a service that the estate promises and no role delivers."""
    for node, variables in hosts.items():
        units = {unit.name.removesuffix(".service") for unit in state_of(node).every("units") if unit.running}
        assert {service["unit"] for service in variables["etape"]["services"]} <= units


def test_secrets_are_readable_by_nobody_else_and_marked(hosts: dict, state_of: StateOf) -> None:
    """Guards: a password in a file that every account reads, or in a diff."""
    passwords = ("the-hub's", "broker's", "an-access-key", "a-secret-key")
    for node in hosts:
        for file in state_of(node).every("files"):
            if any(password in file.content for password in passwords):
                assert file.secret, file.path
                assert file.mode in ("0600", "0640"), file.path


def test_a_password_with_quotes_reaches_the_broker_whole(state_of: StateOf) -> None:
    """Guards: a config file that a generated password breaks."""
    assert r'password: "the \"broker' in text_of(state_of("broker-1"), "/etc/etape/broker.conf")


def test_time_servers_serve_and_do_not_ask_themselves(state_of: StateOf) -> None:
    """Guards: a time server that waits for itself, or a client that serves."""
    server, client = (text_of(state_of(node), "/etc/etape/chrony.conf") for node in ("gateway-1", "edge-1"))

    assert "server 10.17.10.2" not in server
    assert "local stratum 8 orphan" in server
    assert "server 10.17.10.2 iburst" in client
    assert "allow" not in client


def test_a_node_says_what_it_is_and_which_release_it_runs(state_of: StateOf) -> None:
    """Guards: a machine that nobody can tell from its neighbour, and secrets in a file for everybody."""
    state = state_of("edge-2")
    estate = json.loads(text_of(state, "/etc/etape/estate.json"))

    assert estate["node"]["name"] == "edge-2"
    assert estate["release"] == "abc123"
    assert "secrets" not in estate
    assert [(link.path, link.target) for link in state.every("links")] == [("/opt/etape/current", "releases/abc123")]


def test_the_speed_of_the_race_concerns_only_who_runs_by_it(state_of: StateOf) -> None:
    """Guards: a changed speed that restarts relays and feeds; the amender beside the archive goes by it too."""
    nodes = ("edge-2", "edge-3", "processor-1", "archive-1", "broker-1", "web-1")
    changed = [node for node in nodes if state_of(node, race_speed=1.0).digest() != state_of(node).digest()]

    assert changed == ["edge-3", "processor-1", "archive-1"]


def test_rendering_is_stable(hosts: dict, renderer: Callable[..., Renderer]) -> None:
    """Guards: a digest that changes without a change, so that every deploy touches every node."""
    roles = hosts["manage-1"]["etape"]["roles"]

    assert renderer("manage-1").state(roles) == renderer("manage-1").state(roles)


def test_a_value_of_the_wrong_kind_names_role_and_variable(state_of: StateOf) -> None:
    """Guards: a typed-in nonsense that reaches a config file."""
    with pytest.raises(AnsibleError, match="role node_base: .*node_base_lldp_interval_s.*often"):
        state_of("edge-1", node_base_lldp_interval_s="often")


def test_a_role_that_is_not_there_is_named(renderer: Callable[..., Renderer]) -> None:
    """Guards: a traceback for a role that the estate names and playbooks/ has not."""
    with pytest.raises(AnsibleError, match="desired.yml is missing, but a node has the role firewall"):
        renderer("edge-1").state(["firewall"])


def test_every_port_and_address_is_looked_at_before_a_deploy(hosts: dict, renderer: Callable[..., Renderer]) -> None:
    """Guards: a deploy onto a machine whose cable is not laid or whose address someone else has."""
    variables = hosts["edge-1"]["etape"]
    found = renderer("edge-1").conditions(variables["roles"], "requires")

    assert {entry["name"] for entry in found if entry["kind"] == "port"} == {"eno1", "eno2"}
    assert {entry["address"] for entry in found if entry["kind"] == "address"} == {"10.17.10.21/24", "10.17.11.21/24"}
    assert {entry["port"] for entry in found if entry["kind"] == "listener"} == {4222}


def test_every_operator_of_the_estate_may_log_in(hosts: dict[str, dict]) -> None:
    """Guards: a colleague who takes over the shift and cannot reach a machine, or reaches it by making it anew."""
    host = hosts["edge-1"]
    named = {**host, "etape": {**host["etape"], "operator_keys": ["ssh-ed25519 a", "ssh-ed25519 b"]}}
    state = parse_state(renderer_of(named).state(["node_base"]))

    assert text_of(state, "/etc/ssh/authorized_keys.d/root.operators") == "ssh-ed25519 a\nssh-ed25519 b\n"
    alone = parse_state(renderer_of(host).state(["node_base"]))
    assert "/etc/ssh/authorized_keys.d/root.operators" not in {file.path for file in alone.every("files")}
