"""Arrival: ask every node what it sees and judge it against the estate."""

import json
import time
from datetime import UTC, datetime

from infra.day.arrival import Finding, Observed, arrival_sheet, as_table
from infra.day.context import Day, layers
from infra.day.outcome import Failure, Refusal
from infra.day.shell import Answer, ask
from infra.day.verb import Verb, stack_of, takes_stack
from infra.durable import write_durably
from infra.estate.model import Estate

_FACTS = (
    "PYTHONPATH=/opt/etape/current /opt/etape/runtime/bin/python"
    " -m edge_agent --config /etc/etape/edge_agent.json --once"
)
_PATIENCE_S = 60.0
_PAUSE_S = 1.0


def check(day: Day, stack: str) -> None:
    """Print the arrival sheet of a stack and of its core; Failure where anything on it is bad."""
    estate = day.estate(stack)
    if not day.workspace.outputs(stack).exists():
        raise Refusal(f"{stack} is not up: it has no outputs", f"run `scripts/stage up {stack}`")
    findings = inspect(day, estate)
    day.progress.say(as_table(findings, datetime.now(UTC)))
    day.progress.result(findings=[_as_dict(finding) for finding in findings])
    bad = [str(finding.subject) for finding in findings if not finding.good]
    sheet = {"arrival.json": sheet_path(day, stack).read_bytes()}
    day.evidence.append("check", stack, {"findings": len(findings), "bad": bad}, sheet)
    _raise_for(findings, stack)


def inspect(day: Day, estate: Estate) -> tuple[Finding, ...]:
    """The arrival sheet of the estate and its core as of now; also written to ETAPE_HOME/evidence."""
    nodes = estate.everything("nodes")
    observed = {name: _observed(answer) for name, answer in ask(day.workspace, nodes, _FACTS).items()}
    findings = tuple(finding for layer in layers(estate) for finding in arrival_sheet(layer, observed))
    sheet = {"at": datetime.now(UTC).isoformat(), "findings": [_as_dict(finding) for finding in findings]}
    write_durably(sheet_path(day, estate.stack), json.dumps(sheet, indent=1))
    return findings


def sheet_path(day: Day, stack: str):
    """Where the newest arrival sheet of a stack is kept until the day's evidence takes it."""
    return day.workspace.home / "days" / f"{stack}.arrival"


def wait_for_arrival(day: Day, estate: Estate) -> None:
    """Inspect until everything is good; Failure with the bad findings when it does not come."""
    with day.progress.step("Arrival check: nodes, cables, addresses, clocks, uplink, services") as step:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            findings = inspect(day, estate)
            bad = [finding for finding in findings if not finding.good]
            if not bad:
                break
            day.progress.note(f"{len(bad)} not good yet: {bad[0].kind} {bad[0].subject}")
            if time.monotonic() > deadline:
                _raise_for(findings, estate.stack)
            time.sleep(_PAUSE_S)
        step.detail = f"{len(findings)} findings, all good"
        step.facts = {"findings": len(findings)}


def _observed(answer: Answer) -> Observed:
    if answer.error or answer.status != 0:
        return Observed({}, answer.error or f"its agent ended with {answer.status}")
    return Observed(json.loads(answer.out))


def _as_dict(finding: Finding) -> dict:
    return {
        "kind": finding.kind,
        "subject": finding.subject,
        "good": finding.good,
        "sentence": finding.sentence,
    }


def _raise_for(findings: tuple[Finding, ...], stack: str) -> None:
    bad = [finding for finding in findings if not finding.good]
    if bad:
        lines = [f"{finding.kind} {finding.subject}: {finding.sentence}" for finding in bad[:8]]
        more = [f"and {len(bad) - 8} more"] if len(bad) > 8 else []
        raise Failure(
            f"{len(bad)} of {len(findings)} findings of {stack} are bad:\n    " + "\n    ".join(lines + more),
            f"mend the first one, it is often the cause of the others, then `scripts/stage check {stack}`",
        )


VERB = Verb(
    "check",
    "the arrival sheet",
    "scripts/stage check",
    takes_stack,
    lambda day, options: check(day, stack_of(day, options)),
)
