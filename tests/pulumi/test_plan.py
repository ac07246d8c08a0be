"""A plan, read from the events of a preview."""

import json

from hypothesis import given
from hypothesis import strategies as st

from infra.plan import SECRET, UNKNOWN, PolicyFinding, plain, read_events, read_plan

PREFIX = "urn:pulumi:2017-s09::etape::etape:lab:Node$"
MACHINE = f"{PREFIX}etape:index:Machine::edge-1"
CONTAINER = f"{PREFIX}docker:index/container:Container::edge-1"
SECRET_VALUE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAA"}


def step(op: str, urn: str, old: dict | None = None, new: dict | None = None, **more: object) -> dict:
    """An event of a preview; `old` and `new` are inputs."""
    sides = {side: None if inputs is None else {"inputs": inputs} for side, inputs in {"old": old, "new": new}.items()}
    kind = urn.split("$")[-1].split("::")[0]
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": kind, **sides, **more}, "planning": True}}


def policy(name: str, level: str = "mandatory", urn: str = CONTAINER, message: str = "no.") -> dict:
    return {"policyEvent": {"policyName": name, "enforcementLevel": level, "resourceUrn": urn, "message": message}}


def plan(*events: dict):
    return read_plan("2017-s09", events, "3.259.0", {"scale": "small"})


def test_a_step_holds_both_sides_of_every_input():
    """Guards against a report that says that something changes, but not from what to what."""
    diff = {"mtu": {"diffKind": "update"}}
    (found,) = plan(step("update", MACHINE, {"mtu": 1500}, {"mtu": 1400}, detailedDiff=diff)).steps
    assert (found.op, found.name, found.type) == ("update", "edge-1", "etape:index:Machine")
    assert (found.before, found.after) == ({"mtu": 1500}, {"mtu": 1400})
    assert (found.changing, found.replacing) == (("mtu",), ())


def test_what_is_made_has_no_before_and_what_goes_no_after():
    """Guards against a deletion that reads like a change to nothing."""
    made, gone = plan(step("create", CONTAINER, None, {"image": "a"}), step("delete", MACHINE, {"node": "b"})).steps
    assert (made.before, made.after) == (None, {"image": "a"})
    assert (gone.before, gone.after) == ({"node": "b"}, None)


def test_a_replacement_is_one_step_with_its_reason():
    """Guards against one replaced container counted as three changes."""
    sides = {"old": {"image": "a"}, "new": {"image": "b"}, "keys": ["image"]}
    (found,) = plan(
        *(step(op, CONTAINER, **sides) for op in ("delete-replaced", "replace", "create-replacement"))
    ).steps
    assert (found.op, found.replacing) == ("replace", ("image",))


def test_a_step_that_changes_nothing_is_no_step():
    """Guards against a no-op that looks like 80 changes."""
    assert plan(*(step(op, CONTAINER, {}, {}) for op in ("same", "read", "refresh"))).steps == ()


def test_a_secret_is_a_marker_and_its_change_still_shows():
    """Guards against a password in a report, and against a rotated one that nobody notices."""
    sides = {"old": {"password": SECRET_VALUE}, "new": {"password": SECRET_VALUE}}
    (found,) = plan(step("update", MACHINE, **sides, detailedDiff={"password": {}})).steps
    assert found.before == found.after == {"password": SECRET}
    assert found.changing == ("password",)


def test_what_only_the_deployment_can_know_is_a_marker():
    """Guards against Pulumi's internal numbers in a report."""
    (found,) = plan(step("create", MACHINE, None, {"container": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"})).steps
    assert found.after == {"container": UNKNOWN}


def test_bookkeeping_of_bridged_providers_is_left_out():
    """Guards against a changed default list that reads like a changed resource."""
    assert plain({"a": 1, "__defaults": ["a"], "b": [{"__defaults": [], "c": 2}]}) == {"a": 1, "b": [{"c": 2}]}


def test_a_finding_is_one_sentence_told_once():
    """Guards against one violation counted for each of Pulumi's passes."""
    event = policy("image-by-digest", message="Images move.\nthe image\n  has no digest\n")
    found = plan(event, event, policy("tags", level="advisory"))
    assert found.policies == (
        PolicyFinding("image-by-digest", "mandatory", "edge-1", "the image has no digest"),
        PolicyFinding("tags", "advisory", "edge-1", "no."),
    )
    assert [each.policy for each in found.refused] == ["image-by-digest"]


@given(st.permutations([step("create", CONTAINER, None, {}), step("create", MACHINE, None, {}), policy("a")]))
def test_the_same_plan_reads_the_same_in_whatever_order_it_was_made(events):
    """Guards against an approval that fails because two providers answered in another order."""
    assert plan(*events) == plan(*reversed(events))


def test_lines_that_are_no_events_are_left_out():
    """Guards against a traceback over a plugin that prints to standard output."""
    assert read_events("\n".join(["hello", "{half", json.dumps({"cancelEvent": {}})])) == [{"cancelEvent": {}}]
