"""The evening: to the next town, down, and what stays when everything is gone."""

import json
import subprocess
from pathlib import Path

import polars as pl

from infra.day.context import Day
from infra.day.progress import Progress
from infra.day.record import Phase, Records
from infra.evidence.store import keep
from infra.operator_key import public_key
from infra.workspace import ROOT
from tests.lab.command import kill_while, run, succeed
from tests.lab.conftest import STACK, UPLINK_CUT_S
from tests.lab.seen import containers, networks


def test_next_proves_both_ends_and_leaves_nothing_of_the_town(workspace):
    """Guards against a stage that haunts the next one, and against readings lost on the way."""
    outcome = succeed("stage", "next", STACK)
    proof = outcome.step("Prove")
    assert proof["readings"] > 198 * UPLINK_CUT_S * 0.9
    assert containers(STACK) == []
    assert networks(STACK) == []
    assert Records(workspace).read("2017-s10").phase is Phase.LIVE


def test_the_archive_holds_each_reading_once(workspace, estate, tmp_path):
    """Guards against a backlog that crosses twice and is counted as more of the race than there was."""
    keep(Day(workspace, Progress(as_json=True)).object_store(estate), tmp_path)
    parts = tmp_path.glob("archive/readings/edition=2017/stage=09/**/*.parquet")
    identity = ["device", "time_ms"]
    readings = pl.concat([pl.read_parquet(part, columns=identity, hive_partitioning=False) for part in parts])
    assert readings.n_unique() == readings.height > 0


def test_down_survives_being_killed_while_it_destroys(workspace):
    """Guards against half a town: nothing can drain it any more, and nothing takes it away."""
    kill_while("Export", 2, "stage", "down", "2017-s10", everything=True)
    assert Records(workspace).read("2017-s10").phase is Phase.DRAINED
    succeed("stage", "down", "2017-s10")
    assert containers("2017-s10") == []
    assert networks("2017-s10") == []


def test_the_core_keeps_its_data_after_the_stage_is_gone(workspace, estate):
    """Guards against evidence that goes away with the town."""
    assert len(containers("2017-core")) == len(estate.core.nodes)
    assert Records(workspace).read("2017-s10").evidence.startswith("2017-s10/")


def test_a_season_does_not_end_by_accident():
    """Guards against `down --core` in a script that nobody confirmed."""
    outcome = run("stage", "down", "--core")
    assert outcome.status == 2
    assert "--yes" in outcome.errors
    assert containers("2017-core") != []


def test_the_season_ends_and_its_evidence_is_proven_by_itself(workspace, tmp_path):
    """Guards against evidence that goes away with the season, or that only Etape can read."""
    succeed("stage", "down", "2017-core", "--core", "--yes")
    assert containers("2017-core") == []
    evidence = workspace.home / "seasons/2017/evidence"
    signers = tmp_path / "signers"
    signers.write_text(f"truck-operations {public_key(workspace)}\n")
    proven = verify(evidence, signers)
    assert proven.returncode == 0, proven.stdout
    kinds = {entry["kind"] for log in evidence.glob("*/log/*.jsonl") for entry in map(json.loads, log.open())}
    assert kinds >= {"up", "deploy", "check", "scale", "drift", "approval", "drain", "export", "destroy", "closing"}
    changed = next(path for path in sorted(evidence.glob("*/files/*")) if path.stat().st_size > 100)
    changed.write_bytes(changed.read_bytes().replace(b"a", b"b", 1))
    told = verify(evidence, signers)
    assert told.returncode == 1
    assert changed.name in told.stdout


def verify(evidence: Path, signers: Path) -> subprocess.CompletedProcess[str]:
    """What an auditor does: one file, with nothing of Etape on the path."""
    command = ["python3", "-I", ROOT / "scripts/verify-evidence", evidence, "--keys", signers]
    return subprocess.run(command, check=False, capture_output=True, text=True)
