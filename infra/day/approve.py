"""Sign a plan of somebody else, after reading what it does and seeing that one's own checkout is what was planned."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from infra.approval.covering import read_sources
from infra.approval.digest import Covered, differences
from infra.approval.document import Approval, ApprovalFileError, Request, read_approval, write_approval
from infra.approval.judge import FOUR_EYES_FROM
from infra.day.context import Day, layers, read_estate
from infra.day.outcome import Refusal
from infra.day.verb import Verb, confirm
from infra.estate.governance import Person, PersonRole
from infra.estate.model import Demand, Estate
from infra.identity import APPROVAL, SignatureError, fingerprint, owner_of, public_half, sign, signing_key, verify

_SHOWN = 5
_TOLD_FROM = "R2"
ReadEstate = Callable[[str, str, Demand], Estate]


def approve(day: Day, path: Path, key: Path, ask: Callable[[str], None], read: ReadEstate = read_estate) -> None:
    """Show what the plan in `path` covers, then sign it with `key`; `ask` raises where nobody agrees."""
    try:
        approval = read_approval(path)
    except ApprovalFileError as error:
        raise Refusal(str(error), "ask its author for the whole file: `scripts/stage plan --output FILE`") from None
    request = approval.request
    people = _same_checkout(day, request, read)
    approver = _approver(request, people, key)
    if request.expired(datetime.now(UTC)):
        raise Refusal(f"the plan was good until {request.expires:%Y-%m-%d %H:%M %Z}", "ask its author to plan again")
    day.progress.say(as_text(request))
    ask(f"Sign this plan as {approver.name}?")
    signed = _signed(approval, key, people)
    try:
        write_approval(path, signed)
    except ApprovalFileError as error:
        raise Refusal(str(error), "make the file writable, then sign again") from None
    facts = {
        "outcome": "signed",
        "approver": approver.name,
        "author": request.author.name,
        "plan_hash": request.plan_hash,
        "risks": dict(request.risks),
        "why": request.why,
    }
    day.evidence.append("approval", request.stack, facts, {"approval.json": path.read_bytes()})
    day.progress.say(f"Signed. Next: `scripts/stage {request.verb} --approved {path}`")
    day.progress.result(approval=str(path), approver=approver.name, plan_hash=request.plan_hash)


def as_text(request: Request) -> str:
    """What is signed, for whoever signs: everything but the digests by entry, whose hash is there."""
    counts = "  ".join(f"{risk} {count}" for risk, count in request.risks.items())
    told = [change for change in request.changes if change.risk >= _TOLD_FROM]
    quiet = len(request.changes) - len(told)
    return "\n".join(
        [
            f"Plan       {request.verb} of {request.stack} ({request.scale}, race speed {request.speed:g})",
            f"Why        {request.why or 'not said'}",
            f"Author     {request.author.name}  {request.author.fingerprint}",
            f"Made       {request.requested_at:%Y-%m-%d %H:%M %Z}, good until {request.expires:%Y-%m-%d %H:%M %Z}",
            f"Risk       {counts}",
            *(f"  {each.risk}  {each.action:<8} {each.what}  {each.reason}".rstrip() for each in told),
            *([f"  and {quiet} changes below {_TOLD_FROM}, which the review lists"] if quiet else []),
            f"Review     {request.review or 'none: everything of the season is taken away'}",
            f"Covers     {', '.join(f'{len(entries)} of {part}' for part, entries in request.covers.items())}",
            f"Plan hash  {request.plan_hash}",
        ]
    )


def _same_checkout(day: Day, request: Request, read: ReadEstate) -> tuple[Person, ...]:
    """The people of this checkout's estate; Refusal where it is another program, model or policy than the plan's."""
    estate = read(request.stack, request.scale, request.demand)
    tiers = layers(estate) if request.verb == "up" else (estate,)
    sources, planned = read_sources(day.workspace.root, tiers), request.covered
    here = Covered(sources.program, sources.model, planned.config, sources.policy, planned.engine, planned.steps)
    found = differences(planned, here)
    if found:
        named = "\n".join(f"  - {each}" for each in found[:_SHOWN])
        more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Refusal(
            f"this checkout is not the one that was planned:\n{named}{more}",
            "check out the author's revision and review it, then approve",
        )
    return estate.people


def _approver(request: Request, people: tuple[Person, ...], key: Path) -> Person:
    """Whose key it is; Refusal where that person may not approve this plan."""
    try:
        public = public_half(key)
    except SignatureError as error:
        raise Refusal(error.sentence, error.remedy) from None
    owner = owner_of(fingerprint(public), people)
    if owner is None:
        raise Refusal(
            f"nobody in people.yaml has the key {fingerprint(public)} of {key}: what it signs would count for nothing",
            "sign with a key that is there (`--key FILE`), or have these lines added under `people:` and reviewed:\n"
            f"  - name: YOUR-FUNCTION\n    roles: [approver]\n    keys:\n      - public: {public}",
        )
    person = owner[0]
    if PersonRole.APPROVER not in person.roles:
        raise Refusal(f"{person.name} is no approver in people.yaml", "have an approver sign")
    if person.name == request.author.name and request.highest >= FOUR_EYES_FROM:
        raise Refusal(
            f"{person.name} made this plan, and its {request.highest} changes need another pair of eyes",
            "have another approver sign",
        )
    return person


def _signed(approval: Approval, key: Path, people: tuple[Person, ...]) -> Approval:
    """With one signature more, which is verified as `up --approved` will; Refusal where it would not count."""
    content = approval.request.signed_bytes()
    try:
        signature = sign(content, key, APPROVAL)
        verify(content, signature, people, APPROVAL, datetime.now(UTC))
    except SignatureError as error:
        raise Refusal(error.sentence, error.remedy) from None
    return approval.model_copy(update={"signatures": (*approval.signatures, signature.decode())})


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("plan", type=Path, help="the file that `scripts/stage plan --output` wrote")
    parser.add_argument("--key", type=Path, help="SSH key to sign with; default: the operator's in ETAPE_HOME")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(day: Day, options: Namespace) -> None:
    approve(
        day,
        options.plan,
        signing_key(day.workspace, options.key),
        lambda question: confirm(options, question, "approve"),
    )


VERB = Verb("approve", "sign a plan of somebody else", "scripts/stage approve plan.json", _arguments, _run)
