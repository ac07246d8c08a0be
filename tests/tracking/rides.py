"""What the tests of tracking share: the real courses, a recorded stage, and single riders whose truth is known."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from tracking.course import Course, read_course
from tracking.kernel import Tracker
from tracking.records import READING
from tracking.simulation.simulator import Recording, record_stage

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
START_MS = 1_499_596_500_000
METRES_PER_DEGREE = 111_195.0


@cache
def course(stem: str) -> Course:
    """One of the courses in stacks/."""
    return read_course(COURSES / f"{stem}.geojson")


@cache
def laps_stage() -> Recording:
    """A whole simulated stage that ends with laps of one avenue."""
    return record_stage(course("2022-21"), seed=3, start_ms=START_MS)


def ride(road: Course, device: int, distance: np.ndarray, start_ms: int, seed: int) -> np.ndarray:
    """READING (n,) of a device that is at `distance[i]` after i seconds, with 3 m of noise each way."""
    noise = np.random.default_rng([seed, device]).normal(0, 3.0, (2, len(distance)))
    readings = np.zeros(len(distance), READING)
    readings["device"] = device
    readings["time_ms"] = start_ms + np.arange(len(distance)) * 1000
    lat = np.interp(distance, road.distance, road.lat)
    readings["lat"] = lat + noise[0] / METRES_PER_DEGREE
    readings["lon"] = np.interp(distance, road.distance, road.lon) + noise[1] / (
        METRES_PER_DEGREE * np.cos(np.radians(lat))
    )
    return readings


def replay(road: Course, riders: np.ndarray, start_ms: int, readings: np.ndarray) -> Iterator[np.ndarray]:
    """The frames of a recorded stage, one for each second from its first to its last fix.

    `readings`: READING (n,) in any order. Each frame knows what was fixed up to its second.
    """
    ordered = readings[np.argsort(readings["time_ms"], kind="stable")]
    seconds = np.arange(ordered["time_ms"][0], ordered["time_ms"][-1] + 1000, 1000)
    ends = np.searchsorted(ordered["time_ms"], seconds, side="right")
    tracker = Tracker(road, riders, start_ms)
    for clock_ms, batch in zip(seconds.tolist(), np.split(ordered, ends[:-1]), strict=True):
        tracker.ingest(batch)
        yield tracker.frame(clock_ms)
