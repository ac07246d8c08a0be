"""Laws of the plan's hash: every change of anything covered shows, and nothing else does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.approval.digest import (
    Covered,
    Part,
    differences,
    digest,
    finding_entries,
    merged,
    model_entries,
    plan_hash,
    step_entries,
)
from infra.plan import Plan, PolicyFinding, Step

names = st.text(min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
entries = st.dictionaries(names, names, max_size=4)
covereds = st.builds(Covered, *[entries] * len(Part))
URN = "urn:pulumi:2017-s09::etape::docker:index/container:Container::edge-1"
STEP = Step("update", URN, "docker:index/container:Container", "edge-1", {"image": "a"}, {"image": "b"}, (), (), False)


def _reversed(value: Any) -> Any:
    """The same content, every mapping in the opposite order."""
    if isinstance(value, dict):
        return {name: _reversed(each) for name, each in reversed(value.items())}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


@given(values)
def test_the_order_of_keys_does_not_count(value: Any) -> None:
    """A hash that depends on how a mapping was filled differs between two runs of the same plan."""
    assert digest(value) == digest(_reversed(value))


@given(covereds, st.sampled_from(Part), names, names)
def test_any_change_of_any_part_changes_the_hash_and_is_named(
    covered: Covered, part: Part, entry: str, value: str
) -> None:
    """An approval that survives a change covers something that nobody has read."""
    changed = replace(covered, **{part.value: {**covered.part(part), entry: value + "!"}})
    if covered.part(part).get(entry) == value + "!":
        return
    assert plan_hash(changed) != plan_hash(covered)
    (found,) = differences(covered, changed)
    assert (found.part, found.entry) == (part, entry)
    assert found.what == ("changed" if entry in covered.part(part) else "added")


@given(covereds, covereds)
def test_the_hash_is_equal_exactly_when_nothing_differs(one: Covered, other: Covered) -> None:
    """A hash that differs without a difference could not be explained; the reverse could not be seen."""
    assert (plan_hash(one) == plan_hash(other)) == (differences(one, other) == ())


@given(covereds)
def test_what_moves_from_one_part_to_another_changes_the_hash(covered: Covered) -> None:
    """Parts that were merely strung together would let an entry slip from the model into the program."""
    moved = replace(covered, program={}, model={"program": "x", **covered.program, **covered.model})
    assert plan_hash(moved) != plan_hash(covered)


@pytest.mark.parametrize(
    "changed",
    [
        replace(STEP, op="replace"),
        replace(STEP, before={"image": "c"}),
        replace(STEP, after={"image": "c"}),
        replace(STEP, replacing=("image",)),
        replace(STEP, changing=("env[2]",)),
        replace(STEP, protected=True),
    ],
    ids=["op", "before", "after", "replacing", "a secret that changes", "protection"],
)
def test_every_property_of_a_step_counts(changed: Step) -> None:
    """A field that is left out of the digest is a field through which a plan can change unseen."""
    assert step_entries(_plan(STEP)) != step_entries(_plan(changed))


def test_the_order_in_which_the_engine_tells_steps_does_not_count() -> None:
    """The engine works in threads: its order is not the plan's."""
    other = replace(STEP, urn=URN.replace("edge-1", "edge-2"), name="edge-2")
    assert step_entries(_plan(STEP, other)) == step_entries(_plan(other, STEP))


def test_a_new_objection_of_the_policy_pack_counts() -> None:
    """What was approved without an objection is not carried out with one."""
    finding = PolicyFinding("tags", "advisory", "edge-1", "has no owner")
    assert finding_entries(replace(_plan(STEP), policies=(finding,))) != finding_entries(_plan(STEP))


def test_one_service_on_many_nodes_and_nameless_things_each_have_their_entry() -> None:
    """Entries of the same name would overwrite each other, and all but one could change unseen."""
    model = {
        "stack": "2017-s09",
        "services": [{"name": "processor", "node": "cloud-1"}, {"name": "processor", "node": "cloud-2"}],
        "waivers": [{"policy": "tags", "reason": "a"}, {"policy": "tags", "reason": "b"}],
        "time_servers": ["edge-1", "edge-2"],
    }
    assert len(model_entries(model)) == 1 + 2 + 2 + 2
    assert "2017-s09 services processor on cloud-2" in model_entries(model)


def test_layers_that_claim_the_same_entry_are_refused() -> None:
    """Of two digests under one name only one would be compared."""
    with pytest.raises(ValueError, match="twice"):
        merged([{"a": "1"}, {"a": "1"}])


def _plan(*steps: Step) -> Plan:
    return Plan("2017-s09", steps, (), "3.259.0", {"scale": "small"})
