"""The tracker against the truth, and the laws that hold whatever the radio does."""

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.briefing.riders import start_list
from tracking.course import Course
from tracking.kernel import Tracker
from tracking.kernel.checkpoint import CheckpointError
from tracking.kernel.layout import WATERMARK_MS
from tracking.records import READING
from tracking.simulation.simulator import Recording, record_stage

from tests.tracking.rides import START_MS, course, laps_stage, replay, ride

FRESH, PREDICTED, LOST, FINISHED = range(4)
EXCEPT_GROUP = [
    "rider", "time_ms", "seen_ms", "lat", "lon", "distance_m", "to_go_m", "speed_ms", "gradient", "position", "gap_s",
    "gap_m", "quality", "elevation_m", "heading_deg", "speed_10s_ms", "speed_average_ms", "acceleration_ms2",
    "gap_previous_s", "gap_previous_m",
]  # fmt: skip


def track(tracker: Tracker, stage: Recording, seconds: slice = slice(None)) -> np.ndarray:
    """RIDER_STATE (T, 198) of every second of a recording, as it would have been live."""
    return np.array(
        [(tracker.ingest(batch), tracker.frame(clock))[1] for clock, batch in list(stage.batches())[seconds]]
    )


@cache
def tracked_laps() -> np.ndarray:
    """RIDER_STATE (T, 198) of the recorded stage with laps."""
    return track(Tracker(course("2022-21"), start_list(), START_MS), laps_stage())


@dataclass(frozen=True)
class Compared:
    """States and truth of the riders who are on the road, flat."""

    distance_error: np.ndarray
    speed_error: np.ndarray
    gap_error: np.ndarray


def compare(states: np.ndarray, stage: Recording) -> Compared:
    """RIDER_STATE (T, 198) against the truth, from the second minute of the race on."""
    road = (states["quality"] <= PREDICTED) & ~stage.finished
    road[:180] = False
    head = np.maximum.accumulate(stage.distance.max(axis=1))
    seconds = np.arange(len(head), dtype=float)
    moving = np.diff(head, prepend=-np.inf) > 0
    passed = np.interp(stage.distance, head[moving], seconds[moving])
    gap = seconds[:, None] - passed
    return Compared(
        np.abs(states["distance_m"] - stage.distance)[road],
        np.abs(states["speed_ms"] - stage.speed)[road],
        np.abs(states["gap_s"] - gap)[road],
    )


@cache
def compared() -> Compared:
    """The tracked stage against its truth."""
    return compare(tracked_laps(), laps_stage())


def test_distance_is_right_to_metres() -> None:
    """Guards: riders drawn beside where they are."""
    assert np.median(compared().distance_error) < 2.2
    assert np.quantile(compared().distance_error, 0.95) < 6.5
    assert np.quantile(compared().distance_error, 0.99) < 9.5


def test_nobody_is_ever_a_lap_away() -> None:
    """Guards: the same avenue, one lap later: a jump of 6.8 km."""
    assert compared().distance_error.max() < 1000


def test_speed_is_right() -> None:
    """Guards: a speed that shakes with the noise of the fixes."""
    assert np.median(compared().speed_error) < 1.0


def test_gaps_are_right_to_a_second() -> None:
    """Guards: gaps from distance over own speed, which are off by 18 s."""
    assert not np.isnan(compared().gap_error).any()
    assert np.median(compared().gap_error) < 1.0
    assert np.quantile(compared().gap_error, 0.99) < 6.0


def test_positions_follow_the_true_order() -> None:
    """Guards: a ranking that differs from the road by more than wheels in a bunch."""
    states, stage = tracked_laps(), laps_stage()
    for second in range(600, 9000, 600):
        seen = states[second]["quality"] <= PREDICTED
        true_rank = np.argsort(np.argsort(-stage.distance[second][seen]))
        rank = np.argsort(np.argsort(states[second]["position"][seen]))
        behind = stage.distance[second].max() - stage.distance[second][seen]
        apart_m = np.abs(np.sort(behind)[rank] - np.sort(behind)[true_rank])
        assert np.median(apart_m) < 10
        assert sorted(states[second]["position"]) == list(range(1, 199))


def test_riders_finish_in_order_and_on_time() -> None:
    """Guards: a rider who crosses the line and is still racing, or whose time is off."""
    states, stage = tracked_laps(), laps_stage()
    last = states[-1]
    assert (last["quality"] == FINISHED).sum() >= 197
    assert (last["to_go_m"][last["quality"] == FINISHED] == 0).all()
    crossed_s = np.argmax(stage.finished, axis=0) - 60
    error_s = (last["seen_ms"] - START_MS) / 1000 - crossed_s
    assert np.median(np.abs(error_s)) < 1.5
    by_position = np.argsort(last["position"])
    assert (np.diff(last["gap_s"][by_position][:190]) >= 0).all()


def test_groups_are_found_and_do_not_flicker() -> None:
    """Guards: a peloton that falls apart and joins again every second."""
    states, stage = tracked_laps(), laps_stage()
    racing = states["group"].max(axis=1)[600:9000]
    assert (np.abs(np.diff(racing.astype(int))) > 0).mean() < 0.05
    for second in range(1200, 9000, 1200):
        groups = states[second]["group"]
        front = stage.distance[second][groups == 1]
        behind = stage.distance[second][groups > 1]
        assert front.min() > behind.max() + 10


def test_every_repeated_reading_is_told() -> None:
    """Guards: a duplicate that counts as a second reading."""
    tracker = Tracker(course("2022-21"), start_list(), START_MS)
    track(tracker, laps_stage(), slice(0, 1500))
    readings = laps_stage().readings[: laps_stage().arrived[1500]]
    repeated = len(readings) - len(np.unique(readings[["device", "time_ms"]]))
    counts = tracker.counts
    assert counts.duplicates == pytest.approx(repeated, abs=2)
    assert counts.readings == len(readings)
    assert counts.late < 0.001 * len(readings)
    assert counts.unknown == 0


def follow_one(road: Course, distance: np.ndarray, readings: np.ndarray) -> np.ndarray:
    """Tracked distance (n,) of device 1, second by second, NaN while it is not known."""
    first_ms = int(readings["time_ms"].min())
    tracker = Tracker(road, np.array([1]), first_ms - round(distance[0] / 11.5 * 1000))
    tracked = np.full(len(distance), np.nan)
    for i in range(len(distance)):
        clock = first_ms + i * 1000
        tracker.ingest(readings[readings["time_ms"] == clock])
        state = tracker.frame(clock)[0]
        if state["quality"] != LOST:
            tracked[i] = state["distance_m"]
    return tracked


HARD_ROADS = st.sampled_from(
    [("2022-12", 20_000, 158_000), ("2022-12", 151_000, 158_000), ("2022-21", 60_000, 110_000)]
)


@settings(max_examples=40, deadline=None)
@given(HARD_ROADS, st.floats(0, 1), st.floats(3, 20), st.integers(0, 10**6), st.integers(0, 40))
def test_nobody_jumps_to_another_leg_of_a_hairpin_or_another_lap(
    road: tuple[str, int, int], where: float, speed: float, seed: int, hole_s: int
) -> None:
    """Guards: the nearest road being taken for the right one; also after a radio shadow."""
    name, low, high = road
    distance = low + where * (high - low) + speed * np.arange(240.0)
    readings = ride(course(name), 1, distance, START_MS, seed)
    heard = np.ones(240, bool)
    heard[120 : 120 + hole_s] = False
    tracked = follow_one(course(name), distance, readings[heard])
    assert np.isfinite(tracked[10:]).all()
    assert np.abs(tracked[20:] - distance[20:]).max() < 45
    assert np.median(np.abs(tracked[20:] - distance[20:])) < 5


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(0, 10**6))
def test_a_frozen_fix_does_not_stop_a_rider(frozen_s: int, seed: int) -> None:
    """Guards: a device that repeats its last fix, and a rider who falls out of the group for it."""
    road = course("2022-21")
    distance = 40_000 + 12.0 * np.arange(200.0)
    readings = ride(road, 1, distance, START_MS, seed)
    readings[["lat", "lon"]][100 : 100 + frozen_s] = readings[["lat", "lon"]][99]
    for column in ("lat", "lon"):
        readings[column][100 : 100 + frozen_s] = readings[column][99]
    tracked = follow_one(road, distance, readings)
    assert np.abs(tracked[20:] - distance[20:]).max() < 60


def test_one_depot_fix_on_159_bikes_moves_nobody() -> None:
    """Guards: the frozen fix before the start that once was 18 % of all readings."""
    states, stage = tracked_laps(), laps_stage()
    assert (states["distance_m"][:60] < 30).all()
    found = states["quality"][110] <= PREDICTED
    assert found.sum() > 180
    assert np.abs(states["distance_m"] - stage.distance)[110][found].max() < 60


@pytest.mark.parametrize("metres", [60, 300, 5000])
def test_a_wild_fix_is_not_believed(metres: float) -> None:
    """Guards: a rider at 116 km/h and more."""
    road = course("2022-21")
    distance = 40_000 + 12.0 * np.arange(100.0)
    readings = ride(road, 1, distance, START_MS, 1)
    readings["lat"][50] += metres / 111_195
    tracked = follow_one(road, distance, readings)
    assert np.abs(tracked[20:] - distance[20:]).max() < 15


@pytest.mark.parametrize("sampling_s", [1, 5, 10])
def test_a_rider_who_brakes_is_believed_at_once(sampling_s: int) -> None:
    """Guards: the brakes before a bend taken for a wild fix, and a rider who is told to ride on for ten seconds."""
    road = course("2022-21")
    speed = np.concatenate((np.full(120, 15.0), np.linspace(15.0, 6.0, 5), np.full(60, 6.0)))
    readings = ride(road, 7, 20_000.0 + np.cumsum(speed), START_MS, seed=1)[::sampling_s]
    states = np.array(list(replay(road, np.array([7]), START_MS, readings)))[::sampling_s, 0]
    assert (states["seen_ms"] == states["time_ms"])[60 // sampling_s :].all()


def test_a_rider_who_was_away_for_half_an_hour_is_found_again() -> None:
    """Guards: a bike change that loses the rider for the rest of the day."""
    road = course("2023-09")
    tracker = Tracker(road, np.array([1, 2, 3]), START_MS)
    distance = 11.0 * np.arange(3000.0)
    rides = np.concatenate([ride(road, device, distance, START_MS, 1) for device in (1, 2, 3)])
    away = (rides["device"] == 1) & (rides["time_ms"] >= START_MS + 600_000) & (rides["time_ms"] < START_MS + 2_600_000)
    seen = []
    for second in range(3000):
        clock = START_MS + second * 1000
        tracker.ingest(rides[~away & (rides["time_ms"] == clock)])
        seen.append(tracker.frame(clock)[0])
    assert seen[599]["quality"] == FRESH
    assert seen[630]["quality"] == PREDICTED
    assert seen[1000]["quality"] == LOST
    assert seen[1000]["group"] == 0
    assert seen[1000]["position"] == 3
    assert np.isnan(seen[1000]["gap_s"])
    assert seen[2650]["quality"] == FRESH
    assert seen[2650]["distance_m"] == pytest.approx(distance[2650], abs=20)


def small_field() -> np.ndarray:
    """READING of twelve riders in three groups over five minutes."""
    road = course("2022-21")
    rides = []
    for device in range(1, 13):
        behind = (device % 3) * 400.0 + device
        rides.append(ride(road, device, np.maximum(11.0 * np.arange(300.0) - behind, 0), START_MS, 7))
    return np.sort(np.concatenate(rides), order=["time_ms", "device"])


def deliver(readings: np.ndarray, arrival_ms: np.ndarray) -> list[np.ndarray]:
    """Frames of every second until all has arrived and nothing can change any more."""
    tracker = Tracker(course("2022-21"), np.arange(1, 13), START_MS)
    frames = []
    for clock in range(START_MS, START_MS + 300_000 + WATERMARK_MS, 1000):
        tracker.ingest(readings[(arrival_ms > clock - 1000) & (arrival_ms <= clock)])
        frames.append(tracker.frame(clock))
    return frames


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_arrival_within_the_watermark_does_not_matter(seed: int) -> None:
    """Guards: a standing that depends on which radio was faster."""
    readings = small_field()
    lot = np.random.default_rng(seed)
    delay = lot.integers(0, WATERMARK_MS - 1000, len(readings)) * (lot.random(len(readings)) < 0.3)
    order = lot.permutation(len(readings))
    twice = np.concatenate((order, lot.choice(order, 200)))
    shuffled = deliver(readings[twice], (readings["time_ms"] + delay)[twice])
    plain = deliver(readings, readings["time_ms"])
    for column in EXCEPT_GROUP:
        np.testing.assert_array_equal(shuffled[-1][column], plain[-1][column], column)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_within_a_batch_changes_nothing_at_all(seed: int) -> None:
    """Guards: frames, groups included, that differ between two runs of the same second."""
    readings = small_field()
    order = np.random.default_rng(seed).permutation(len(readings))
    plain, shuffled = (deliver(r, r["time_ms"]) for r in (readings, readings[order]))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(plain, shuffled, strict=True))


def test_a_replay_is_the_live_race_without_its_delays() -> None:
    """Guards: two implementations that drift apart."""
    readings = small_field()
    live = deliver(readings, readings["time_ms"])
    replayed = list(
        replay(course("2022-21"), np.arange(1, 13), START_MS, np.random.default_rng(1).permutation(readings))
    )
    assert len(replayed) == 300
    assert all(a.tobytes() == b.tobytes() for a, b in zip(live, replayed, strict=False))


def test_what_comes_too_late_changes_nothing() -> None:
    """Guards: a backlog after an outage that pulls riders back."""
    readings = small_field()
    tracker = Tracker(course("2022-21"), np.arange(1, 13), START_MS)
    clock = START_MS + 299_000
    for second in range(START_MS, clock + 1, 1000):
        tracker.ingest(readings[readings["time_ms"] == second])
        before = tracker.frame(second)
    tracker.ingest(readings[: 12 * 200])
    assert tracker.counts.late == 12 * 200
    assert (tracker.frame(clock)["distance_m"] == before["distance_m"]).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 290))
def test_a_restored_tracker_goes_on_as_if_it_never_stopped(second: int) -> None:
    """Guards: a standing that is another one after a restart, in whatever second it comes."""
    readings, road = small_field(), course("2022-21")
    through = Tracker(road, np.arange(1, 13), START_MS)
    restored = None
    for clock in range(START_MS, START_MS + 300_000, 1000):
        batch = readings[readings["time_ms"] == clock]
        through.ingest(batch)
        frame = through.frame(clock)
        if restored is not None:
            restored.ingest(batch)
            assert restored.frame(clock).tobytes() == frame.tobytes()
        if clock == START_MS + second * 1000:
            restored = Tracker.restore(road, through.checkpoint())
    assert restored is not None
    assert restored.counts == through.counts


def test_the_checkpoint_of_a_whole_stage_goes_on_exactly_and_fits_a_message() -> None:
    """Guards: late readings, finishes or groups that a checkpoint forgets, and one that no broker takes."""
    stage, road, half = laps_stage(), course("2022-21"), 8000
    tracker = Tracker(road, start_list(), START_MS)
    states = track(tracker, stage, slice(0, half))
    data = tracker.checkpoint()
    assert len(data) < 300_000
    assert states[-1].tobytes() == tracked_laps()[half - 1].tobytes()
    restored = Tracker.restore(road, data, start_list())
    assert track(restored, stage, slice(half, None)).tobytes() == tracked_laps()[half:].tobytes()


def test_a_checkpoint_that_cannot_be_gone_on_from_is_refused_with_the_reason() -> None:
    """Guards: a race that goes on with another race's riders, or with what a torn write left."""
    road, riders = course("2022-21"), np.arange(1, 13)
    data = Tracker(road, riders, START_MS).checkpoint()
    with pytest.raises(CheckpointError, match="another course"):
        Tracker.restore(course("2022-01"), data)
    with pytest.raises(CheckpointError, match="other riders"):
        Tracker.restore(road, data, riders + 1)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        Tracker.restore(road, b"{}")
    body = data[:4] + b"\x07\x00" + data[6:-4]
    with pytest.raises(CheckpointError, match="version 7"):
        Tracker.restore(road, body + zlib.crc32(body).to_bytes(4, "little"))
    for torn in (data[:-1], data[:100] + b"\x00" + data[101:]):
        with pytest.raises(CheckpointError, match="damaged"):
            Tracker.restore(road, torn)


def test_readings_of_strangers_and_from_the_future_are_no_harm() -> None:
    """Guards: an unknown device that crashes the kernel, a wrong clock that stops a rider."""
    road = course("2022-21")
    tracker = Tracker(road, np.array([1]), START_MS)
    distance = 11.0 * np.arange(60.0)
    wrong = np.zeros(3, READING)
    wrong["device"] = [500, 7, 1]
    wrong["time_ms"] = START_MS + 86_400_000
    for i, reading in enumerate(ride(road, 1, distance, START_MS, 1)):
        tracker.ingest(np.append(reading.reshape(1), wrong if i == 30 else wrong[:0]))
        state = tracker.frame(START_MS + i * 1000)[0]
    assert tracker.counts.unknown == 2
    assert state["distance_m"] == pytest.approx(distance[-1], abs=12)
    assert state["quality"] == FRESH


@pytest.mark.parametrize(
    ("name", "sampling_s"), [("2022-01", 1), ("2022-04", 2), ("2022-12", 10), ("2022-21", 5), ("2023-09", 10)]
)
def test_gaps_are_right_to_a_second_at_any_sampling(name: str, sampling_s: int) -> None:
    """Guards: gaps that are right only where every device reports every second."""
    stage = record_stage(course(name), seed=6, start_ms=START_MS, hours=0.3)
    tracker = Tracker(course(name), start_list(), START_MS)
    states = []
    for clock, batch in stage.batches():
        due = (batch["time_ms"] // 1000 + batch["device"]) % sampling_s == 0
        tracker.ingest(batch[due])
        states.append(tracker.frame(clock))
    found = compare(np.array(states), stage)
    assert np.median(found.gap_error) < 1.0
    assert np.median(found.distance_error) < 8
