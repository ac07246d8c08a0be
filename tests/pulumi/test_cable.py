"""Cables: laid, adopted, laid again, taken away."""

import pytest

from infra.provider.cable import CableKind, Plug
from infra.provider.plugin import UNKNOWN, ProviderError
from tests.pulumi.lab import FakeDocker, FakeKernel

INPUTS = {
    "label": "T1-07",
    "mtu": 1500.0,
    "a": {"node": "edge-1", "port": "eno1", "container": "s09-edge-1"},
    "b": {"node": "switch-1", "port": "port6", "container": "s09-switch-1"},
}


@pytest.fixture
def docker():
    return FakeDocker("s09-edge-1", "s09-switch-1", "s09-switch-2")


@pytest.fixture
def kernel():
    return FakeKernel()


@pytest.fixture
def cable(docker, kernel):
    return CableKind(docker, kernel)


def _state(cable: CableKind) -> dict:
    return {**INPUTS, **cable.create("T1-07", INPUTS).outputs}


def test_a_new_cable_joins_both_ports_and_switches_them_on(cable, kernel):
    """Guards against ends that exist but carry nothing."""
    made = cable.create("T1-07", INPUTS)
    assert made.id == "T1-07"
    assert {(pid, port): each.up for (pid, port), each in kernel.ports.items()} == {
        (100, "eno1"): True,
        (101, "port6"): True,
    }
    assert {each.alias for each in kernel.ports.values()} == {"T1-07"}


def test_a_port_has_the_same_local_address_every_day():
    """Guards against MAC addresses that change with the container: tables and evidence would not match."""
    today, tomorrow = Plug("edge-1", "eno1", "one"), Plug("edge-1", "eno1", "another")
    assert today.mac == tomorrow.mac != Plug("edge-1", "eno2", "one").mac
    assert int(today.mac.split(":")[0], 16) & 0b11 == 0b10, "locally administered, unicast"


def test_create_adopts_a_cable_that_a_killed_engine_laid(cable, kernel):
    """Guards against a second `up` that fails, or cuts a cable that carries traffic."""
    cable.create("T1-07", INPUTS)
    cable.create("T1-07", INPUTS)
    assert len(kernel.laid) == 1


def test_create_takes_a_stale_end_out_of_the_way(cable, kernel, docker):
    """Guards against 'File exists' after one machine was replaced and the other kept its end."""
    cable.create("T1-07", INPUTS)
    docker.restart("s09-edge-1")
    cable.create("T1-07", INPUTS)
    assert kernel.laid == ["100/eno1-101/port6", "103/eno1-101/port6"]


def test_a_plan_may_plug_into_a_machine_that_an_earlier_plan_makes(docker, kernel):
    """Guards against a day from nothing that cannot be reviewed: the stage's plan is made before its core is there."""
    inputs = {**INPUTS, "b": {**INPUTS["b"], "container": "core-wan-1"}}
    assert [mistake.field for mistake in CableKind(docker, kernel).check(inputs)] == ["b.container"]
    planning = CableKind(docker, kernel, planning=True)
    assert planning.check(inputs) == []
    assert planning.observe(inputs) == {"condition": "unplugged"}


@pytest.mark.parametrize("away", ["s09-edge-1", "s09-switch-1"])
def test_a_restarted_machine_shows_as_unplugged_cable(cable, docker, away):
    """Guards against a plain `up` that sees no change while a machine has lost its cables."""
    state = _state(cable)
    assert state["condition"] == "plugged in"
    docker.restart(away)
    assert cable.observe(INPUTS) == {"condition": "unplugged"}


def test_a_port_switched_off_by_hand_is_named(cable, kernel):
    """Guards against a diff that does not say at which end the carrier is lost."""
    cable.create("T1-07", INPUTS)
    kernel.switch_off(101, "port6")
    assert cable.observe(INPUTS) == {"condition": "switched off at switch-1"}


def test_a_wrong_mtu_is_named_and_mended(cable, kernel):
    """Guards against packets that vanish because one end was changed by hand."""
    state = _state(cable)
    kernel.set(100, "eno1", 1400, "T1-07")
    assert cable.observe(INPUTS) == {"condition": "MTU 1400 at edge-1"}
    cable.update(state, INPUTS)
    assert cable.observe(INPUTS) == {"condition": "plugged in"}


def test_update_moves_a_cable_and_frees_the_old_port(cable, kernel):
    """Guards against an end left behind in the port where it was."""
    state = _state(cable)
    moved = {**INPUTS, "b": {"node": "switch-2", "port": "port1", "container": "s09-switch-2"}}
    cable.update(state, moved)
    assert set(kernel.ports) == {(100, "eno1"), (102, "port1")}


def test_delete_leaves_a_port_alone_that_another_cable_took(cable, kernel):
    """Guards against two cables that change places and cut each other."""
    state = _state(cable)
    kernel.set(100, "eno1", 1500, "T9-99")
    kernel.set(101, "port6", 1500, "T9-99")
    cable.delete(state)
    assert len(kernel.ports) == 2


def test_delete_is_content_with_machines_that_are_gone(cable, kernel, docker):
    """Guards against a destroy that stops because a machine was removed first."""
    state = _state(cable)
    docker.stop("s09-switch-1")
    del docker.containers["s09-edge-1"]
    cable.delete(state)


def test_delete_leaves_no_interface_behind(cable, kernel):
    """Guards against a core router that collects dead ports, stage after stage."""
    cable.delete(_state(cable))
    assert kernel.ports == {}


def test_read_forgets_a_cable_that_is_gone(cable, docker):
    """Guards against a refresh that believes the state."""
    state = _state(cable)
    assert cable.read(state) == state
    docker.restart("s09-edge-1")
    assert cable.read(state) is None


def test_a_machine_that_does_not_run_is_an_error_with_the_remedy(cable, docker):
    """Guards against a traceback from the kernel about process 0."""
    docker.stop("s09-edge-1")
    with pytest.raises(ProviderError, match="T1-07: edge-1 does not run; `pulumi up --refresh`"):
        cable.create("T1-07", INPUTS)


def test_every_mistake_is_told_at_once(cable):
    """Guards against mistakes that come to light one by one."""
    wrong = {
        "label": "T1-07",
        "mtu": 12.0,
        "a": {"node": "edge-1", "port": "a-name-that-is-too-long", "container": "s09-edge-1"},
        "b": {"node": "edge-1", "port": "eno1", "container": "2017-core-wan-1"},
    }
    assert [mistake.field for mistake in cable.check(wrong)] == ["mtu", "a.port", "b.container", "b.node"]


def test_a_core_that_is_not_up_is_named_before_anything_is_made(cable):
    """Guards against a truck that is built and then has nowhere to plug in."""
    wan = {**INPUTS, "b": {"node": "wan-1", "port": "port9", "container": "2017-core-wan-1"}}
    (mistake,) = cable.check(wan)
    assert "wan-1 is not there" in mistake.reason
    assert "bring that up first" in mistake.reason


def test_machines_that_are_still_to_be_made_are_no_mistake(cable):
    """Guards against a first preview that asks Docker for a container without an id."""
    preview = {**INPUTS, "a": {**INPUTS["a"], "container": UNKNOWN}}
    assert cable.check(preview) == []
    assert cable.observe(preview) == {"condition": "unplugged"}
