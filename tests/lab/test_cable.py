"""Cables between two real machines: carrier, loss of it, restarts, nothing left."""

import time
from collections.abc import Callable, Iterator

import docker
import pytest
from docker.models.containers import Container

from infra.docker_engine import DockerEngine
from infra.provider.cable import CableKind
from infra.provider.kernel import Kernel
from infra.workspace import Toolbox, Workspace

NAMES = ("etape-test-a", "etape-test-b")


@pytest.fixture(scope="module")
def toolbox() -> Toolbox:
    return Toolbox.read(Workspace.from_environment())


@pytest.fixture
def machines(toolbox: Toolbox) -> Iterator[list[Container]]:
    """Two machines without systemd: a cable needs a network namespace and nothing else."""
    client = docker.DockerClient(toolbox.docker_host)
    _remove(client)
    command = ["sleep", "infinity"]
    options = {"network_mode": "none", "cap_add": ["NET_ADMIN"], "detach": True, "init": True}
    yield [client.containers.run(toolbox.lab_image, command, name=name, **options) for name in NAMES]
    _remove(client)


@pytest.fixture
def cable(toolbox: Toolbox) -> CableKind:
    return CableKind(DockerEngine(toolbox.docker_host), Kernel())


@pytest.fixture
def inputs(machines: list[Container]) -> dict:
    return {
        "label": "T1-07",
        "mtu": 1400.0,
        "a": {"node": "a", "port": "eno1", "container": machines[0].id},
        "b": {"node": "b", "port": "port6", "container": NAMES[1]},
    }


def test_a_cable_carries_and_a_port_that_is_switched_off_takes_the_carrier(cable, inputs, machines):
    """Guards against a cable whose fault no one at the other end could see."""
    cable.create("T1-07", inputs)
    assert _link(machines[0], "eno1/mtu") == _link(machines[1], "port6/mtu") == "1400"
    assert _link(machines[0], "eno1/ifalias") == "T1-07"
    assert _becomes(lambda: _link(machines[0], "eno1/carrier"), "1")
    machines[1].exec_run("ip link set port6 down")
    assert _becomes(lambda: _link(machines[0], "eno1/carrier"), "0")
    assert cable.observe(inputs) == {"condition": "switched off at b"}


def test_a_restarted_machine_is_plugged_in_again_by_the_next_up(cable, inputs, machines):
    """Guards against a machine that comes back without its cables, and against a stale end at the other one."""
    state = {**inputs, **cable.create("T1-07", inputs).outputs}
    machines[0].restart(timeout=0)
    assert cable.observe(inputs) == {"condition": "unplugged"}
    cable.update(state, inputs)
    assert cable.observe(inputs) == {"condition": "plugged in"}


def test_deleting_it_leaves_no_interface_behind(cable, inputs, machines):
    """Guards against ports that stay at a machine which outlives the stage."""
    state = {**inputs, **cable.create("T1-07", inputs).outputs}
    machines[0].remove(force=True)
    cable.delete(state)
    assert _becomes(lambda: machines[1].exec_run("ls /sys/class/net").output.decode().split(), ["lo"])


def _link(machine: Container, value: str) -> str:
    return machine.exec_run(f"cat /sys/class/net/{value}").output.decode().strip()


def _becomes(seen: Callable[[], object], wanted: object, patience_s: float = 5) -> bool:
    deadline = time.monotonic() + patience_s
    while seen() != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen() == wanted


def _remove(client: docker.DockerClient) -> None:
    for container in client.containers.list(all=True, filters={"name": "etape-test-"}):
        container.remove(force=True)
