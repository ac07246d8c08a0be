"""Take a stack away and lose nothing: drain, prove, export, destroy."""

import json
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

import httpx

from infra.day import evidence, injected
from infra.day.access import forget_access
from infra.day.check import sheet_path
from infra.day.context import Day, health_address, season
from infra.day.only_one import only_one
from infra.day.outcome import Failure, Refusal
from infra.day.playbook import run_playbook
from infra.day.record import Phase, Record
from infra.day.shell import ask
from infra.day.verb import Verb, confirm, stack_of, takes_stack
from infra.estate.model import Estate, Layer

_END = "This destroys the season's core; its archive and evidence are copied to this machine first."
_LOSS = "Nothing is drained, proven or kept: readings that only the estate holds are lost."


def down(day: Day, stack: str, abandon: bool = False) -> None:
    """Take a stage down; safe to run again after it was stopped anywhere.

    `abandon` gives up what the truck holds and the cloud does not: for a lab whose machines are dead.
    """
    estate = day.estate(stack)
    if estate.layer is Layer.CORE:
        raise Refusal(f"{stack} lives a season", "end the season with `scripts/stage down --core`")
    with only_one(day.workspace):
        _take_down(day, estate, abandon)


def down_season(day: Day, stack: str, abandon: bool = False) -> None:
    """Take a stage down and then its core, with everything that the core keeps."""
    stage = day.estate(stack)
    with only_one(day.workspace):
        for record in day.records.up():
            if not record.stack.endswith("-core"):
                _take_down(day, day.estate(record.stack), abandon)
        core = season(stage)
        if not abandon:
            _keep_season(day, core)
        _destroy(day, core)


def _take_down(day: Day, estate: Estate, abandon: bool) -> None:
    record = day.records.read(estate.stack)
    if not abandon and record.phase in (Phase.DEPLOYING, Phase.LIVE, Phase.DRAINING):
        record = _drain_and_export(day, estate, record)
    _destroy(day, estate)


def _keep_season(day: Day, core: Estate) -> None:
    """Copy archive and evidence to this machine: they live in the core that is about to go."""
    if day.records.read(core.stack).phase not in (Phase.DEPLOYING, Phase.LIVE):
        return
    with day.progress.step("Keep the season's archive and evidence on this machine") as step:
        folder = day.workspace.home / "seasons" / str(core.edition)
        objects, size = evidence.keep(day.object_store(core), folder)
        step.detail = f"{objects} objects, {size / 1e6:.1f} MB in {folder}"
        step.facts = {"objects": objects, "bytes": size}


def _drain_and_export(day: Day, estate: Estate, record: Record) -> Record:
    day.records.write(record.model_copy(update={"phase": Phase.DRAINING}))
    day.tell(estate, "draining", "producers stop, the backlog goes to the cloud")
    if not _has_raced(day, estate):
        day.progress.say("  nothing was recorded on the truck: there is nothing to drain")
        manifests = {}
    else:
        with day.progress.step("Drain: producers stop, backlog reaches the cloud"):
            run_playbook(day.workspace, "drain", (estate.stack,), day.progress.note)
        manifests = _prove(day, estate)
    with day.progress.step("Export evidence to the core's object store") as step:
        prefix = _export(day, estate, manifests)
        step.detail, step.facts = f"{evidence.BUCKET}/{prefix}", {"prefix": prefix}
    drained = record.model_copy(update={"phase": Phase.DRAINED, "evidence": prefix})
    day.records.write(drained)
    return drained


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


def _prove(day: Day, estate: Estate) -> dict:
    """Fetch both manifests and compare them; Failure where they differ, and nothing is destroyed."""
    with day.progress.step("Prove: manifests of truck and cloud") as step:
        truck = _manifest(estate, "recorder")
        cloud = _manifest(estate, "archive")
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
        return {"truck": truck, "cloud": cloud}


def _manifest(estate: Estate, service: str) -> dict:
    url = f"http://{health_address(estate, service)}/manifest"
    try:
        return httpx.get(url, timeout=30).raise_for_status().json()
    except httpx.HTTPError as error:
        raise Failure(
            f"{service} does not give its manifest at {url}: {error}",
            f"see `scripts/stage check {estate.stack}`, then run this again",
        ) from None


def _export(day: Day, estate: Estate, manifests: dict) -> str:
    at = datetime.now(UTC)
    sheet = sheet_path(day, estate.stack)
    documents = {
        "manifests": manifests,
        "arrival": json.loads(sheet.read_text()) if sheet.exists() else {},
        "checkpoint": day.engine.export(estate.stack),
        "steps": day.progress.steps,
    }
    texts = evidence.write(day.workspace.home / "evidence" / estate.stack / f"{at:%Y%m%dT%H%M%SZ}", documents)
    return evidence.send(day.object_store(estate), estate.stack, at, texts)


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
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(day: Day, options: Namespace) -> None:
    if options.core or options.abandon:
        confirm(options, _LOSS if options.abandon else _END)
    end = down_season if options.core else down
    end(day, stack_of(day, options), options.abandon)


VERB = Verb("down", "drain, prove, export, destroy", "scripts/stage down", _arguments, _run)
