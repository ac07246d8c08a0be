"""What the program declares, as Pulumi's mocks record it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime import get_root_resource

from infra.components.lab import Lab
from infra.components.management import ManagementArgs, ManagementNetwork
from infra.estate.load import load_estate
from infra.ownership import node_labels
from infra.program import build

IMAGE = "sha256:" + "0" * 64
HOME = Path("/home/ops/etape")
CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Every resource that was declared: type, name, inputs; and an id as its engine would give it."""

    seen: list[tuple[str, str, dict]] = field(default_factory=list)
    exports: dict = field(default_factory=dict)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        self.seen.append((args.typ, args.name, args.inputs))
        outputs = {"host_key": f"ssh-ed25519 {args.name}", "secret": f"secret of {args.name}", "condition": "running"}
        return f"id-{args.name}", {**args.inputs, **outputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict:
        return {}

    def inputs(self, kind: str) -> dict[str, dict]:
        return {name: inputs for typ, name, inputs in self.seen if typ == kind}


def declare(program: Callable[[Lab], None]) -> Recorder:
    """Run `program` to its end as the stack 2017-s09 and return what was recorded, exports included."""
    recorder = Recorder()
    # Pulumi's mocks want a current loop; another test's asyncio.run may have left none.
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(recorder, project="etape", stack="2017-s09")

    @pulumi.runtime.test
    def run() -> pulumi.Output:
        program(Lab.connect("2017-s09", HOME, "unix:///run/etape/docker.sock", IMAGE, "ssh-ed25519 AAAA ops"))
        return pulumi.Output.from_input(get_root_resource().outputs).apply(recorder.exports.update)

    run()
    return recorder


@pytest.fixture(scope="module")
def stage() -> Recorder:
    return declare(lambda lab: build(load_estate("2017-s09", "small"), lab))


@pytest.fixture(scope="module")
def estate():
    return load_estate("2017-s09", "small")


def test_a_stage_declares_every_node_and_every_cable(stage, estate):
    """Guards against a node of the model that is never made."""
    names = {node.name for node in estate.nodes}
    assert set(stage.inputs(CONTAINER)) == set(stage.inputs("etape:index:Machine")) == names
    assert set(stage.inputs("etape:index:Cable")) == {link.label for link in estate.links}


def test_a_node_boots_systemd_and_survives_a_refresh(stage):
    """Guards against capabilities in another spelling or order, which a refresh replaces, and against tags."""
    edge = stage.inputs(CONTAINER)["edge-1"]
    assert edge["capabilities"] == {"adds": ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]}
    assert edge["image"] == IMAGE
    assert edge["cgroupnsMode"] == "private"
    assert edge["stopSignal"] == "SIGRTMIN+3"
    assert edge["securityOpts"] == ["apparmor=unconfined", "seccomp=unconfined"]
    assert "privileged" not in edge


def test_a_node_is_found_again_by_its_labels(stage):
    """Guards against leftovers that nobody owns, and against taking away another operator's machines."""
    labels = {each["label"]: each["value"] for each in stage.inputs(CONTAINER)["edge-1"]["labels"]}
    assert labels == node_labels(HOME, "2017-s09", "edge-1")
    assert labels["etape.home"] != node_labels(Path("/home/other"), "2017-s09", "edge-1")["etape.home"]


def test_data_are_on_a_volume_that_outlives_the_container(stage):
    """Guards against a truck that forgets its race because its machine was made anew."""
    data = stage.inputs(VOLUME)["edge-1-data"]
    assert data["name"] == "2017-s09-edge-1-data"
    assert {each["label"]: each["value"] for each in data["labels"]} == node_labels(HOME, "2017-s09", "edge-1")
    assert stage.inputs(CONTAINER)["edge-1"]["volumes"] == [
        {"volumeName": "2017-s09-edge-1-data", "containerPath": "/var/lib/etape"}
    ]


def test_only_nodes_that_keep_data_have_a_volume(stage, estate):
    """Guards against sixty volumes with nothing in them, and against the one that is forgotten."""
    keeping = {node.name for node in estate.nodes if estate.keeps_data(node.name)}
    assert set(stage.inputs(VOLUME)) == {f"{name}-data" for name in keeping}
    assert {name for name, inputs in stage.inputs(CONTAINER).items() if inputs.get("volumes")} == keeping


def test_a_node_has_its_name_address_and_key(stage, estate):
    """Guards against a machine that Ansible cannot reach."""
    edge = stage.inputs(CONTAINER)["edge-1"]
    assert (edge["name"], edge["hostname"]) == ("2017-s09-edge-1", "edge-1")
    assert edge["networksAdvanced"][0]["ipv4Address"] == str(estate.node("edge-1").management)
    assert edge["uploads"][0]["content"] == "ssh-ed25519 AAAA ops"


def test_only_pages_are_published_and_only_on_the_loopback(stage):
    """Guards against a lab that is open to the operator's network."""
    published = {
        name: [(port["external"], port["ip"]) for port in inputs["ports"]]
        for name, inputs in stage.inputs(CONTAINER).items()
        if inputs.get("ports")
    }
    assert published == {"feed-1": [(8310, "127.0.0.1")], "web-1": [(8320, "127.0.0.1")]}


def test_a_cable_between_two_of_the_stacks_nodes_follows_their_containers(stage):
    """Guards against a replaced machine whose cables stay unplugged."""
    cable = stage.inputs("etape:index:Cable")["T1-06"]
    assert cable["a"] == {"node": "edge-1", "port": "eno1", "container": "id-edge-1"}
    assert cable["b"]["container"] == "id-switch-1"


def test_a_cable_into_the_core_ends_at_the_cores_container(stage, estate):
    """Guards against a stage that needs the core's state to find its router."""
    (uplink,) = [link for link in estate.links if {link.a.node, link.b.node} == {"gateway-1", "wan-1"}]
    cable = stage.inputs("etape:index:Cable")[uplink.label]
    assert {cable["a"]["container"], cable["b"]["container"]} == {"id-gateway-1", "2017-core-wan-1"}


def test_a_stage_exports_what_the_inventory_needs_and_no_secrets(stage, estate):
    """Guards against an inventory that is rendered from half the machines."""
    assert set(stage.exports) == {"nodes", "links"}
    assert stage.exports["nodes"]["edge-1"] == {
        "address": str(estate.node("edge-1").management),
        "host_key": "ssh-ed25519 edge-1",
    }
    assert set(stage.exports["nodes"]) == {node.name for node in estate.nodes}


def test_the_core_makes_the_seasons_secrets():
    """Guards against a secret that the inventory asks for and nobody generates."""
    estate = load_estate("2017-core")
    core = declare(lambda lab: build(estate, lab))
    made = core.inputs("etape:index:Credential")
    assert {name: inputs["length"] for name, inputs in made.items()} == {s.name: s.length for s in estate.secrets}
    assert set(core.exports["credentials"]) == set(made) > {"hub_password"}


def test_the_core_declares_the_seasons_buckets_and_says_how_they_are():
    """Guards against evidence in a bucket that only a playbook knows of, and whose policy nobody compares."""
    core = declare(lambda lab: build(load_estate("2017-core"), lab))
    buckets = core.inputs("etape:index:Bucket")
    assert set(buckets) == set(core.exports["buckets"]) == {"archive", "evidence"}
    assert buckets["evidence"]["retention"] == {"mode": "compliance", "days": 400}
    assert buckets["archive"]["policy"] == []


def test_the_management_network_carries_its_owners_labels():
    """Guards against networks that stay behind unseen after a kill."""
    seen = declare(lambda lab: ManagementNetwork("management", ManagementArgs(IPv4Network("172.30.20.0/22")), lab))
    network = seen.inputs("docker:index/network:Network")["management"]
    assert {each["label"] for each in network["labels"]} == {"etape.home", "etape.stack"}
    assert network["ipamConfigs"] == [{"subnet": "172.30.20.0/22", "gateway": "172.30.20.1"}]
