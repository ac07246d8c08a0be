"""Whose reading it is: bikes are changed, riders withdraw, devices lie, and some report more rarely than others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.kernel import Tracker
from tracking.records import READING

from tests.tracking.rides import START_MS, course, ride

FRESH, PREDICTED, LOST, FINISHED = range(4)
ROAD = "2023-09"


def run(tracker: Tracker, readings: np.ndarray, seconds: int) -> list[np.ndarray]:
    """A frame of every second."""
    frames = []
    for clock in range(START_MS, START_MS + seconds * 1000, 1000):
        tracker.ingest(readings[readings["time_ms"] == clock])
        frames.append(tracker.frame(clock))
    return frames


def field(seconds: int) -> np.ndarray:
    """READING of three riders, 100 m apart, with devices of their numbers."""
    return np.concatenate(
        [ride(course(ROAD), n, 11.0 * np.arange(seconds) + 100.0 * (3 - n), START_MS, n) for n in (1, 2, 3)]
    )


def test_a_rider_goes_on_with_an_announced_device() -> None:
    """Guards: a bike change that loses the rider, and the old bike on a car's roof that is taken for the rider."""
    tracker = Tracker(course(ROAD), np.array([1, 2, 3]), START_MS)
    readings = field(300)
    roof = (readings["device"] == 2) & (readings["time_ms"] >= START_MS + 120_000)
    spare = readings[roof].copy()
    spare["device"] = 905
    readings["lat"][roof] += 0.0003
    before = ride(course(ROAD), 905, 11.0 * np.arange(120.0) - 400, START_MS, 9)
    frames = run(tracker, np.concatenate((readings[readings["time_ms"] < START_MS + 120_000], before)), 120)
    assert tracker.counts.unknown == 120
    tracker.assign(905, 2, START_MS + 120_000)
    later = np.concatenate((readings, spare))
    for clock in range(START_MS + 120_000, START_MS + 300_000, 1000):
        tracker.ingest(later[later["time_ms"] == clock])
        frames.append(tracker.frame(clock))
    assert frames[-1]["quality"].tolist() == [FRESH] * 3
    assert frames[-1]["distance_m"][1] == pytest.approx(11.0 * 299 + 100, abs=15)
    assert tracker.counts.spare > 160


def test_of_two_devices_the_one_that_moves_with_the_race_wins() -> None:
    """Guards: a wrongly announced change, whose device stands in the depot while the rider rides on."""
    tracker = Tracker(course(ROAD), np.array([1, 2, 3]), START_MS)
    tracker.assign(905, 2, START_MS)
    depot = ride(course(ROAD), 905, np.zeros(200), START_MS, 9)
    frames = run(tracker, np.concatenate((field(200), depot)), 200)
    assert frames[-1]["distance_m"][1] == pytest.approx(11.0 * 199 + 100, abs=15)
    with pytest.raises(ValueError, match="no rider 77 starts"):
        tracker.assign(905, 77, START_MS)


def test_a_rider_who_withdraws_leaves_ranking_and_groups() -> None:
    """Guards: a rider in the broom wagon who is ranked, or in a car that overtakes the race and leads it."""
    tracker = Tracker(course(ROAD), np.array([1, 2, 3]), START_MS)
    readings = field(200)
    run(tracker, readings[readings["time_ms"] < START_MS + 100_000], 100)
    tracker.withdraw(1, START_MS + 100_000)
    for clock in range(START_MS + 100_000, START_MS + 200_000, 1000):
        tracker.ingest(readings[readings["time_ms"] == clock])
        last = tracker.frame(clock)
    assert last["quality"].tolist() == [LOST, FRESH, FRESH]
    assert last["position"].tolist() == [3, 1, 2]
    assert last["group"][0] == 0
    assert last["gap_m"][1] == 0
    assert tracker.counts.withdrawn == 100
    restored = Tracker.restore(course(ROAD), tracker.checkpoint())
    assert restored.frame(START_MS + 200_000).tobytes() == tracker.frame(START_MS + 200_000).tobytes()


def test_a_device_in_a_car_does_not_lead_the_race() -> None:
    """Guards: a team car with a bike on its roof that goes up a climb, and past the race."""
    road = course(ROAD)
    steep = int(np.convolve(road.gradient, np.ones(400) / 400, "valid").argmax())
    start = road.distance[steep]
    given_up = np.full(180, start - 500.0)
    car = ride(road, 1, np.concatenate((given_up, start - 500 + 17.0 * np.arange(120))), START_MS, 1)
    rider = ride(road, 2, start - 900 + 5.0 * np.arange(300), START_MS, 2)
    tracker = Tracker(road, np.array([1, 2]), START_MS - round(start / 11.5 * 1000))
    frames = run(tracker, np.concatenate((car, rider)), 300)
    assert frames[170]["quality"].tolist() == [FRESH, FRESH]
    assert frames[-1]["position"].tolist() == [2, 1]
    assert frames[-1]["quality"].tolist() == [LOST, FRESH]


def test_a_field_that_goes_as_nobody_rides_is_believed() -> None:
    """Guards: a whole recording refused because its profile, or its riders, are too good to be true."""
    road = course(ROAD)
    steep = road.distance[int(np.convolve(road.gradient, np.ones(400) / 400, "valid").argmax())]
    readings = ride(road, 1, steep + 16.0 * np.arange(120), START_MS, 1)
    frames = run(Tracker(road, np.array([1]), START_MS - round(steep / 11.5 * 1000)), readings, 120)
    assert frames[-1]["quality"].tolist() == [FRESH]


@pytest.mark.parametrize("sampling_s", [1, 2, 5, 10])
def test_a_device_is_fresh_at_whatever_sampling_it_has(sampling_s: int) -> None:
    """Guards: a rider who reports every ten seconds, as he should, and is told as guessed most of the time."""
    readings = field(400)
    sampled = readings[(readings["time_ms"] // 1000) % sampling_s == 0]
    tracker = Tracker(course(ROAD), np.array([1, 2, 3]), START_MS)
    frames = np.array(run(tracker, sampled, 400))
    known = frames[60:]
    assert (known["quality"] == FRESH).all()
    truth = 11.0 * np.arange(60, 400)[:, None] + [200, 100, 0]
    assert np.median(np.abs(known["distance_m"] - truth)) < 6
    assert np.median(np.abs(known["speed_ms"] - 11.0)) < 0.7


ABSURD = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([np.nan, np.inf, 91.0, -1e300])


@settings(max_examples=30, deadline=None)
@given(ABSURD, ABSURD, st.integers(-(2**63), 2**63 - 1), st.integers(0, 0xFFFF), st.integers(5, 50))
def test_absurd_readings_move_nobody(lat: float, lon: float, time_ms: int, device: int, second: int) -> None:
    """Guards: a forged or broken reading that crashes the kernel, or carries a rider away."""
    wild = np.zeros(3, READING)
    wild["device"], wild["time_ms"], wild["lat"], wild["lon"] = device, time_ms, lat, lon
    wild["device"][1], wild["time_ms"][1] = 2, START_MS + second * 1000 + 500
    wild["device"][2] = 2
    readings = field(60)
    tracker = Tracker(course(ROAD), np.array([1, 2, 3]), START_MS)
    for clock in range(START_MS, START_MS + 60_000, 1000):
        tracker.ingest(readings[readings["time_ms"] == clock])
        if clock == START_MS + second * 1000:
            tracker.ingest(wild)
        last = tracker.frame(clock)
    assert np.abs(last["distance_m"] - (11.0 * 59 + np.array([200, 100, 0]))).max() < 20
