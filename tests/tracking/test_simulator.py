"""The simulated race: the same for the same seed, shaped like a race, with faults that are counted."""

import numpy as np
import pytest
from tracking.briefing.riders import start_list
from tracking.kernel import Tracker
from tracking.simulation.mishaps import FIRST_SPARE, draw_mishaps
from tracking.simulation.simulator import Race, Recording, record_stage

from tests.tracking.rides import START_MS, course, laps_stage


def test_the_same_seed_rides_the_same_race() -> None:
    """Guards: a failure in a replay that cannot be looked at again."""
    one, two = (record_stage(course("2022-01"), seed=5, hours=0.1) for _ in range(2))
    assert (one.readings == two.readings).all()
    assert (one.distance == two.distance).all()
    assert one.faults == two.faults
    other = record_stage(course("2022-01"), seed=6, hours=0.1)
    assert not (other.distance[-1] == one.distance[-1]).all()


def test_a_race_that_is_resumed_goes_on_as_if_never_interrupted() -> None:
    """Guards: a restarted service that rides another race."""
    through, resumed = (Race(course("2022-01"), seed=5, start_ms=START_MS) for _ in range(2))
    for _ in range(200):
        expected = through.tick()
    resumed.skip_to(199)
    assert (resumed.tick() == expected).all()
    assert resumed.faults == through.faults


def test_the_race_has_a_breakaway_a_peloton_and_dropped_riders() -> None:
    """Guards: a field that rides as one, on which no gap and no group can be tested."""
    stage = record_stage(course("2023-09"), seed=9, hours=1.5)
    road = np.sort(stage.distance[-1])[::-1]
    sizes = np.diff(np.flatnonzero(np.diff(road, prepend=np.inf, append=-np.inf) < -60))
    peloton = int(sizes.argmax())
    assert sizes[peloton] > 120
    assert 2 <= sizes[:peloton].sum() <= 20
    assert sizes[peloton + 1 :].sum() >= 5


def test_riders_slow_down_uphill_and_keep_to_speeds_of_this_world() -> None:
    """Guards: a race in which the profile does not matter."""
    road, stage = course("2023-09"), record_stage(course("2023-09"), seed=1, hours=1.0)
    racing = stage.distance[100:] > 0
    gradient = np.interp(stage.distance[100:][racing], road.distance, road.gradient)
    speed = stage.speed[100:][racing] * 3.6
    assert np.median(speed[gradient > 0.05]) < 25 < 38 < np.median(speed[np.abs(gradient) < 0.01])
    assert np.median(speed[gradient < -0.05]) > 50
    assert speed.max() < 100


def test_everyone_finishes_and_nobody_rides_backwards() -> None:
    """Guards: a race that never ends, or a truth that no road allows."""
    stage = laps_stage()
    assert stage.finished[-1].all()
    assert (np.diff(stage.distance, axis=0) >= 0).all()
    pace = 115.6 / ((np.argmax(stage.finished.any(axis=1)) - 60) / 3600)
    assert 36 < pace < 48


def test_every_fault_can_be_found_in_the_readings() -> None:
    """Guards: counting faults that were not made, or making faults that were not counted."""
    stage = laps_stage()
    faults, readings = stage.faults, stage.readings
    identity = readings["device"].astype(np.int64) << 48 | readings["time_ms"]
    unique = len(np.unique(identity))
    assert len(readings) - unique == pytest.approx(faults["repeated"], abs=3)
    seconds = np.repeat(np.arange(len(stage.arrived) - 1), np.diff(stage.arrived))
    fixed = (readings["time_ms"] - stage.first_ms) // 1000
    on_time = len(np.unique(identity[seconds == fixed]))
    assert unique - on_time == pytest.approx(faults["late"], rel=0.02)
    on_road = (~stage.finished).sum()
    lost_share = faults["lost"] / (on_road + 198 * 120)
    assert 0.008 < lost_share < 0.03
    assert min(faults.values()) > 0


def test_the_depot_fix_is_one_place_for_159_bikes() -> None:
    """Guards: losing the fault that once was 18 % of a real recording."""
    stage = laps_stage()
    before = stage.readings[: stage.arrived[50]]
    places, counts = np.unique(before[["lat", "lon"]], return_counts=True)
    stuck = before[before[["lat", "lon"]] == places[counts.argmax()]]
    assert len(np.unique(stuck["device"])) == 159


def test_a_recording_survives_the_disk(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Guards: a bench that measures another stage than was recorded."""
    stage = record_stage(course("2022-01"), seed=2, hours=0.02)
    path = tmp_path_factory.mktemp("recording") / "stage.npz"
    stage.save(path)
    loaded = Recording.load(path)
    assert (loaded.readings == stage.readings).all()
    assert (loaded.arrived == stage.arrived).all()
    assert loaded.faults == stage.faults
    assert (loaded.start_ms, loaded.first_ms) == (stage.start_ms, stage.first_ms)


def test_mishaps_are_told_apart_counted_and_survived() -> None:
    """Guards: bike changes, reboots, wrong clocks and riders who give up that no test ever meets."""
    stage = record_stage(course("2022-21"), seed=5, start_ms=START_MS, hours=1.0, with_mishaps=True)
    mishaps = draw_mishaps(5, 198)
    changes = np.flatnonzero(mishaps.changes_at < 3000)
    assert len(changes) > 0
    assert min(stage.faults.values()) > 0
    assert (stage.readings["device"] >= FIRST_SPARE).any()
    assert (stage.readings["time_ms"] < 400_000_000_000).sum() == stage.faults["rebooted"]
    numbers = start_list()
    tracker = Tracker(course("2022-21"), numbers, START_MS)
    for clock_ms, batch in stage.batches():
        second = (clock_ms - START_MS) // 1000
        for rider in np.flatnonzero(mishaps.rides_at == second):
            tracker.assign(int(mishaps.spare[rider]), int(numbers[rider]), clock_ms)
        for rider in np.flatnonzero(mishaps.abandons_at == second):
            tracker.withdraw(int(numbers[rider]), clock_ms)
        tracker.ingest(batch)
        last = tracker.frame(clock_ms)
    changed = changes[np.isin(last["quality"][changes], (0, 1))]
    assert len(changed) >= len(changes) - 1
    assert np.abs(last["distance_m"] - stage.distance[-1])[changed].max() < 60
    gone = mishaps.abandons_at < 3600
    assert (last["quality"][gone] == 2).all()
    assert (last["group"][gone] == 0).all()
    counts = tracker.counts
    assert min(counts.clock, counts.withdrawn) > 0
    for rider in changes:
        rides_at = int(mishaps.rides_at[rider]) + 60
        assert stage.device[rides_at - 1, rider] == numbers[rider]
        assert stage.device[rides_at, rider] == mishaps.spare[rider]
        assert stage.distance[rides_at, rider] == pytest.approx(stage.distance[rides_at - 5, rider], abs=3)
    assert (stage.device[-1][gone] == 0).all()
    assert (np.diff(stage.distance, axis=0).max(axis=0) < 33).all()
