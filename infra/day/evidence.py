"""When the day's evidence is signed, when it has to be in the season's store, and what ends a season."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.day.context import Day, season
from infra.day.outcome import Failure, Refusal
from infra.durable import write_durably
from infra.estate.model import Estate
from infra.evidence.chain import read_chains
from infra.evidence.log import EvidenceError
from infra.evidence.store import ObjectStore, StoreTrouble, keep, send
from infra.identity import SignatureError

_PATIENCE_S = 10.0
"""How long a command that is done goes on sending; what is left, the next one sends."""
_LATER = (
    "see `systemctl status etape-object-store` on store-1, then run this again; or go on without the store by"
    " `--evidence-later`: the next command that reaches it delivers"
)


@contextmanager
def recorded(day: Day, kind: str, stack: str, facts: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """One entry when the block ends, whichever way; the block adds to the facts what it learned."""
    told = {**facts, "outcome": "stopped"}
    try:
        yield told
        told["outcome"] = "done"
    except Failure as failure:
        told |= {"outcome": "failed", "error": failure.sentence}
        raise
    finally:
        day.evidence.append(kind, stack, told)


def deliver(day: Day, estate: Estate, later: bool) -> None:
    """Sign everything and carry it to the season's store, before something is destroyed.

    Failure where it cannot be signed or the store does not take it. With `later` that is only told: the copy on this
    machine stays.
    """
    with day.progress.step("Export evidence to the season's object store") as step:
        log = day.evidence.log(estate.stack)
        try:
            log.seal()
            sent = send(log, day.object_store(estate))
            step.detail, step.facts = str(sent), {"objects": sent.objects, "bytes": sent.size}
        except (StoreTrouble, SignatureError) as trouble:
            told = f"{trouble.sentence}; the evidence is kept in {log.folder}"
            if not later:
                raise Failure(f"{told}, nothing was destroyed", _LATER) from None
            step.detail, step.facts = told, {"objects": 0, "kept": str(log.folder)}


def keep_season(day: Day, core: Estate) -> None:
    """Copy archive and evidence of all operators to this machine: they live in the core that is about to go."""
    with day.progress.step("Keep the season's archive and evidence on this machine") as step:
        folder = _season_folder(day, core)
        try:
            kept = keep(day.object_store(core), folder)
        except StoreTrouble as trouble:
            remedy = "see `systemctl status etape-object-store` on store-1, then run this again; nothing was destroyed"
            raise Failure(f"{trouble}: the season's data cannot be copied", remedy) from None
        step.detail, step.facts = f"{kept} in {folder}", {"objects": kept.objects, "bytes": kept.size}


def close_season(day: Day, core: Estate) -> None:
    """The season's last entry, which names where every operator's chain ended, and the whole of it in one folder."""
    folder = _season_folder(day, core) / "evidence"
    chains, broken = read_chains(folder)
    ends = {chain.folder.name: {"seq": chain.last, "hash": chain.hash} for chain in chains}
    day.evidence.append("closing", core.stack, {"witnessed": ends, "broken": [str(each) for each in broken]})
    log = day.evidence.log(core.stack)
    try:
        log.seal()
    except SignatureError as error:
        remedy = f"{error.remedy}; the next command that writes to {log.folder} signs it"
        raise Failure(f"the season's last entry is not signed: {error.sentence}", remedy) from None
    for path in log.closed():
        _copy(log.folder / path, folder / path)
    day.progress.say(f"  Evidence of the season: {folder}; prove it with scripts/verify-evidence")


def conclude(day: Day) -> tuple[str, ...]:
    """Sign and send what the command wrote, as far as that can be done now; a sentence for each thing that cannot."""
    troubles: list[str] = []
    for year, log in day.evidence.written().items():
        try:
            log.seal()
            if store := _store(day, year):
                sent = send(log, store, _PATIENCE_S)
                troubles += [f"evidence: {sent} in {log.folder}"] if sent.left else []
        except (SignatureError, EvidenceError) as error:
            troubles.append(f"evidence in {log.folder} is not signed; the next command signs it: {error.sentence}")
        except StoreTrouble as trouble:
            troubles.append(f"evidence is kept in {log.folder} and sent by the next command: {trouble}")
        troubles += log.troubles
    return tuple(troubles)


def _store(day: Day, year: str) -> ObjectStore | None:
    """The store of a season; None where it has none now."""
    core = f"{year}-core"
    try:
        return day.object_store(day.estate(core)) if day.workspace.outputs(core).exists() else None
    except Refusal:
        return None


def _season_folder(day: Day, core: Estate) -> Path:
    return day.workspace.home / "seasons" / str(season(core).edition)


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if target.exists() and target.read_bytes() != content:
        raise Failure(
            f"{target} came from the season's store with other content than {source}: nothing was overwritten",
            "show both to an auditor; scripts/verify-evidence tells which of them its operator signed",
        )
    write_durably(target, content)
