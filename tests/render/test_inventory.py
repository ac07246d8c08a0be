"""The inventory holds what playbooks need, and is never rendered from half of the outputs."""

from pathlib import Path

import pytest

from infra.estate.load import load_estate
from infra.render.inventory import render_inventory, render_known_hosts
from infra.render.outputs import MissingOutputs
from tests.render.outputs import outputs_of

KEY, HOSTS = Path("/keys/id"), Path("/keys/known_hosts")


@pytest.fixture(scope="module")
def stage():
    return load_estate("2017-s09", "small")


@pytest.fixture(scope="module")
def inventory(stage):
    return render_inventory(stage, outputs_of(stage), KEY, HOSTS)


def etape(inventory: dict, node: str) -> dict:
    return inventory["all"]["hosts"][node]["etape"]


def test_every_machine_of_the_stack_is_a_host_and_no_other_is(stage, inventory):
    """A machine that is left out is never configured; one of the core would be wiped with the stage."""
    assert list(inventory["all"]["hosts"]) == [node.name for node in stage.nodes]


def test_hosts_are_reached_by_the_address_in_the_outputs(stage):
    """The plan is not the proof: Ansible goes where the engine says that the machine is."""
    outputs = outputs_of(stage)
    outputs["2017-s09"]["nodes"]["edge-2"]["address"] = "192.0.2.7"
    inventory = render_inventory(stage, outputs, KEY, HOSTS)
    assert inventory["all"]["hosts"]["edge-2"]["ansible_host"] == "192.0.2.7"


def test_connection_accepts_pinned_keys_only(inventory):
    """An unpinned key would let another machine take a node's place."""
    args = inventory["all"]["vars"]["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=yes" in args
    assert f"UserKnownHostsFile={HOSTS}" in args


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("role_edge", {"edge-1", "edge-2", "edge-3"}),
        ("role_cec_wifi", {"cec-wifi-1"}),
        ("site_cec", {"cec-display-1", "cec-gateway-1", "cec-wifi-1"}),
        ("service_broker", {"edge-1", "broker-1"}),
    ],
)
def test_groups_follow_role_site_and_service(inventory, group, members):
    """A playbook that addresses a group would pass by a machine that is missing from it."""
    assert set(inventory["all"]["children"][group]["hosts"]) == members


def test_ports_name_label_and_far_end(inventory):
    """LLDP is judged against these: a wrong far end would call every right cable wrong."""
    assert etape(inventory, "edge-2")["ports"] == [
        {"name": "eno1", "segment": "race", "label": "T1-07", "peer_node": "switch-1", "peer_port": "port7"},
        {"name": "eno2", "segment": "ops", "label": "T2-07", "peer_node": "switch-2", "peer_port": "port7"},
    ]


def test_switch_has_its_address_on_a_bridge_over_its_cabled_ports(inventory):
    """An address on a bridge's member port is deaf."""
    assert etape(inventory, "switch-1")["interfaces"] == [
        {
            "name": "br-race",
            "address": "10.17.10.11/24",
            "members": ["port1", "port6", "port7", "port8", "port10"],
            "mtu": 1500,
        }
    ]


def test_hosts_and_endpoints_reach_into_the_core(inventory):
    """Agents of the stage report to the core's hub; without its address they are silent."""
    seen = etape(inventory, "edge-1")
    assert seen["hosts"]["manage-1"] == "10.17.0.91"
    assert seen["endpoints"]["hub"] == [
        {"node": "manage-1", "host": "10.17.0.91", "port": 4222, "site_kind": "operations"}
    ]


def test_nearest_time_server_comes_first(inventory):
    """With the uplink cut the truck keeps its time from its own gateway."""
    assert etape(inventory, "edge-1")["time_servers"] == ["10.17.10.2", "10.17.0.71"]


def test_cores_router_knows_the_town_when_rendered_from_the_stage(stage):
    """Without the day's route, the managed network drops everything that is meant for the truck."""
    with_town = render_inventory(stage.core, outputs_of(stage), KEY, HOSTS)
    alone = render_inventory(load_estate("2017-core"), outputs_of(stage), KEY, HOSTS)
    route = {"destination": "10.17.10.0/24", "gateway": "100.64.9.2"}
    assert route in etape(with_town, "wan-1")["routes"]
    assert route not in etape(alone, "wan-1")["routes"]


def test_core_has_no_stage(stage):
    """A season's service that knew a stage would be configured anew each day."""
    inventory = render_inventory(stage.core, outputs_of(stage), KEY, HOSTS)
    assert all(host["etape"]["stage"] is None for host in inventory["all"]["hosts"].values())


@pytest.mark.parametrize(
    ("lose", "said"),
    [
        (lambda outputs: outputs.pop("2017-s09"), "no outputs of 2017-s09"),
        (lambda outputs: outputs.pop("2017-core"), "no outputs of 2017-core"),
        (lambda outputs: outputs["2017-s09"]["nodes"].pop("edge-2"), "nodes.edge-2.address is missing"),
        (lambda outputs: outputs["2017-s09"]["nodes"]["edge-2"].pop("host_key"), "nodes.edge-2.host_key is missing"),
        (
            lambda outputs: outputs["2017-core"]["credentials"].pop("hub_password"),
            "credentials.hub_password is missing",
        ),
    ],
)
def test_missing_output_is_an_error_that_says_what_to_run(stage, lose, said):
    """An inventory with holes deploys to a part of the estate and calls it done."""
    outputs = outputs_of(stage)
    lose(outputs)
    with pytest.raises(MissingOutputs, match=r"run `scripts/stage up 2017-(s09|core)`") as caught:
        render_inventory(stage, outputs, KEY, HOSTS)
    assert said in str(caught.value)


def test_known_hosts_pins_each_machine_by_its_address(stage):
    """A line without its address pins nothing."""
    lines = render_known_hosts(stage, outputs_of(stage)).splitlines()
    assert "172.30.20.32 ssh-ed25519 key-of-edge-2" in lines
    assert len(lines) == len(stage.nodes)


def test_a_core_router_knows_the_cables_that_a_stage_plugs_into_it(stage):
    """Guards against ports of the managed network that nobody watches because they belong to the other layer."""
    inventory = render_inventory(stage.core, outputs_of(stage), KEY, HOSTS, stage)
    labels = {port["label"] for port in etape(inventory, "wan-1")["ports"]}
    assert {"N-09", "N-10", "X-00"} <= labels
