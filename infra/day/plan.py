"""What `up` would do, judged by risk; with `--output` as a file that is approved and then carried out exactly."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.approval.digest import plan_hash
from infra.approval.document import Approval, ApprovalFileError, Author, Request, write_approval
from infra.approval.judge import FOUR_EYES_FROM, Need, need
from infra.day.approve import as_text
from infra.day.context import Day, read_estate
from infra.day.only_one import only_one
from infra.day.outcome import Refusal
from infra.day.planning import Planned, plan_end, plan_up, season_alone
from infra.day.up import Wish, race_speed, wanted
from infra.day.verb import Verb, stack_of
from infra.durable import write_durably
from infra.estate.model import Estate
from infra.identity import APPROVAL, SignatureError, identity_of, public_half, sign, signing_key
from infra.review.report.formats import render
from infra.review.report.terminal import first_page
from infra.review.review import canonical, content_hash

_LONGEST_H = 168


def plan(day: Day, wish: Wish, options: Namespace) -> None:
    """Print the plan, and write it where `--output` says. Changes nothing."""
    record = wanted(day, wish)
    estate = read_estate(record.stack, record.scale, record.demand)
    key = signing_key(day.workspace, options.key)
    author = _author(estate, key)
    with only_one(day.workspace):
        end, why = options.core, options.why
        planned = plan_end(day, season_alone(estate)) if end else plan_up(day, estate, record, why=why)
    _refuse_against_policy(day, planned)
    request, review = _request(planned, author, options), planned.judged.review
    if review:
        day.progress.say(first_page(review, content_hash(review), sys.stdout.isatty()) + "\n")
    day.progress.say(as_text(request))
    if options.output:
        _write(day, _signed(request, key), review, options.output)
        day.progress.say(_next(planned, options.output))
    day.progress.result(
        stack=request.stack,
        plan_hash=request.plan_hash,
        risks=dict(request.risks),
        changes=[change.model_dump() for change in request.changes],
        review=request.review,
        output=str(options.output) if options.output else None,
    )


def _author(estate: Estate, key: Path) -> Author:
    """Whose key it is. Refusal where it is none, before anything takes time."""
    try:
        found = identity_of(public_half(key), estate.people)
    except SignatureError as error:
        raise Refusal(error.sentence, error.remedy) from None
    return Author(name=found.name, fingerprint=found.fingerprint)


def _write(day: Day, approval: Approval, review: Mapping[str, Any] | None, output: Path) -> None:
    """The plan where `--output` says, its review as a page beside it, both as evidence."""
    request, page = approval.request, output.with_suffix(".html")
    try:
        write_approval(output, approval)
        if review:
            write_durably(page, render(review, "html"))
    except (ApprovalFileError, OSError) as error:
        raise Refusal(f"the plan is not kept: {error}", "name a file that you may write: `--output FILE`") from None
    files = {"approval.json": output.read_bytes()}
    if review:
        files["review.json"] = canonical(review)
        day.progress.say(f"Page       {page}, for whoever approves it")
    facts = {"outcome": "planned", "plan_hash": request.plan_hash, "risks": dict(request.risks), "why": request.why}
    day.evidence.append("approval", request.stack, facts, files)


def _refuse_against_policy(day: Day, planned: Planned) -> None:
    """What no approval could carry out is not offered for one."""
    refused = [str(finding) for plan in planned.plans for finding in plan.refused]
    if refused:
        stack = planned.layers[-1].stack
        day.evidence.append("policy", stack, {"outcome": "refused", "of": "plan", "findings": refused})
        told = "\n".join(f"  - {finding}" for finding in refused)
        raise Refusal(f"policies refuse this plan:\n{told}", "mend what is named, or have it waived for a time")


def _request(planned: Planned, author: Author, options: Namespace) -> Request:
    estate, review = planned.layers[-1], planned.judged.review
    now = datetime.now(UTC).replace(microsecond=0)
    return Request(
        verb=planned.verb,
        stack=estate.stack,
        scale=planned.wanted.scale,
        demand=planned.wanted.demand,
        speed=planned.wanted.speed,
        plan_hash=plan_hash(planned.covered),
        covers=planned.covered.as_dict(),
        risks=planned.risks,
        changes=planned.judged.changes,
        review=content_hash(review) if review else None,
        why=options.why,
        author=author,
        requested_at=now,
        expires=now + timedelta(hours=options.hours or estate.approval.valid_hours),
    )


def _signed(request: Request, key: Path) -> Approval:
    try:
        signature = sign(request.signed_bytes(), key, APPROVAL)
    except SignatureError as error:
        raise Refusal(error.sentence, error.remedy) from None
    return Approval(request=request, signatures=(signature.decode(),))


def _next(planned: Planned, output: Path) -> str:
    estate = planned.layers[-1]
    carry_out = f"`scripts/stage {planned.verb} --approved {output}`"
    match need(estate.people, estate.approval.required_from, planned.highest):
        case Need.IMPOSSIBLE:
            return f"Nobody can approve it: people.yaml of {estate.edition} names no approver. It needs no approval."
        case Need.APPROVAL if planned.highest >= FOUR_EYES_FROM:
            return f"Next: an approver other than you runs `scripts/stage approve {output}`, then {carry_out}"
        case _:
            return f"Next: {carry_out}"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("stack", nargs="?", help="default: the one that is up")
    parser.add_argument("--output", type=Path, help="write the plan here, to be approved")
    parser.add_argument("--why", default="", help="the reason, for whoever approves it and for the evidence")
    parser.add_argument("--scale", choices=("small", "full"), help="how many cloud servers")
    parser.add_argument("--speed", type=race_speed, help="race seconds in a second")
    parser.add_argument("--core", action="store_true", help="plan the end of the season: `down --core`")
    parser.add_argument("--key", type=Path, help="SSH key of its author; default: the operator's in ETAPE_HOME")
    parser.add_argument("--hours", type=_hours, help="how long it is good; default: as edition.yaml says")


def _hours(text: str) -> int:
    hours = int(text)
    if not 1 <= hours <= _LONGEST_H:
        raise ArgumentTypeError(f"a plan is good for 1 to {_LONGEST_H} hours")
    return hours


def _run(day: Day, options: Namespace) -> None:
    plan(day, Wish(stack_of(day, options), options.scale, options.speed), options)


VERB = Verb("plan", "what up would do, to be approved", "scripts/stage plan --output plan.json", _arguments, _run)
