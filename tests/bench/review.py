"""The review of two whole editions, beside `git diff` of the same two states as JSON: time, and lines to read."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from infra.evidence.seasons import Evidence
from infra.review.compare import compare
from infra.review.desk import Pulumi
from infra.review.kept import Kept
from infra.review.risk import Scene, judge
from infra.review.rules import RULES
from infra.review.snapshot import Snapshot
from infra.review.sources import Asked, Sources
from infra.review.values import as_json, leaves
from infra.workspace import ROOT, Workspace
from tests.bench.figure import Figure

_EDITIONS = ("2015", "2016")
"""The two with the most machines."""


def figures() -> Iterator[Figure]:
    """The whole command from its start; then comparing and judging alone, beside the peer. Nothing is kept of it."""
    with tempfile.TemporaryDirectory(prefix="etape-bench-") as name:
        folder = Path(name)
        seconds, report = _command(folder)
        a, b = _states(Workspace(ROOT, folder, folder))
        resources = sum(item.is_resource for side in (a, b) for item in side.items)
        yield Figure("review.resources", resources, "resources")
        yield Figure("review.command", round(seconds, 2), "s")
        yield Figure("review.500_resources", round(seconds * 500 / resources, 2), "s", 10)
        begun = time.perf_counter()
        judge(compare(a, b), Scene(a, b), RULES)
        comparing = time.perf_counter() - begun
        begun = time.perf_counter()
        difference = _git_diff(folder, a, b)
        peer = time.perf_counter() - begun
        yield Figure("review.comparing", round(comparing, 3), "s", peer=round(peer, 3), peer_name="git diff")
        yield Figure("review.to_read", report, "lines", peer=difference, peer_name="git diff")


def _command(home: Path) -> tuple[float, int]:
    """Seconds, and lines of the report."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "infra.review", *_EDITIONS],
        env={**os.environ, "ETAPE_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"bench: the review failed:\n{done.stderr}")
    return time.perf_counter() - begun, len(done.stdout.splitlines())


def _states(workspace: Workspace) -> list[Snapshot]:
    asked = Asked("full", "race", 9)
    sources = Sources(workspace, Pulumi(workspace), Kept(Evidence(workspace)), asked, date.today())
    return [sources.load(edition).snapshot for edition in _EDITIONS]


def _git_diff(folder: Path, a: Snapshot, b: Snapshot) -> int:
    """Lines that `git diff` shows of the two states, a property a line and nothing about them."""
    paths = []
    for side in (a, b):
        told = {
            " ".join(item.identity): {path: as_json(value) for path, value in leaves(item.properties).items()}
            for item in side.items
        }
        paths.append(folder / f"{side.title}.json")
        paths[-1].write_text(json.dumps(told, indent=1, sort_keys=True))
    done = subprocess.run(["git", "diff", "--no-index", *map(str, paths)], capture_output=True, text=True)
    return len(done.stdout.splitlines())
