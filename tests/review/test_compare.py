"""What is told, what folds, and what is recognised under another name."""

import pytest

from infra.review.change import Action
from infra.review.compare import compare
from infra.review.snapshot import Default, Reference, Secret, Snapshot, Unknown
from infra.review.values import leaves
from tests.review.states import (
    CONTAINER,
    CORE,
    STAGE,
    VOLUME,
    changed,
    container,
    head,
    item,
    link,
    node,
    only,
    race_day,
    segment,
    service,
    state,
    volume,
)

NEXT = "2017-s10"


def day(stack: str, number: int, date: str, finish: str, *more) -> Snapshot:
    """A truck on its day: an uplink of the day's own block, a gateway in it, its container."""
    uplink = f"100.64.{number}"
    gateway = node("gateway-1", stack, interfaces=[{"name": "wan0", "address": f"{uplink}.2/29"}])
    town = item("site", "truck", {"kind": "truck", "location": finish}, stack)
    things = (
        head(stack),
        race_day(number, date, finish, stack),
        segment("uplink", f"{uplink}.0/29", stack, daily=True),
    )
    return state(*things, town, gateway, container("gateway-1", stack), *more, stacks=(stack,), title=stack)


def test_another_day_folds_into_its_causes() -> None:
    """Guards against a page of towns and dates in which the one real change is not seen."""
    found = compare(day(STAGE, 9, "2017-07-09", "Chambéry"), day(NEXT, 10, "2017-07-11", "Bergerac"))
    assert found.changes == ()
    causes = {each.cause.partition(":")[0]: each.count for each in found.folded}
    assert causes == {
        "names of the stacks": 2,
        "the race day": 3,
        "addresses in uplink": 2,
        "the town of the finish": 1,
    }


def test_what_the_day_does_not_explain_remains() -> None:
    """Guards against a fold that swallows an address that only looks like the day's."""
    odd = node("edge-1", NEXT, management="172.30.20.77")
    before = day(STAGE, 9, "2017-07-09", "Chambéry", node("edge-1"))
    found = compare(before, day(NEXT, 10, "2017-07-11", "Bergerac", odd))
    assert [(each.path, each.before, each.after) for each in only(found).unexpected] == [
        ("management", "172.30.20.31", "172.30.20.77")
    ]


def test_a_daily_block_of_another_size_is_not_the_days() -> None:
    """Guards against an uplink that grows to a thousand hosts under cover of the night."""
    before = state(race_day(9, "2017-07-09", "X"), segment("uplink", "100.64.9.0/29", daily=True))
    after = state(race_day(10, "2017-07-11", "Y"), segment("uplink", "100.64.8.0/22", daily=True))
    assert only(compare(before, after)).name == "uplink"


def test_a_moved_start_of_the_same_stage_is_told() -> None:
    """Guards against folding what changed on the day itself."""
    before, after = (state(race_day(9, date, "X")) for date in ("2017-07-09", "2017-07-10"))
    assert only(compare(before, after)).kind == "stage"


def test_a_prefix_is_told_once_and_its_addresses_follow() -> None:
    """Guards against sixty changed machines where one line of data was changed."""

    def truck(block: str) -> Snapshot:
        machines = [node(f"edge-{n}", interfaces=[{"name": "eno1", "address": f"{block}.{20 + n}/24"}]) for n in (1, 2)]
        return state(segment("race", f"{block}.0/24"), *machines)

    found = compare(truck("10.17.10"), truck("10.17.12"))
    assert only(found).kind == "segment"
    assert [(each.cause, each.things) for each in found.folded] == [
        ("addresses in race: 10.17.10.0/24 → 10.17.12.0/24", 2)
    ]


def test_a_machine_that_is_made_anew_is_told_though_its_cause_is_elsewhere() -> None:
    """Guards against forty restarts that hide behind one changed prefix."""

    def truck(block: str) -> Snapshot:
        return state(head(management=f"{block}.0/24"), container("edge-1", ip=f"{block}.31"))

    found = compare(truck("172.30.20"), truck("172.30.24"))
    assert {(each.kind, each.action) for each in found.changes} == {
        ("stack", Action.CHANGE),
        (CONTAINER, Action.REPLACE),
    }


def test_a_renamed_machine_is_one_change_with_all_that_is_made_from_it() -> None:
    """Guards against a machine that seems lost and another that seems new."""

    def truck(name: str) -> Snapshot:
        cable = link("T1-07", f"{name}:eno1", "switch-1:port7")
        made = (container(name), volume(name), service("relay", name))
        return state(node(name), cable, *made)

    found = compare(truck("edge-2"), truck("edge-4"))
    renamed = {each.kind: each for each in found.changes if each.action is Action.RENAME}
    assert set(renamed) == {"node", CONTAINER, VOLUME, "service"}
    assert renamed["node"].note.startswith("renamed from edge-2: ")
    assert {each.path for each in renamed["node"].unexpected} == {"slot", "management"}
    assert all(each.expected for each in renamed[CONTAINER].properties)
    assert len(found.changes) == len(renamed)


def test_two_machines_that_could_be_the_one_that_is_gone_are_asked_about() -> None:
    """Guards against a guess that an auditor takes for knowledge."""
    found = compare(state(node("edge-1")), state(node("edge-2"), node("edge-3")))
    assert Action.RENAME not in {each.action for each in found.changes}
    assert found.questions == ("node edge-1 is gone; it could now be any of edge-2, edge-3",)


def test_a_machine_with_another_task_is_another_machine() -> None:
    """Guards against a rename that is told where one thing replaced another."""
    before = state(node("edge-1"), service("relay", "edge-1"), service("broker", "edge-1"))
    web = node("web-1", rack_unit=None, ports=["eth0"], roles=["node_base", "web"])
    found = compare(before, state(web, service("race_centre", "web-1")))
    assert {each.action for each in found.changes} == {Action.ADD, Action.REMOVE}


def test_a_cable_in_another_port_has_moved() -> None:
    """Guards against two ports of one cable that are read as two cables."""
    before, after = (state(link("T1-07", "edge-2:eno1", f"switch-1:port{port}")) for port in (7, 9))
    assert only(compare(before, after)).note == "moved from switch-1 port7 to switch-1 port9"


def test_a_cable_with_another_label_is_the_same_cable() -> None:
    """Guards against a link that seems down because its label was printed anew."""
    before, after = (state(link(label, "edge-2:eno1", "switch-1:port7")) for label in ("T1-07", "T1-70"))
    assert only(compare(before, after)).action is Action.RENAME


def test_a_service_on_another_machine_has_moved_there() -> None:
    """Guards against a recorder that seems to be switched off."""
    machines = node("storage-1"), node("edge-1", roles=["x"])
    before, after = (state(*machines, service("recorder", where)) for where in ("storage-1", "edge-1"))
    assert only(compare(before, after)).note.startswith("renamed from recorder on storage-1")


def test_a_rotated_secret_is_told_by_its_digest() -> None:
    """Guards against `[secret]` → `[secret]`, which says nothing."""
    before, after = (state(item("etape:index:Bucket", "a", {"key": Secret(digest)})) for digest in ("a1b2", "c3d4"))
    (change,) = only(compare(before, after)).properties
    assert (change.before, change.after) == (Secret("a1b2"), Secret("c3d4"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Secret(""), Secret("a1b2")),
        (Unknown(), "anything"),
        (Reference(CONTAINER, "edge-1"), Reference(CONTAINER, "edge-1")),
        (Default("no"), None),
        (Default("no"), "no"),
        (None, []),
        (None, {}),
    ],
)
def test_what_cannot_be_known_or_was_not_asked_for_is_no_difference(before, after) -> None:
    """Guards against a difference that is only one of the sources."""
    first, second = (state(container("edge-1", some=value)) for value in (before, after))
    assert compare(first, second).changes == ()


def test_a_provider_that_filled_in_another_value_is_told() -> None:
    """Guards against drift in what nobody wrote down."""
    first, second = (state(container("edge-1", restart=Default(value))) for value in ("no", "always"))
    assert only(compare(first, second)).properties[0].path == "restart"


def test_a_state_without_its_model_is_compared_by_its_resources() -> None:
    """Guards against a whole estate that seems new because nobody kept how it was meant."""
    lost = Snapshot("then", "", (STAGE,), "", "", (container("edge-1"),))
    found = compare(lost, state(container("edge-1", image="sha256:2"), node("edge-1"), stacks=(STAGE,)))
    assert only(found).kind == CONTAINER


def test_a_state_compared_with_itself_is_all_the_same() -> None:
    """Guards against differences that come from how a state is read."""
    same = day(STAGE, 9, "2017-07-09", "Chambéry", service("relay", "gateway-1"), container("wan-1", CORE))
    found = compare(same, same)
    assert (found.changes, found.daily, found.folded, found.same) == ((), (), (), len(same.items))


def test_a_guard_that_is_put_on_makes_nothing_anew() -> None:
    """Guards against a lost volume that is announced where it was only protected."""
    found = compare(state(volume("edge-1")), state(changed(volume("edge-1"), protect=True)))
    assert only(found).action is Action.CHANGE


def test_the_plans_own_word_on_what_is_made_anew_counts() -> None:
    """Guards against a second opinion on what the engine has already computed."""
    before, after = state(container("edge-1")), state(container("edge-1", image="sha256:2"))
    known = Snapshot(after.title, "", after.stacks, "", "", after.items, replaced=frozenset())
    assert only(compare(before, known)).action is Action.CHANGE


def test_a_member_that_is_put_in_between_moves_no_other() -> None:
    """Guards against a list in which everything behind a new line seems changed."""
    ports = [{"internal": port, "external": port} for port in (80, 81, 82)]
    assert leaves({"ports": ports[1:]}).items() < leaves({"ports": ports}).items()
