"""Plans to approve."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from infra.approval.digest import Covered, Part, plan_hash
from infra.approval.document import Approval, Author, JudgedChange, Request
from infra.identity import APPROVAL, fingerprint, sign
from tests.approval.keys import Pair

NOON = datetime(2017, 7, 9, 12, tzinfo=UTC)
COVERED = Covered(
    program={"infra/program.py": "1"},
    model={"2017-s09 nodes edge-1": "2"},
    config={"2017-s09 scale": "small"},
    policy={"infra/policy/rules.py": "3"},
    engine={"pulumi": "3.259.0"},
    steps={"2017-s09 update urn:edge-1": "4"},
)


def with_change(part: Part, covered: Covered = COVERED) -> Covered:
    """What is covered, with the first entry of a part changed."""
    first = next(iter(covered.part(part)))
    return replace(covered, **{part.value: {**covered.part(part), first: "changed"}})


def change(action: str, kind: str, name: str, risk: str = "R3") -> JudgedChange:
    """One line of what would change."""
    return JudgedChange(risk=risk, action=action, kind=kind, name=name, stack="2017-s09", reason="another image")


def request(author: str, pair: Pair, risk: str = "R3", covered: Covered = COVERED, at: datetime = NOON) -> Request:
    """A plan with one change of that risk, good for a day."""
    return Request(
        verb="up",
        stack="2017-s09",
        scale="small",
        demand="race",
        speed=1.0,
        plan_hash=plan_hash(covered),
        covers=covered.as_dict(),
        risks={risk: 1},
        changes=(change("replace", "Container", "edge-1", risk),),
        review="0" * 64,
        why="a mended image",
        author=Author(name=author, fingerprint=fingerprint(pair.public)),
        requested_at=at,
        expires=at + timedelta(hours=24),
    )


def signed(request: Request, *pairs: Pair) -> Approval:
    """The request with a signature by each pair."""
    content = request.signed_bytes()
    return Approval(request=request, signatures=tuple(sign(content, pair.private, APPROVAL).decode() for pair in pairs))
