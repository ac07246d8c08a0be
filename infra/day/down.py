"""Take a stack away and lose nothing: drain, prove, export, destroy."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.day import injected
from infra.day.access import forget_access
from infra.day.check import sheet_path
from infra.day.context import Day, health_address, season
from infra.day.evidence import close_season, deliver, keep_season
from infra.day.only_one import only_one
from infra.day.outcome import Failure, Refusal
from infra.day.permit import permit_end
from infra.day.planning import season_alone
from infra.day.playbook import run_playbook
from infra.day.record import Phase, Record
from infra.day.shell import ask
from infra.day.verb import Verb, confirm, stack_of, takes_stack
from infra.day.witness import checkpoint
from infra.estate.model import Estate, Layer
from infra.evidence.chain import canonical

_END = "This destroys the season's core; its archive and evidence are copied to this machine first."
_LOSS = "Nothing is drained, proven or kept: readings that only the estate holds are lost."


@dataclass(frozen=True)
class Terms:
    """What the operator takes upon himself."""

    abandon: bool = False
    """Give up what the truck holds and the cloud does not: for a lab whose machines are dead."""
    evidence_later: bool = False
    """Go on without a store that does not take the evidence: this machine has the only copy until it does."""


def down(day: Day, stack: str, terms: Terms = Terms()) -> None:
    """Take a stage down; safe to run again after it was stopped anywhere."""
    estate = day.estate(stack)
    if estate.layer is Layer.CORE:
        raise Refusal(f"{stack} lives a season", "end the season with `scripts/stage down --core`")
    with only_one(day.workspace):
        _take_down(day, estate, terms)


def down_season(day: Day, stack: str, terms: Terms = Terms(), approved: Path | None = None) -> None:
    """Take a stage down and then its core, with everything that the core keeps.

    `approved` is the approval file that it is held to.
    """
    stage = day.estate(stack)
    with only_one(day.workspace):
        permit_end(day, season_alone(stage), approved)
        for record in day.records.up():
            if not record.stack.endswith("-core"):
                _take_down(day, day.estate(record.stack), terms)
        _end_season(day, season(stage), terms)


def _take_down(day: Day, estate: Estate, terms: Terms) -> None:
    record = day.records.read(estate.stack)
    if not terms.abandon and record.phase in (Phase.DEPLOYING, Phase.LIVE, Phase.DRAINING):
        _drain_and_export(day, estate, record, terms)
    _destroy(day, estate)


def _end_season(day: Day, core: Estate, terms: Terms) -> None:
    phase = day.records.read(core.stack).phase
    if not terms.abandon and phase in (Phase.DEPLOYING, Phase.LIVE):
        _export(day, core)
        deliver(day, core, terms.evidence_later)
        keep_season(day, core)
    _destroy(day, core)
    if phase is not Phase.DOWN:
        close_season(day, core)


def _drain_and_export(day: Day, estate: Estate, record: Record, terms: Terms) -> None:
    day.records.write(record.model_copy(update={"phase": Phase.DRAINING}))
    day.tell(estate, "draining", "producers stop, the backlog goes to the cloud")
    if _has_raced(day, estate):
        with day.progress.step("Drain: producers stop, backlog reaches the cloud"):
            run_playbook(day.workspace, "drain", (estate.stack,), day.progress.note)
        _prove(day, estate)
    else:
        day.progress.say("  nothing was recorded on the truck: there is nothing to drain")
        day.evidence.append("drain", estate.stack, {"outcome": "nothing was recorded", "readings": 0})
    exported = _export(day, estate)
    deliver(day, estate, terms.evidence_later)
    day.records.write(record.model_copy(update={"phase": Phase.DRAINED, "evidence": exported}))


def _has_raced(day: Day, estate: Estate) -> bool:
    """Whether the truck's recorder was ever started: a deploy that was stopped early has no data to lose."""
    storage = next(service.node for service in estate.services if service.name == "recorder")
    answer = ask(day.workspace, [estate.node(storage)], "ls /var/lib/etape/recorder 2>/dev/null | head -1; echo asked")
    seen = answer[storage]
    if "asked" not in seen.out:
        raise Failure(
            f"{storage} cannot be asked whether it holds readings: {seen.error}",
            f"bring it back with `scripts/stage up {estate.stack}`, then take the stage down",
        )
    return seen.out.strip() != "asked"


def _prove(day: Day, estate: Estate) -> None:
    """Fetch both manifests, compare and keep them; Failure where they differ, and nothing is destroyed."""
    with day.progress.step("Prove: manifests of truck and cloud") as step:
        truck, cloud = _manifest(estate, "recorder"), _manifest(estate, "archive")
        counts = {"readings": truck["readings"], "devices": len(truck["devices"]), "archived": cloud["readings"]}
        outcome = "equal at both ends" if truck == cloud else "the ends differ"
        manifests = {"truck.json": canonical(truck), "cloud.json": canonical(cloud)}
        day.evidence.append("drain", estate.stack, {"outcome": outcome, **counts}, manifests)
        if truck != cloud:
            differing = sorted(
                device
                for device in {*truck["devices"], *cloud["devices"]}
                if truck["devices"].get(device) != cloud["devices"].get(device)
            )
            raise Failure(
                f"the truck recorded {truck['readings']} readings and the cloud archived {cloud['readings']};"
                f" {len(differing)} device(s) differ, first {differing[:5]}: nothing is destroyed",
                f"find what keeps them apart with `scripts/stage check {estate.stack}`, then run this again",
            )
        step.detail = f"{truck['readings']} readings of {len(truck['devices'])} devices, equal at both ends"
        step.facts = {"readings": truck["readings"], "devices": len(truck["devices"])}


def _manifest(estate: Estate, service: str) -> dict:
    url = f"http://{health_address(estate, service)}/manifest"
    try:
        return httpx.get(url, timeout=30).raise_for_status().json()
    except httpx.HTTPError as error:
        raise Failure(
            f"{service} does not give its manifest at {url}: {error}",
            f"see `scripts/stage check {estate.stack}`, then run this again",
        ) from None


def _export(day: Day, estate: Estate) -> str:
    """What stands now goes into the log; the number of its entry there."""
    sheet = sheet_path(day, estate.stack)
    files = {
        "arrival.json": sheet.read_bytes() if sheet.exists() else b"{}",
        "checkpoint.json": checkpoint(day.workspace, estate.stack),
        "steps.json": canonical({"steps": day.progress.steps}),
    }
    entry = day.evidence.append("export", estate.stack, {"phase": day.records.read(estate.stack).phase}, files)
    return f"{estate.stack}/{entry.seq}"


def _destroy(day: Day, estate: Estate) -> None:
    record = day.records.read(estate.stack)
    tell = estate.layer is Layer.STAGE and record.phase is not Phase.DOWN
    if tell:
        day.tell(estate, "de-rig", "machines and cables are being taken away")
    with day.progress.step(f"Destroy {estate.stack}") as step:
        day.engine.recover(estate.stack)
        if estate.layer is Layer.CORE:
            day.engine.unprotect(estate.stack)
        changes = day.engine.destroy(estate.stack, day.progress.note)
        step.detail, step.facts = str(changes), {"changes": changes.as_dict()}
    with day.progress.step(f"Look for anything that {estate.stack} left behind"):
        left = day.engine.remains(estate.stack)
        if left:
            raise Failure(f"still there: {', '.join(left)}", f"run `scripts/stage down {estate.stack}` again")
    forget_access(day.workspace, estate.stack)
    if estate.layer is Layer.STAGE:
        injected.forget(day.workspace)
    day.records.write(record.model_copy(update={"phase": Phase.DOWN}))
    if tell:
        day.tell(estate, "down", f"{estate.stack} is gone")


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("--core", action="store_true", help="end the season: the core goes too")
    parser.add_argument("--abandon", action="store_true", help="give up undrained data: the machines are dead")
    parser.add_argument("--approved", type=Path, metavar="FILE", help="with --core: the approved plan of the end")
    parser.add_argument("--evidence-later", action="store_true", help="go on where the store does not take evidence")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(day: Day, options: Namespace) -> None:
    if options.approved and not options.core:
        raise Refusal("only the end of a season is approved", "leave out `--approved`, or add `--core`")
    if options.core or options.abandon:
        confirm(options, _LOSS if options.abandon else _END)
    terms = Terms(options.abandon, options.evidence_later)
    if options.core:
        down_season(day, stack_of(day, options), terms, options.approved)
    else:
        down(day, stack_of(day, options), terms)


VERB = Verb("down", "drain, prove, export, destroy", "scripts/stage down", _arguments, _run)
