"""What is drift, and what is not: states, Docker's list and what machines tell, without any of them."""

from dataclasses import replace

import pytest

from infra.day.fault import Fault
from infra.docker_engine import Listed, Settings
from infra.drift.difference import MENDED, Difference, as_table, explained
from infra.drift.machines import machine_differences
from infra.drift.resources import Made, changed, condition_differences, docker_differences, resources
from infra.drift.strangers import changed_programs, undeclared_buckets, undeclared_things

HOME, STACK = "a-home", "2017-s09"
LABELS = {"etape.home": HOME, "etape.stack": STACK}
NETWORK = "2017-s09-management"
UNTOUCHED = {"memory": 0, "cpus": 0.0, "cpuSet": "", "restart": "no", "name": "2017-s09-edge-1"}


def container(name: str, id: str) -> dict:
    inputs = {"name": f"{STACK}-{name}", "image": "sha256:0", "networksAdvanceds": [{"name": NETWORK}]}
    kind = "docker:index/container:Container"
    return {
        "urn": f"urn:pulumi:{STACK}::etape::{kind}::{name}",
        "type": kind,
        "id": id,
        "inputs": inputs,
        "outputs": {},
    }


def cable(label: str, a: str, b: str) -> dict:
    ends = {"a": {"node": "edge-1", "port": "eno1", "container": a}, "b": {"node": "s-1", "port": "p1", "container": b}}
    kind = "etape:index:Cable"
    outputs = {"condition": "plugged in"}
    return {"urn": f"urn:pulumi:{STACK}::etape::{kind}::{label}", "type": kind, "inputs": ends, "outputs": outputs}


def listed(id: str, state: str = "running", **more) -> Listed:
    fields = {"kind": "container", "created": "2017-07-09T08:00:00Z", "labels": LABELS, "networks": (NETWORK,)}
    return Listed(**{**fields, "id": id, "name": f"{STACK}-{id}", "state": state, **more})


@pytest.fixture
def made() -> Made:
    """Two machines and the cable between them, as made."""
    applied = (container("edge-1", "id-1"), container("s-1", "id-2"), cable("T1-01", "id-1", "id-2"))
    return Made(applied, (listed("id-1"), listed("id-2")))


def test_what_is_as_made_is_no_drift(made):
    """Guards against alarms that come every day."""
    settings = {"id-1": Settings(UNTOUCHED, ""), "id-2": Settings({**UNTOUCHED, "name": f"{STACK}-s-1"}, "")}
    assert list(docker_differences(made, settings)) == []
    assert list(condition_differences(made, lambda resource: "plugged in")) == []
    assert list(undeclared_things(made.listed, HOME, (STACK,), made.known)) == []


def test_a_stopped_machine_is_told_once_with_its_time(made):
    """Guards against a stopped machine that nobody dates, and against its cables being told beside it."""
    made = replace(made, listed=(listed("id-1", "exited"), listed("id-2")))
    settings = {"id-1": Settings(UNTOUCHED, "2017-07-09T14:03:07.123456789Z")}
    (found,) = docker_differences(made, settings)
    assert (found.where, found.declared, found.found) == ("edge-1", "running", "exited")
    assert found.since == "2017-07-09T14:03:07"
    assert found.remedy == MENDED
    assert list(condition_differences(made, lambda resource: "unplugged")) == []
    assert set(made.running) == {"s-1"}


def test_a_paused_machine_is_not_promised_to_come_back_by_itself(made):
    """Guards against advice that does nothing: Pulumi sees no difference in a paused container."""
    (found,) = docker_differences(replace(made, listed=(listed("id-1", "paused"), listed("id-2"))), {})
    assert found.found == "paused"
    assert "docker unpause" in found.remedy


def test_a_removed_machine_is_missed(made):
    """Guards against a list of what is there that never says what is not."""
    (found,) = docker_differences(replace(made, listed=(listed("id-2"),)), {})
    assert (found.what, found.found) == ("edge-1", "removed")


def test_limits_that_somebody_set_on_a_machine_are_seen(made):
    """Guards against `docker update` behind the tool's back: no state knows of it."""
    (found,) = docker_differences(made, {"id-1": Settings({**UNTOUCHED, "memory": 64}, "")})
    assert (found.declared, found.found) == ("memory 0", "memory 64")


def test_a_network_that_was_attached_or_taken_off_is_seen(made):
    """Guards against a way into the management network that no cable plan shows."""
    made = replace(made, listed=(listed("id-1", networks=("elsewhere",)), listed("id-2")))
    assert [(each.what, each.found) for each in docker_differences(made, {})] == [
        ("elsewhere", "attached by hand"),
        (NETWORK, "taken off"),
    ]


def test_a_property_that_a_refresh_finds_changed_is_told_by_its_name(made):
    """Guards against a refresh whose findings are only a count."""
    actual = {**made.docker[0], "outputs": {**made.docker[0]["inputs"], "image": "sha256:1"}}
    (found,) = changed(made, (actual,))
    assert (found.declared, found.found) == ("image sha256:0", "image sha256:1")


def test_what_a_provider_adds_by_itself_is_no_drift(made):
    """Guards against a refresh that calls every machine changed: defaults filled in, lists in another order."""
    attached = [{"name": NETWORK, "gwPriority": 0, "aliases": []}]
    actual = {**made.docker[0], "outputs": {**made.docker[0]["inputs"], "networksAdvanceds": attached, "memory": 0}}
    assert list(changed(made, (actual,))) == []


def test_a_pulled_cable_is_told_with_both_ends(made):
    """Guards against a label that people have to look up first."""
    (found,) = condition_differences(made, lambda resource: "switched off at s-1")
    assert (found.where, found.what) == ("cabling", "T1-01 (edge-1 eno1 ↔ s-1 p1)")


def test_a_stranger_with_our_labels_goes_with_the_next_up_and_another_does_not(made):
    """Guards against a tool that removes other people's machines, or leaves its own behind."""
    ours = listed("id-8", name="left-over")
    theirs = listed("id-9", name="tap", labels={})
    told = {each.what: each.remedy for each in undeclared_things((*made.listed, ours), HOME, (STACK,), made.known)}
    assert told == {"left-over": MENDED}
    network = Listed("network", "id-0", NETWORK, "", "", LABELS)
    known = {*made.known, "id-0"}
    (found,) = undeclared_things((*made.listed, network, theirs), HOME, (STACK,), known)
    assert (found.what, found.found) == ("tap", f"running on {NETWORK}, nobody declared it")
    assert "docker rm -f tap" in found.remedy


def test_machines_of_another_operator_are_none_of_ours(made):
    """Guards against two operators on one engine who report each other."""
    other = listed("id-9", labels={**LABELS, "etape.home": "another"}, networks=("2016-s01-management",))
    assert list(undeclared_things((other,), HOME, (STACK,), made.known)) == []


def test_a_bucket_that_no_estate_has_is_named():
    """Guards against data that leave through a bucket of somebody's own."""
    assert [each.what for each in undeclared_buckets(("archive", "mine"), {"archive", "evidence"})] == ["mine"]


def test_changed_programs_are_one_line_a_machine_and_compiled_files_none():
    """Guards against a package of 300 files that hides everything else."""
    paths = [
        "/usr",
        "/usr/bin",
        *(f"/usr/bin/{name}" for name in "abcde"),
        "/usr/lib/python3/__pycache__/x.pyc",
        "/var/log",
    ]
    (found,) = changed_programs("edge-1", "c", paths)
    assert found.what == "5 path(s)"
    assert found.found.endswith("/usr/bin/a, /usr/bin/b, /usr/bin/c and 2 more")
    assert list(changed_programs("edge-1", "c", ["/usr", "/usr/lib/python3/__pycache__/x.pyc"])) == []


def test_what_a_machine_tells_says_what_to_do():
    """Guards against a list that leaves the reader alone: a deploy mends this, a person that."""
    finding = {
        "kind": "file",
        "what": "/etc/x",
        "declared": "a",
        "found": "b",
        "since": 1_499_602_000.0,
        "mended": True,
    }
    told = {"findings": [finding, {**finding, "mended": False, "since": 0.0}]}
    mended, left = machine_differences("edge-1", told)
    assert (mended.remedy, mended.since) == (MENDED, "2017-07-09T12:06:40")
    assert left.remedy != MENDED
    assert left.since == ""


def test_a_machine_that_does_not_answer_is_drift_and_not_silence():
    """Guards against a pass because nobody could be asked."""
    (found,) = machine_differences("edge-1", "no answer over SSH")
    assert (found.kind, found.found) == ("machine", "no answer over SSH")


def difference(where: str, kind: str, what: str) -> Difference:
    return Difference(where, kind, what, "there", "not there")


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (
            Fault("s-1", "cable T1-01 (edge-1 eno1 ↔ s-1 p1) is pulled", "ip link set dev p1 down", ""),
            difference("cabling", "cable", "T1-01 (edge-1 eno1 ↔ s-1 p1)"),
        ),
        (
            Fault("edge-2", "etape-relay on edge-2 is stopped", "systemctl stop etape-relay", ""),
            difference("edge-2", "unit", "etape-relay.service"),
        ),
        (
            Fault("edge-1", "edge-1 uses 10.0.0.2 of edge-2", "ip address add 10.0.0.2/24 dev eno1", ""),
            difference("edge-1", "address", "eno1 10.0.0.2/24"),
        ),
        (
            Fault("edge-1", "a processor of edge-1 is busy", "systemd-run --unit etape-fault-cpu sh", ""),
            difference("edge-1", "unit", "etape-fault-cpu.service"),
        ),
    ],
)
def test_a_fault_of_the_lab_is_told_as_the_cause(fault: Fault, found: Difference):
    """Guards against a rehearsal that somebody takes for an intruder, and against the other way round."""
    (told,) = explained([found], [fault])
    assert told.cause == f"brought in on purpose: {fault.title}"
    assert "lab heal" in told.remedy
    other = replace(found, where="storage-1")
    assert explained([other], [fault]) == (other,)


def test_the_table_says_where_what_since_and_what_to_do():
    """Guards against a report that has to be looked up in the code."""
    found = Difference("edge-1", "unit", "lldpd.service", "enabled", "disabled", "2017-07-09T12:06:40")
    text = as_table([found])
    for word in ("edge-1", "lldpd.service", "disabled", "declared: enabled", "2017-07-09T12:06:40", MENDED):
        assert word in text


def test_a_deployment_is_read_exported_or_from_a_checkpoint():
    """Guards against a state of another form that reads as an empty one: all would be strangers."""
    assert resources({"deployment": {"resources": [1]}}) == resources({"resources": [1]}) == (1,)
