"""A log with a key of its own, and what a day writes to it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.evidence.log import EvidenceLog
from infra.evidence.seasons import OperatorSigner
from infra.workspace import ROOT, Workspace

EVENING = datetime(2017, 7, 9, 19, 30, tzinfo=UTC)
PYTHON = Path(sys.base_prefix) / "bin/python3"
"""Outside of any virtual environment."""


@dataclass
class Verdict:
    """Outcome of scripts/verify-evidence."""

    status: int
    proven: bool
    chains: list[dict]
    findings: list[dict]
    complaint: str

    def at(self, place: str) -> str:
        """All that was found at a place, such as `log/00000001.jsonl line 2`."""
        return "; ".join(each["what"] for each in self.findings if each["place"] == place)


def operator(home: Path) -> OperatorSigner:
    """An operator with a new key."""
    return OperatorSigner(Workspace(root=ROOT, home=home, cache=home / "cache"))


def season(folder: Path, signer: OperatorSigner) -> EvidenceLog:
    """An empty log of 2017 whose clock moves on by a second each time it is asked."""
    ticks = iter(range(1_000_000))
    return EvidenceLog(folder / "2017", signer, clock=lambda: EVENING + timedelta(seconds=next(ticks)))


def allowed_signers(folder: Path, signer: OperatorSigner, name: str = "ops-lead") -> Path:
    """An allowed_signers file that accepts the operator's key under that name."""
    kind, blob, *_ = signer.workspace.private_key.with_suffix(".pub").read_text().split()
    path = folder / "allowed_signers"
    path.write_text(f"{name} {kind} {blob}\n")
    return path


def verify(folder: Path, *options: object) -> Verdict:
    """What scripts/verify-evidence says, run by a Python that knows nothing of this project."""
    command = [PYTHON, "-I", str(ROOT / "scripts/verify-evidence"), str(folder), *map(str, options), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    answer = json.loads(done.stdout) if done.stdout else {"proven": False, "chains": [], "findings": []}
    return Verdict(done.returncode, answer["proven"], answer["chains"], answer["findings"], done.stderr)
