"""Whether an approval holds, with real signatures of throwaway keys."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from infra.approval.digest import Part
from infra.approval.document import Approval, ApprovalFileError, read_approval, write_approval
from infra.approval.judge import Need, need, objections
from infra.estate.governance import Person, PersonRole
from tests.approval.keys import Pair, make_key, person
from tests.approval.requests import COVERED, NOON, change, request, signed, with_change

AUTHOR, APPROVER, AUDITOR = "truck-operations", "network-operations", "audit"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in (AUTHOR, APPROVER, AUDITOR, "stranger")}


@pytest.fixture(scope="module")
def people(pairs: dict[str, Pair]) -> tuple[Person, ...]:
    return (
        person(AUDITOR, pairs[AUDITOR], PersonRole.AUDITOR),
        person(APPROVER, pairs[APPROVER], PersonRole.APPROVER),
        person(AUTHOR, pairs[AUTHOR], PersonRole.OPERATOR, PersonRole.APPROVER),
    )


def told(approval: Approval, people: tuple[Person, ...], now=COVERED, at=NOON, changes=None) -> list[str]:
    judged = approval.request.changes if changes is None else changes
    return [each.sentence for each in objections(approval, now, judged, people, at)]


@pytest.mark.parametrize("risk", ["R3", "R4"])
def test_author_and_another_approver_carry_a_dangerous_plan(pairs, people, risk) -> None:
    """The way that is meant to work has to."""
    assert told(signed(request(AUTHOR, pairs[AUTHOR], risk), pairs[AUTHOR], pairs[APPROVER]), people) == []


@pytest.mark.parametrize("risk", ["R3", "R4"])
def test_an_author_does_not_approve_own_danger_even_as_an_approver(pairs, people, risk) -> None:
    """Two signatures of one pair of eyes are one."""
    approval = signed(request(AUTHOR, pairs[AUTHOR], risk), pairs[AUTHOR], pairs[AUTHOR])
    assert told(approval, people) == [
        f"it holds {risk} changes, which need an approver other than truck-operations: nobody else has signed it"
    ]


def test_a_second_key_of_the_author_is_not_a_second_person(pairs, people, tmp_path: Path) -> None:
    """Somebody with a key in the drawer would otherwise be two."""
    spare = make_key(tmp_path, "spare")
    *others, author = people
    two_keys = (*others, replace(author, keys=(*author.keys, *person("x", spare).keys)))
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], spare)
    assert told(approval, two_keys) == [
        "it holds R3 changes, which need an approver other than truck-operations: nobody else has signed it"
    ]


def test_somebody_without_the_role_does_not_approve(pairs, people) -> None:
    """An auditor's signature is valid and worth nothing here."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[AUDITOR])
    assert told(approval, people) == [
        "it holds R3 changes, which need an approver other than truck-operations: audit is no approver"
    ]


@pytest.mark.parametrize("risk", ["R0", "R1", "R2"])
def test_the_authors_own_word_is_enough_below_r3(pairs, people, risk) -> None:
    """Daily changes may not wait for somebody on another continent."""
    assert told(signed(request(AUTHOR, pairs[AUTHOR], risk), pairs[AUTHOR]), people) == []


def test_an_author_does_not_say_how_grave_the_own_plan_is(pairs, people) -> None:
    """A file that calls a replacement R1 would need nobody else; a stage that went live since makes it graver too."""
    approval = signed(request(AUTHOR, pairs[AUTHOR], "R1"), pairs[AUTHOR])
    assert told(approval, people, changes=(change("replace", "Container", "edge-1", "R3"),)) == [
        "it was approved as R1 at most and is R3 now",
        "it holds R3 changes, which need an approver other than truck-operations: nobody else has signed it",
    ]


def test_a_plan_without_its_authors_signature_is_refused(pairs, people) -> None:
    """Anybody could write another's name as its author and then approve it."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[APPROVER])
    assert told(approval, people) == ["its author, truck-operations, has not signed it with a key of people.yaml"]


def test_an_author_who_is_no_operator_is_refused(pairs, people) -> None:
    """Who may sign others' plans may not make plans by that."""
    approval = signed(request(APPROVER, pairs[APPROVER], "R1"), pairs[APPROVER])
    assert told(approval, people) == ["its author, network-operations, is not an operator"]


@pytest.mark.parametrize("action", ["add", "change"])
def test_nobody_approves_the_plan_that_makes_them_an_approver(pairs, people, action) -> None:
    """An author could otherwise admit a second self and sign as that."""
    asked = request(AUTHOR, pairs[AUTHOR]).model_copy(update={"changes": (change(action, "person", APPROVER),)})
    assert told(signed(asked, pairs[AUTHOR], pairs[APPROVER]), people) == [
        "it holds R3 changes, which need an approver other than truck-operations: "
        "network-operations is made an approver by this very plan"
    ]


def test_the_first_people_of_an_estate_may_approve_that_they_are(pairs, people) -> None:
    """Nobody is there before them; what takes others away is no beginning."""
    first = tuple(change("add", "person", name) for name in (AUTHOR, APPROVER))
    asked = request(AUTHOR, pairs[AUTHOR]).model_copy(update={"changes": first})
    assert told(signed(asked, pairs[AUTHOR], pairs[APPROVER]), people) == []
    usurping = asked.model_copy(update={"changes": (*first, change("remove", "person", "the-one-before"))})
    (sentence,) = told(signed(usurping, pairs[AUTHOR], pairs[APPROVER]), people)
    assert sentence.endswith("is made an approver by this very plan")


@pytest.mark.parametrize("part", Part)
def test_whatever_changed_since_is_named(pairs, people, part) -> None:
    """Whoever is refused has to know what to look at."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[APPROVER])
    entry = next(iter(COVERED.part(part)))
    assert told(approval, people, now=with_change(part)) == [f"{part} is not what was approved: {entry} was changed"]


def test_many_differences_are_told_in_one_sentence_a_part(pairs, people) -> None:
    """Five hundred steps in a refusal hide the one that counts."""
    now = replace(COVERED, program={**COVERED.program, **{f"p{number}": "" for number in range(9)}})
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[APPROVER])
    assert told(approval, people, now=now) == [
        "program is not what was approved: "
        "p0 was added, p1 was added, p2 was added, p3 was added, p4 was added and 4 more"
    ]


@pytest.mark.parametrize(("hours", "good"), [(0, True), (23.9, True), (24, False)])
def test_an_approval_ends(pairs, people, hours, good) -> None:
    """What was right for one town's evening is not for another's morning."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[APPROVER])
    expected = [] if good else ["the approval was good until 2017-07-10 12:00 UTC"]
    assert told(approval, people, at=NOON + timedelta(hours=hours)) == expected


def test_an_approver_whose_key_has_run_out_does_not_count(pairs, people) -> None:
    """Somebody who has left still holds the key."""
    late = tuple(
        replace(each, keys=(replace(each.keys[0], valid_until=date(2017, 7, 8)),)) if each.name == APPROVER else each
        for each in people
    )
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[APPROVER])
    first, second = told(approval, late)
    assert "the key of network-operations" in first
    assert "is not valid at 2017-07-09" in first
    assert second.endswith("nobody else has signed it")


def test_a_strangers_signature_is_named_beside_what_is_missing(pairs, people) -> None:
    """A signature that counts for nothing must not look as if it did."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs["stranger"])
    first, second = told(approval, people)
    assert first.startswith("signature 2: it is signed with the key SHA256:")
    assert second.endswith("nobody else has signed it")


def test_what_was_changed_in_the_file_after_signing_is_refused(pairs, people) -> None:
    """A later end or another reason is another approval."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[APPROVER])
    later = approval.request.model_copy(update={"expires": NOON + timedelta(days=365)})
    sentences = told(approval.model_copy(update={"request": later}), people)
    assert [each.partition(":")[0] for each in sentences[:2]] == ["signature 1", "signature 2"]
    assert all("does not fit" in each for each in sentences[:2])


def test_a_file_read_back_is_what_was_written_and_still_signed(pairs, people, tmp_path: Path) -> None:
    """Times and numbers that JSON writes in another way would spoil every signature."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR], pairs[APPROVER])
    write_approval(tmp_path / "plan.json", approval)
    assert read_approval(tmp_path / "plan.json") == approval
    assert told(read_approval(tmp_path / "plan.json"), people) == []


def test_what_is_signed_can_be_made_from_the_file_alone(pairs, tmp_path: Path) -> None:
    """An auditor verifies with ssh-keygen and standard Python, without any code of ours (docs/approval.md)."""
    approval = signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR])
    write_approval(tmp_path / "plan.json", approval)
    raw = json.loads((tmp_path / "plan.json").read_text())["request"]
    assert json.dumps(raw, sort_keys=True, separators=(",", ":")).encode() == approval.request.signed_bytes()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data["request"]["covers"]["model"].update(x="1"), "plan_hash: is not the hash of what"),
        (lambda data: data["request"]["covers"].pop("policy"), "the parts of a plan are not all there"),
        (lambda data: data["request"].update(risk="none"), "request.risk: Extra inputs are not permitted"),
        (lambda data: data["request"].update(expires="tomorrow"), "request.expires: "),
    ],
)
def test_a_file_that_was_changed_by_hand_is_told_by_field(pairs, tmp_path: Path, spoil, says) -> None:
    """A tampered file is a sentence, not a traceback and not a pass."""
    path = tmp_path / "plan.json"
    write_approval(path, signed(request(AUTHOR, pairs[AUTHOR]), pairs[AUTHOR]))
    data = json.loads(path.read_text())
    spoil(data)
    path.write_text(json.dumps(data))
    with pytest.raises(ApprovalFileError) as error:
        read_approval(path)
    assert says in str(error.value)


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_a_file_that_is_no_approval_is_told(tmp_path: Path, content: str | None) -> None:
    """A missing or truncated file is the operator's slip, not ours to crash on."""
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ApprovalFileError, match="plan.json"):
        read_approval(path)


@pytest.mark.parametrize(
    ("required_from", "highest", "expected"),
    [
        ("R3", "R2", Need.NOTHING),
        ("R3", "R3", Need.APPROVAL),
        ("R3", "R4", Need.APPROVAL),
        ("R1", "R1", Need.APPROVAL),
        ("R1", "R0", Need.NOTHING),
    ],
)
def test_the_estate_says_from_which_risk_on_a_change_needs_an_approval(
    people, required_from, highest, expected
) -> None:
    """One class too low stops every day; one too high lets the truck be replaced unseen."""
    assert need(people, required_from, highest) is expected


def test_without_an_approver_nothing_can_be_approved(people) -> None:
    """An empty list of people may stop nobody, and may not look like an approval either."""
    operators = tuple(each for each in people if PersonRole.APPROVER not in each.roles)
    assert need(operators, "R3", "R4") is Need.IMPOSSIBLE
