"""Holes filled from both sides, clocks set right and events told, against races whose truth is known."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from tracking.course import Course, read_course
from tracking.kernel import Tracker
from tracking.race_events import RaceEvent
from tracking.records import FINISHED, RIDER_STATE
from tracking.replay.__main__ import main
from tracking.replay.filling import filled
from tracking.replay.recording import Recording, read_recording
from tracking.replay.ride import followed, frames_of
from tracking.replay.start import find_start

from tests.replay import rides

COURSE = Path(__file__).parents[2] / "stacks" / "courses" / "2023-09.geojson"
SECONDS, RIDERS = 1800, 24
SILENT_FROM, SILENT_TO = 400, 1000


@cache
def road() -> Course:
    return read_course(COURSE)


@cache
def truth() -> rides.Ride:
    return rides.race(road(), SECONDS, RIDERS, seed=3)


@cache
def recorded(every_s: int = 1) -> pa.Table:
    return rides.record(road(), truth(), 5, every_s, faults=False)


def silenced(rider: int) -> pa.Table:
    """Nothing of a rider for ten minutes."""
    second = seconds_of(recorded())
    return recorded().filter(
        ~((recorded()["rider"].to_numpy() == rider) & (second >= SILENT_FROM) & (second < SILENT_TO))
    )


def seconds_of(table: pa.Table) -> np.ndarray:
    return (table["time_ms"].to_numpy() - truth().first_ms) // 1000


def replayed(folder: Path, table: pa.Table, *more: str) -> pl.DataFrame:
    pq.write_table(table, folder / "r.parquet")
    options = ["--course", str(COURSE), "--out", str(folder / "states.parquet"), *more]
    assert main([str(folder / "r.parquet"), *options]) == 0
    return pl.read_parquet(folder / "states.parquet").with_columns(pl.col("quality").cast(pl.String))


def read(folder: Path, table: pa.Table) -> Recording:
    pq.write_table(table, folder / "r.parquet")
    return read_recording(folder / "r.parquet")


def off_m(states: pl.DataFrame) -> np.ndarray:
    second = (states["time_ms"].to_numpy() - truth().first_ms) // 1000
    true = truth().distance[second, states["rider"].to_numpy() - 1]
    return np.abs(road().length_m - states["km_to_go"].to_numpy() * 1000 - true)


def off_gap_s(states: pl.DataFrame) -> np.ndarray:
    second = (states["time_ms"].to_numpy() - truth().first_ms) // 1000
    return np.abs(states["gap_s"] - truth().passage_gap(road().length_m)[second, states["rider"].to_numpy() - 1])


def test_a_rider_who_is_not_heard_for_ten_minutes_is_placed_to_40_m(tmp_path: Path) -> None:
    """Guards: a rider thought kilometres behind, though he was seen before and afterwards; and a guess called seen."""
    states = replayed(tmp_path, silenced(7)).filter(pl.col("rider") == 7)
    hole = states.filter((pl.col("time_ms") - truth().first_ms).is_between(SILENT_FROM * 1000, SILENT_TO * 1000 - 1))
    assert np.quantile(off_m(hole), 0.95) < 40.0
    assert np.quantile(off_gap_s(hole), 0.95) < 4.0
    assert hole["quality"].unique().sort().to_list() == ["fresh", "interpolated", "predicted"]
    assert (hole["quality"] == "interpolated").sum() > 500
    assert (hole["group"] > 0).all()


def test_a_leader_who_is_not_heard_leaves_the_gaps_of_the_others_right(tmp_path: Path) -> None:
    """Guards: gaps to the second rider, until the leader is back and everyone falls behind at once."""
    head = int(truth().distance[700].argmax()) + 1
    states = replayed(tmp_path, silenced(head)).filter((pl.col("rider") != head) & (pl.col("quality") == "fresh"))
    assert np.quantile(off_gap_s(states.filter(pl.col("time_ms") > truth().start_ms + 180_000)), 0.99) < 3.0


def test_positions_are_a_ranking_with_the_filled_places(tmp_path: Path) -> None:
    """Guards: two riders in one position, or a group that is not one on the road."""
    states = replayed(tmp_path, silenced(7))
    for (_,), second in states.group_by("time_ms"):
        assert sorted(second["position"]) == list(range(1, RIDERS + 1))
        racing = second.filter(pl.col("group") > 0).sort("position")
        assert (racing["km_to_go"].diff().drop_nulls() >= -1e-9).all()


def test_what_was_heard_stays_as_it_was_told(tmp_path: Path) -> None:
    """Guards: a look into the future that changes where riders were who were seen."""
    recording = read(tmp_path, silenced(7))
    start_ms = truth().start_ms
    trackers = [Tracker(road(), np.arange(1, RIDERS + 1), start_ms) for _ in range(2)]
    told = np.array(list(frames_of(trackers[0], recording, start_ms - 60_000)))
    again = np.array(list(filled(frames_of(trackers[1], recording, start_ms - 60_000), road(), start_ms)))
    heard = (told["time_ms"] - told["seen_ms"] < 1000) & (told["quality"] == 0)
    assert again.shape == told.shape
    for name in ("rider", "time_ms", "seen_ms", "distance_m", "lat", "speed_ms", "gradient", "quality"):
        assert np.array_equal(again[name][heard], told[name][heard]), name
    whole = heard.all(axis=1)[:SILENT_FROM]
    assert whole.sum() > 200
    for name in (name for name in RIDER_STATE.names if name != "gap_s"):
        assert again[name][:SILENT_FROM][whole].tobytes() == told[name][:SILENT_FROM][whole].tobytes(), name


def test_gaps_are_not_longer_for_the_reading_that_errs_most_to_the_front(tmp_path: Path) -> None:
    """Guards: a bunch in which always another one leads by an error, and everybody's gap grows by it."""
    field = np.median(truth().distance, axis=1, keepdims=True)
    bunch = replace(truth(), distance=field + 0.05 * (truth().distance - field))
    recording, start_ms = read(tmp_path, rides.record(road(), bunch, 5, faults=False)), truth().start_ms
    tracker = Tracker(road(), np.arange(1, RIDERS + 1), start_ms)
    told = list(frames_of(tracker, recording, start_ms - 60_000))
    again = np.array(list(filled(iter(told), road(), start_ms)))
    true_s = bunch.passage_gap(road().length_m)
    late = slice(SILENT_FROM, SECONDS - 60)
    as_live, measured = np.array(told)["gap_s"][late] - true_s[late], again["gap_s"][late] - true_s[late]
    assert np.median(measured) < 0.6 * np.median(as_live)
    assert np.median(np.abs(measured)) < 0.8 * np.median(np.abs(as_live))
    assert (np.diff(np.take_along_axis(again["gap_s"], again["position"].argsort(axis=1), 1)[late]) >= -1e-3).all()


def test_gaps_of_a_time_trial_stay_as_they_were_told(tmp_path: Path) -> None:
    """Guards: riders who start one after the other, held against whoever is first on the road."""
    recording, start_ms = read(tmp_path, silenced(7)), truth().start_ms
    tracker = Tracker(road(), np.arange(1, RIDERS + 1), start_ms)
    told = list(frames_of(tracker, recording, start_ms - 60_000))
    again = np.array(list(filled(iter(told), road(), start_ms, apart=True)))
    for name in ("gap_s", "position", "group"):
        assert np.array_equal(again[name], np.array(told)[name], equal_nan=name == "gap_s"), name


def test_a_device_that_reports_every_ten_seconds_is_placed_to_20_m_in_between(tmp_path: Path) -> None:
    """Guards: riders who coast past a bend or a climb until the next reading."""
    states = replayed(tmp_path, recorded(10)).filter(pl.col("time_ms") > truth().start_ms + 180_000)
    assert np.quantile(off_m(states), 0.95) < 20.0
    assert np.median(off_gap_s(states)) < 0.7


def test_clocks_that_are_hours_off_or_missed_a_rollover_are_set_right(tmp_path: Path) -> None:
    """Guards: a device of another time zone that wins an hour before the others, and spoils every gap."""
    short = read_course(COURSE.with_name("2022-01.geojson"))
    ride = rides.race(short, 900, RIDERS, seed=3)
    table = rides.record(short, ride, 5, faults=False)
    off_ms = np.zeros(RIDERS + 1, np.int64)
    off_ms[[3, 8, 12]] = -2_700_000, 3_600_000, -1024 * 7 * 86_400_000
    times = table["time_ms"].to_numpy() + off_ms[table["rider"].to_numpy()]
    recording = read(tmp_path, table.set_column(1, "time_ms", pa.array(times)))
    found = find_start(short, recording)
    assert found.ahead_ms == {3: -2_700_000, 8: 3_600_000}
    right = recording.set_right(found.ahead_ms)
    assert right.first_ms >= ride.first_ms
    assert right.last_ms <= ride.first_ms + 900_000
    assert not right.refused


def test_events_call_riders_by_the_names_that_the_recording_gives_them() -> None:
    """Guards: a place in the list of riders that is told as a rider's number."""
    states = np.zeros(2, RIDER_STATE)
    states["rider"], states["position"], states["quality"] = (1, 2), (2, 1), FINISHED
    states["time_ms"], states["seen_ms"], states["gap_s"] = 60_000, (40_000, 30_000), (10.0, 0.0)
    events: list[RaceEvent] = []
    list(followed(iter([states]), 0, ["FRA-011", "FRA-012"], events))
    assert [event.text for event in events] == [
        "Rider FRA-012 wins the stage.",
        "Rider FRA-011 is second, 10 s behind.",
    ]
