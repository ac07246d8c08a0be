"""Manifests: equal exactly when two places hold the same readings."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.manifest import Manifest, Tally, compare, main
from tracking.records import READING

calm = settings(deadline=None, max_examples=40)
START_MS = 1_499_590_800_000


def race(devices: int, seconds: int) -> np.ndarray:
    """One fix of each device for each second, shape (devices * seconds,)."""
    rows = np.zeros(devices * seconds, READING)
    rows["device"] = np.tile(np.arange(1, devices + 1), seconds)
    rows["time_ms"] = START_MS + np.repeat(np.arange(seconds), devices) * 1000
    rows["lat"] = np.linspace(45, 46, len(rows))
    rows["lon"] = 5.9
    return rows


def manifest_of(*batches: np.ndarray) -> Manifest:
    tally = Tally()
    for batch in batches:
        tally.add(batch)
    return tally.manifest(1)


@calm
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_order_batching_and_repeats_do_not_matter(random, size: int) -> None:
    """Guards against two lanes that bring the same readings and are called different."""
    rows = race(7, 30)
    order = list(range(len(rows))) + random.choices(range(len(rows)), k=50)
    random.shuffle(order)
    mixed = rows[order]
    assert manifest_of(*(mixed[i : i + size] for i in range(0, len(mixed), size))) == manifest_of(rows)


@calm
@given(st.integers(0, 209), st.sampled_from(["device", "time_ms", "lat", "lon"]))
def test_a_change_in_any_field_of_any_reading_shows(row: int, field: str) -> None:
    """Guards against a digest that leaves a field out."""
    rows = race(7, 30)
    changed = rows.copy()
    changed[field][row] += 8
    assert compare(manifest_of(rows), manifest_of(changed))


def test_each_reading_is_new_once() -> None:
    """Guards against the archive storing a reading twice after a merge of what is known."""
    rows = race(50, 400)
    tally = Tally()
    added = sum(int(tally.add(rows[i : i + 333]).sum()) for i in range(0, len(rows), 333))
    again = sum(int(tally.add(rows[i : i + 77]).sum()) for i in range(0, len(rows), 77))
    assert (added, again) == (len(rows), 0)


def test_two_positions_for_one_time_count_once_and_the_same_everywhere() -> None:
    """Guards against manifests that depend on which of two contradicting fixes came first."""
    rows = race(1, 1)
    other = rows.copy()
    other["lat"] += 0.001
    here, there = manifest_of(rows, other), manifest_of(other, rows)
    assert here == there
    assert here.readings == 1


def test_the_comparison_names_each_device_and_both_counts() -> None:
    """Guards against a verdict that says "different" and no more."""
    rows = race(3, 10)
    truck, archive = manifest_of(rows), manifest_of(rows[rows["device"] != 2][:-1])
    assert compare(truck, archive) == (
        "device 2: 10 readings on the truck, 0 archived",
        "device 3: 10 readings on the truck, 9 archived",
    )


def test_different_runs_are_not_compared() -> None:
    """Guards against a replayed stage that is compared with yesterday's archive."""
    tally = Tally()
    tally.add(race(1, 1))
    assert "two different races" in compare(tally.manifest(1), tally.manifest(2))[0]


def test_a_manifest_survives_json() -> None:
    """Guards against 64-bit digests that JSON readers round."""
    manifest = manifest_of(race(5, 20))
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_the_command_compares_and_refuses_what_is_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against exit 0 for a difference, and a traceback for a broken file."""
    files = {"truck": race(2, 9), "short": race(2, 8)}
    for name, rows in files.items():
        (tmp_path / name).write_text(json.dumps(manifest_of(rows).to_json()))
    (tmp_path / "broken").write_text("[]")
    codes = {}
    for other in ("truck", "short", "broken"):
        monkeypatch.setattr("sys.argv", ["manifest", "compare", str(tmp_path / "truck"), str(tmp_path / other)])
        with pytest.raises(SystemExit) as ended:
            main()
        codes[other] = ended.value.code
    assert codes == {"truck": 0, "short": 1, "broken": 2}
    assert "is no manifest" in capsys.readouterr().err


def test_what_cannot_be_a_fix_is_counted_nowhere() -> None:
    """Guards against NaN in the archive, and a forged reading without a place that the truck misses for ever."""
    bad = race(4, 1)
    bad["lat"][0], bad["lon"][1], bad["time_ms"][2], bad["device"][3] = np.nan, 400.0, -1, 0
    tally = Tally()
    assert tally.add(np.concatenate([bad, race(4, 1)])).tolist() == [False] * 4 + [True] * 4
    assert tally.manifest(1) == manifest_of(race(4, 1))
