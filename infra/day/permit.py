"""What stands before a change: an approval that holds, no need of one, or nobody who could give one.

Whatever the answer, it is in the evidence log before the first resource is touched.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.approval.digest import plan_hash
from infra.approval.document import Approval, ApprovalFileError, read_approval
from infra.approval.judge import Need, Objection, has_approver, need, objections
from infra.day.context import Day, layers
from infra.day.judging import Judge, judged
from infra.day.outcome import Refusal
from infra.day.planning import Planned, plan_end, plan_up
from infra.day.record import Record
from infra.estate.model import Estate
from infra.identity import operator

_NAMED = 3


@contextmanager
def permitted_up(
    day: Day, estate: Estate, wanted: Record, approved: Path | None, judge: Judge = judged
) -> Iterator[Mapping[str, Path]]:
    """Let an `up` begin, or Refusal; gives the files by stack to which Pulumi has to hold itself.

    Without an approver in the estate nothing is previewed: a day that needs no approval is as fast as ever.
    """
    if approved is None:
        if _can_be_approved(day, estate):
            _refuse_unapproved(day, estate, plan_up(day, estate, wanted, judge=judge))
        yield {}
        return
    with TemporaryDirectory(prefix="etape-plan-") as folder:
        bounds = {layer.stack: Path(folder, f"{layer.stack}.json") for layer in layers(estate)}
        approval = read(approved, "up", estate.stack)
        _hold(day, estate, approval, plan_up(day, estate, wanted, bounds, judge), approved)
        yield bounds


def permit_end(day: Day, core: Estate, approved: Path | None) -> None:
    """Let the end of a season begin, or Refusal: it takes away the season's core, which is R4."""
    if approved is not None:
        approval = read(approved, "down --core", core.stack)
        _hold(day, core, approval, plan_end(day, core), approved)
    elif _can_be_approved(day, core):
        _refuse_unapproved(day, core, plan_end(day, core))


def read(path: Path, verb: str, stack: str | None) -> Approval:
    """The approval in a file, for that verb and, where one is named, that stack; Refusal where it is none."""
    try:
        approval = read_approval(path)
    except ApprovalFileError as error:
        raise Refusal(str(error), "make it anew: `scripts/stage plan --output FILE`, then `approve`") from None
    request = approval.request
    if request.verb != verb or stack not in (None, request.stack):
        raise Refusal(
            f"{path} is about `{request.verb}` of {request.stack}, not about `{verb}`"
            + (f" of {stack}" if stack else ""),
            f"run `scripts/stage {request.verb} --approved {path}`, or plan what you want",
        )
    return approval


def _can_be_approved(day: Day, estate: Estate) -> bool:
    if has_approver(estate.people):
        return True
    reason = f"people.yaml of {estate.edition} names no approver"
    day.progress.say(f"  not approved: {reason}")
    day.evidence.append("approval", estate.stack, {"outcome": "not approved", "reason": reason})
    return False


def _refuse_unapproved(day: Day, estate: Estate, planned: Planned) -> None:
    facts = {"plan_hash": plan_hash(planned.covered), "risks": planned.risks, "highest": planned.highest}
    if need(estate.people, estate.approval.required_from, planned.highest) is Need.NOTHING:
        day.evidence.append("approval", estate.stack, {"outcome": "not needed", **facts})
        return
    day.evidence.append("approval", estate.stack, {"outcome": "refused", "reason": "no approval", **facts})
    grave = [change for change in planned.judged.changes if change.risk >= estate.approval.required_from]
    named = ", ".join(f"{change.action} {change.what} ({change.risk})" for change in grave[:_NAMED])
    more = f" and {len(grave) - _NAMED} more" if len(grave) > _NAMED else ""
    core = " --core" if planned.verb != "up" else ""
    raise Refusal(
        f"{planned.verb} of {estate.stack} holds changes from {estate.approval.required_from} on, which need an "
        f"approval: {named}{more}",
        f"`scripts/stage plan {estate.stack}{core} --output plan.json`, have it approved (`scripts/stage approve "
        f"plan.json`), then `scripts/stage {planned.verb} --approved plan.json`",
    )


def _hold(day: Day, estate: Estate, approval: Approval, planned: Planned, path: Path) -> None:
    """Refusal with all objections at once where the approval does not hold for what would happen now."""
    with day.progress.step("Hold the plan against its approval") as step:
        found = objections(approval, planned.covered, planned.judged.changes, estate.people, datetime.now(UTC))
        facts = {
            "outcome": "refused" if found else "holds",
            "reasons": [each.sentence for each in found],
            "operator": operator(day.workspace, estate.people).name,
            "author": approval.request.author.name,
            "approved_hash": approval.request.plan_hash,
            "plan_hash": plan_hash(planned.covered),
            "risks": dict(approval.request.risks),
        }
        day.evidence.append("approval", estate.stack, facts, {"approval.json": path.read_bytes()})
        if found:
            raise Refusal(f"the approval in {path} does not hold:\n{_listed(found)}", _remedies(found))
        step.detail = f"{planned.highest} at most, plan {approval.request.plan_hash[:12]}"
        step.facts = {"plan_hash": approval.request.plan_hash}


def _listed(found: tuple[Objection, ...]) -> str:
    return "\n".join(f"  - {each.sentence}" for each in found)


def _remedies(found: tuple[Objection, ...]) -> str:
    """Each remedy once, that of most objections first."""
    return "; ".join(remedy for remedy, _ in Counter(each.remedy for each in found).most_common())
