"""A log with a key of its own, and what a day writes to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.evidence.log import EvidenceLog
from infra.evidence.seasons import OperatorSigner
from infra.workspace import ROOT, Workspace

EVENING = datetime(2017, 7, 9, 19, 30, tzinfo=UTC)


def operator(home: Path) -> OperatorSigner:
    """An operator with a new key."""
    return OperatorSigner(Workspace(root=ROOT, home=home, cache=home / "cache"))


def season(folder: Path, signer: OperatorSigner) -> EvidenceLog:
    """An empty log of 2017 whose clock moves on by a second each time it is asked."""
    ticks = iter(range(1_000_000))
    return EvidenceLog(folder / "2017", signer, clock=lambda: EVENING + timedelta(seconds=next(ticks)))
