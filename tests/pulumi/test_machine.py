"""A machine exists once it can be worked with."""

import pytest

from infra.provider.machine import MachineKind
from infra.provider.plugin import ProviderError
from tests.pulumi.lab import FakeDocker, FakeKernel

INPUTS = {"node": "edge-1", "container": "s09-edge-1", "address": "172.30.20.31"}
KEY_FILE = ("s09-edge-1", "/etc/ssh/ssh_host_ed25519_key.pub")


@pytest.fixture
def docker():
    docker = FakeDocker("s09-edge-1")
    docker.files[KEY_FILE] = "ssh-ed25519 AAAAC3Nz root@edge-1\n"
    return docker


@pytest.fixture
def kernel():
    kernel = FakeKernel()
    kernel.system_states = ["running"]
    return kernel


def test_the_host_key_is_the_one_on_the_machines_disk(docker, kernel):
    """Guards against trust on first use: whoever answers first would be believed."""
    made = MachineKind(docker, kernel, lambda address: True).create("edge-1", INPUTS)
    assert (made.id, made.outputs) == ("edge-1", {"host_key": "ssh-ed25519 AAAAC3Nz", "condition": "running"})


def test_it_waits_for_ssh_then_for_systemd(docker, kernel):
    """Guards against playbooks that meet a machine in the middle of its start."""
    kernel.system_states = ["starting", "running"]
    asked, answers = [], iter([False, True, True])

    def ssh_answers(address: str) -> bool:
        asked.append(address)
        return next(answers)

    MachineKind(docker, kernel, ssh_answers).create("edge-1", INPUTS)
    assert asked == ["172.30.20.31"] * 3


def test_a_degraded_machine_is_ready_and_says_what_failed(docker, kernel):
    """Guards against a whole town that does not come up because of one unit, and against not hearing of it."""
    kernel.system_states, kernel.failed = ["degraded"], ["lldpd.service"]
    made = MachineKind(docker, kernel, lambda address: True).create("edge-1", INPUTS)
    assert made.outputs["condition"] == "degraded: lldpd.service"


@pytest.mark.parametrize(
    ("ssh", "state", "words"),
    [(False, "running", "no SSH server answers at 172.30.20.31"), (True, "starting", "systemd is starting")],
)
def test_a_machine_that_never_gets_ready_says_what_it_lacks(docker, kernel, ssh, state, words):
    """Guards against a timeout that names neither the node nor the cause."""
    kernel.system_states = [state]
    machine = MachineKind(docker, kernel, lambda address: ssh, patience_s=0)
    with pytest.raises(ProviderError, match=f"edge-1 is not ready after 0 s: {words}.*docker exec"):
        machine.create("edge-1", INPUTS)


def test_a_machine_that_stops_while_it_starts_is_not_waited_for(docker, kernel):
    """Guards against three minutes of waiting for a container that has ended."""
    docker.stop("s09-edge-1")
    with pytest.raises(ProviderError, match="edge-1 stopped while it was starting"):
        MachineKind(docker, kernel, lambda address: False).create("edge-1", INPUTS)


def test_read_forgets_a_machine_whose_container_is_gone(docker, kernel):
    """Guards against a pinned key of a machine that will be made anew."""
    machine = MachineKind(docker, kernel, lambda address: True)
    assert machine.read(INPUTS) == INPUTS
    docker.containers.clear()
    assert machine.read(INPUTS) is None
