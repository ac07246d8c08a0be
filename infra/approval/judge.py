"""Whether a change has to be approved, and whether an approval holds: the one place where both are decided.

A change needs an approval from the risk class on that people.yaml names, where it names an approver at all. An
approval of a change below R3 is the author's own word, signed; from R3 on somebody else with the role of an approver
has to have signed too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from infra.approval.digest import Covered, Difference, differences
from infra.approval.document import Approval, JudgedChange, Request, RiskName
from infra.estate.governance import Person, PersonRole
from infra.identity import APPROVAL, SignatureError, verify

FOUR_EYES_FROM = "R3"
"""From this risk class on the author alone is not enough; classes compare as their names do."""
_SHOWN = 5


class Need(StrEnum):
    """What a change needs before it may be carried out."""

    NOTHING = "nothing"
    """Its risk is below what people.yaml asks an approval for."""
    APPROVAL = "approval"
    IMPOSSIBLE = "impossible"
    """people.yaml names no approver, so that nobody could give one: it goes on, and says so."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an approval does not hold."""

    sentence: str
    remedy: str


def has_approver(people: Iterable[Person]) -> bool:
    """Whether anybody could approve; one whose keys have run out counts, for then nobody may pass unseen."""
    return any(PersonRole.APPROVER in person.roles for person in people)


def need(people: Iterable[Person], required_from: str, highest: str) -> Need:
    """What a change with that highest risk class needs."""
    if not has_approver(people):
        return Need.IMPOSSIBLE
    return Need.APPROVAL if highest >= required_from else Need.NOTHING


def signers(approval: Approval, people: Sequence[Person], at: datetime) -> tuple[list[Person], list[Objection]]:
    """Who has signed with a key that is valid at `at`, and what is wrong with the other signatures."""
    content, found, wrong = approval.request.signed_bytes(), [], []
    for number, signature in enumerate(approval.signatures, start=1):
        try:
            found.append(verify(content, signature.encode(), people, APPROVAL, at))
        except SignatureError as error:
            wrong.append(Objection(f"signature {number}: {error.sentence}", error.remedy))
    return found, wrong


def highest_of(changes: Iterable[JudgedChange]) -> RiskName:
    """The highest risk class of any change; R0 where nothing changes."""
    return max((change.risk for change in changes), default="R0")


def objections(
    approval: Approval, now: Covered, changes: Sequence[JudgedChange], people: Sequence[Person], at: datetime
) -> tuple[Objection, ...]:
    """Everything that keeps an approval from holding for what would happen now; empty where it holds.

    `changes` are judged now: what an approval file says of their risk is its author's word, and a stage that has
    gone live since makes each of them graver.
    """
    signed, wrong = signers(approval, people, at)
    return (
        *_changed(differences(approval.request.covered, now)),
        *_graver(approval.request, highest_of(changes)),
        *_too_late(approval.request, at),
        *wrong,
        *_author(approval.request, signed),
        *_second_pair_of_eyes(approval.request, changes, signed, people),
    )


def _changed(found: Iterable[Difference]) -> Iterable[Objection]:
    for part, group in groupby(found, key=lambda difference: difference.part):
        named = [f"{each.entry} was {each.what}" for each in group]
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        yield Objection(
            f"{part} is not what was approved: {', '.join(named[:_SHOWN])}{more}",
            "put it back as it was, or plan and approve what is there now",
        )


def _graver(request: Request, highest: RiskName) -> Iterable[Objection]:
    if highest > request.highest:
        yield Objection(
            f"it was approved as {request.highest} at most and is {highest} now", "plan and approve what it is now"
        )


def _too_late(request: Request, at: datetime) -> Iterable[Objection]:
    if request.expired(at):
        yield Objection(f"the approval was good until {request.expires:%Y-%m-%d %H:%M %Z}", "plan again")


def _author(request: Request, signed: Iterable[Person]) -> Iterable[Objection]:
    """A plan whose author has not signed it could name anybody as its author."""
    author = next((person for person in signed if person.name == request.author.name), None)
    if author is None:
        yield Objection(
            f"its author, {request.author.name}, has not signed it with a key of people.yaml",
            "plan with a key that people.yaml knows: `scripts/stage plan --key FILE`",
        )
    elif PersonRole.OPERATOR not in author.roles:
        yield Objection(f"its author, {author.name}, is not an operator", "have an operator plan it")


def _second_pair_of_eyes(
    request: Request, changes: Sequence[JudgedChange], signed: Iterable[Person], people: Iterable[Person]
) -> Iterable[Objection]:
    highest = max(request.highest, highest_of(changes))
    if highest < FOUR_EYES_FROM:
        return
    others = [person for person in signed if person.name != request.author.name]
    disabled = {person.name: _why_not(person, changes, people) for person in others}
    if any(reason is None for reason in disabled.values()):
        return
    known = ", ".join(f"{name} {reason}" for name, reason in disabled.items()) or "nobody else has signed it"
    yield Objection(
        f"it holds {highest} changes, which need an approver other than {request.author.name}: {known}",
        "have an approver run `scripts/stage approve FILE` with a key of people.yaml",
    )


def _why_not(person: Person, changes: Iterable[JudgedChange], people: Iterable[Person]) -> str | None:
    """Why a person's signature does not make a second pair of eyes; None where it does.

    Whoever a plan itself makes an approver has not been one: else an author could admit a second self. Only where
    the plan takes nobody away and no approver was there before, those whom it names first may approve it.
    """
    if PersonRole.APPROVER not in person.roles:
        return "is no approver"
    touched = {change.name: change.action for change in changes if change.kind == "person"}
    if person.name not in touched:
        return None
    before = [each for each in people if PersonRole.APPROVER in each.roles and each.name not in touched]
    founding = not before and set(touched.values()) == {"add"}
    return None if founding else "is made an approver by this very plan"
