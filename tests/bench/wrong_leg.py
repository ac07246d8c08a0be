"""How often a reading is assigned to the wrong leg of the road: the other side of a hairpin, the way back, another lap.

A field of 198 rides every course with steady noise of 5 m each way, 1 % outliers (single ones and short runs), and
holes of 30 s in every rider's signal, and the tracker's place is held against the truth.

Definition: an *assignment* is a reading that the tracker believed and by which it placed a rider who takes part in the
standing. It is *wrong* where the rider is then told to be more than 100 m along the road from the truth (twenty times
the noise). Readings that are refused, and the seconds of a hole, are no assignments; what they leave behind is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tracking.briefing.riders import start_list
from tracking.course import Course, build_course, read_course
from tracking.course.file import Trace
from tracking.course.geometry import METRES_PER_DEGREE
from tracking.kernel import Tracker
from tracking.records import READING
from tracking.simulation.road import build_road

from tests.bench.figure import Figure

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
START_MS = 1_499_596_500_000
WRONG_M = 100.0
ASSIGNMENTS = 1_000_000
"""Measured at least on every course."""
GOAL = 1.0
"""Wrong ones of 100,000."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the radio and the receivers do to a field's readings."""

    noise_m: float = 5.0
    """Standard deviation each way; half of its variance drifts slowly, half is new each second."""
    outlier_share: float = 0.01
    run_share: float = 0.1
    """Of the outliers that begin, those that last for some seconds at one shift, as reflected signals do."""
    hole_s: int = 30
    hole_every_s: int = 300
    """Mean time from one hole of a rider to the next."""
    sampling_s: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a field's readings."""

    sent: int
    assignments: int
    wrong: int
    worst_m: float
    """Farthest assignment from the truth."""

    @property
    def per_100000(self) -> float:
        return self.wrong / max(self.assignments, 1) * 100_000


def figures() -> Iterator[Figure]:
    """One figure a course, the synthetic ones last."""
    roads = {path.stem: read_course(path) for path in sorted(COURSES.glob("*.geojson"))}
    for name, road in {**roads, **synthetic_roads()}.items():
        measured = measure_all(road)
        figure = f"tracking.wrong_leg_per_100000.{name}"
        yield Figure(figure, round(measured.per_100000, 3), f"of {measured.assignments} assignments", GOAL)


def measure_all(road: Course) -> Measured:
    """Rides the course until there are enough assignments, each time with another field."""
    parts: list[Measured] = []
    while sum(part.assignments for part in parts) < ASSIGNMENTS:
        parts.append(measure(road, Conditions(), seed=len(parts)))
    totals = (sum(getattr(part, name) for part in parts) for name in ("sent", "assignments", "wrong"))
    return Measured(*totals, worst_m=max(part.worst_m for part in parts))


def measure(road: Course, conditions: Conditions, seed: int, seconds: int | None = None) -> Measured:
    """Rides a course, to the end or for some seconds, and compares every assignment with the truth."""
    distance = ride_field(road, len(start_list()), seed, seconds)
    readings = field_readings(road, distance, conditions, seed)
    ends = np.searchsorted(readings["time_ms"], START_MS + 1000 * np.arange(len(distance)), side="right")
    tracker = Tracker(road, start_list(), START_MS)
    assignments = wrong = 0
    worst_m = 0.0
    for second, batch in enumerate(np.split(readings, ends[:-1])):
        clock_ms = START_MS + second * 1000
        tracker.ingest(batch)
        states = tracker.frame(clock_ms)
        assigned = (states["quality"] == 0) & (states["seen_ms"] == clock_ms)
        off_m = np.abs(states["distance_m"] - distance[second])[assigned]
        assignments += len(off_m)
        wrong += int((off_m > WRONG_M).sum())
        worst_m = max(worst_m, float(off_m.max(initial=0.0)))
    return Measured(len(readings), assignments, wrong, worst_m)


def ride_field(road: Course, riders: int, seed: int, seconds: int | None = None) -> np.ndarray:
    """Truth: official metres (T, riders) of riders who climb, descend, brake for bends, tire, and now and then stop."""
    lot = np.random.default_rng([seed, 1])
    bends = build_road(road).top_speed
    steady = np.clip(11.5 / (1.0 + 20.0 * np.maximum(road.gradient, 0)) - 130.0 * np.minimum(road.gradient, 0), 3, 21)
    limit = np.minimum(steady, bends)
    strength = lot.uniform(0.85, 1.1, riders)
    leaves_at = np.sort(lot.uniform(0, 240, riders))
    distance, speed, mood, stopped = np.zeros(riders), np.zeros(riders), np.zeros(riders), np.zeros(riders)
    course_m, rows = road.length_m, [distance.copy()]
    while distance.min() < course_m if seconds is None else len(rows) < seconds:
        mood = 0.985 * mood + lot.normal(0, 0.17, riders)
        stopped = np.where(lot.random(riders) < 1 / 7200, lot.uniform(5, 60, riders), stopped - 1)
        cells = np.minimum((distance / road.step_m).astype(int), len(limit) - 1)
        wanted = np.maximum(np.minimum(limit[cells] * strength + mood, 1.05 * bends[cells]), 2.0)
        wanted[(stopped > 0) | (len(rows) < leaves_at)] = 0.0
        speed = np.clip(wanted, speed - 3.0, speed + 0.9)
        distance = np.minimum(distance + speed, course_m + 60.0)
        rows.append(distance.copy())
    return np.array(rows)


def field_readings(road: Course, distance: np.ndarray, conditions: Conditions, seed: int) -> np.ndarray:
    """READING (n,) by time: what the receivers of a field at `distance` (T, riders) report until the finish."""
    lot = np.random.default_rng([seed, 2])
    shape = distance.shape
    east, north = (_noise(lot, shape, conditions.noise_m) + shift for shift in _outliers(lot, shape, conditions))
    lat = np.interp(distance, road.distance, road.lat)
    lon = np.interp(distance, road.distance, road.lon)
    readings = np.zeros(shape, READING)
    readings["device"] = start_list()[: shape[1]]
    readings["time_ms"] = START_MS + 1000 * np.arange(shape[0])[:, None]
    readings["lat"] = lat + north / METRES_PER_DEGREE
    readings["lon"] = lon + east / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    sampled = (np.arange(shape[0])[:, None] + np.arange(shape[1])) % conditions.sampling_s == 0
    return readings[sampled & ~_holes(lot, shape, conditions) & (distance < road.length_m)]


def synthetic_roads() -> dict[str, Course]:
    """Roads that real ones only come near: the same road back, twenty hairpins 30 m apart, ten laps, crossings."""
    return {"out-and-back": _out_and_back(), "hairpins": _hairpins(), "laps": _laps(), "eights": _eights()}


def _noise(lot: np.random.Generator, shape: tuple[int, ...], noise_m: float) -> np.ndarray:
    keeps = 0.96
    fresh = lot.normal(0, noise_m * np.sqrt(0.5), shape)
    drift = np.empty(shape)
    drift[0] = lot.normal(0, noise_m * np.sqrt(0.5), shape[1])
    pushes = lot.normal(0, noise_m * np.sqrt(0.5 * (1 - keeps**2)), shape)
    for second in range(1, shape[0]):
        drift[second] = keeps * drift[second - 1] + pushes[second]
    return fresh + drift


def _outliers(lot: np.random.Generator, shape: tuple[int, ...], conditions: Conditions) -> list[np.ndarray]:
    """Metres (east, north) by which outliers are shifted: 20 m to 5 km, short shifts as often as long ones."""
    mean_length = 1 + conditions.run_share * 3.0
    begins = np.argwhere(lot.random(shape) < conditions.outlier_share / mean_length)
    lasts = np.where(lot.random(len(begins)) < conditions.run_share, lot.integers(2, 7, len(begins)), 1)
    far, angle = 10 ** lot.uniform(np.log10(20), np.log10(5000), len(begins)), lot.uniform(0, 2 * np.pi, len(begins))
    east, north = np.zeros(shape), np.zeros(shape)
    for (second, rider), last, shift, turn in zip(begins, lasts, far, angle, strict=True):
        east[second : second + last, rider] = shift * np.cos(turn)
        north[second : second + last, rider] = shift * np.sin(turn)
    return [east, north]


def _holes(lot: np.random.Generator, shape: tuple[int, ...], conditions: Conditions) -> np.ndarray:
    """Whether a rider is not heard; nobody is lost before the first minute is over."""
    begins = lot.random(shape) < 1 / conditions.hole_every_s
    begins[:60] = False
    begun = np.cumsum(begins, axis=0)
    before = np.vstack((np.zeros((conditions.hole_s, shape[1]), int), begun[: -conditions.hole_s]))
    return begun > before


def _out_and_back() -> Course:
    out = np.linspace(0, 12_000, 1200)
    bend = 400 * np.sin(out / 1500)
    return _road(np.concatenate((out, out[::-1])), np.concatenate((bend, bend[::-1])))


def _hairpins() -> Course:
    x, y = [np.linspace(-3000, 0, 300)], [np.zeros(300)]
    for leg in range(20):
        along = np.linspace(0, 400, 41)
        x.append(along if leg % 2 == 0 else along[::-1])
        y.append(np.full(41, 30.0 * leg))
        turn = np.linspace(-np.pi / 2, np.pi / 2, 9)
        x.append(400 + 15 * np.cos(turn) if leg % 2 == 0 else -15 * np.cos(turn))
        y.append(30.0 * leg + 15 + 15 * np.sin(turn))
    return _road(np.concatenate(x), np.concatenate(y))


def _laps() -> Course:
    angle = np.linspace(0, 2 * np.pi * 10, 4000)
    return _road(700 * np.cos(angle) + 200 * np.cos(3 * angle), 500 * np.sin(angle))


def _eights() -> Course:
    angle = np.linspace(0, 2 * np.pi * 6, 4000)
    return _road(900 * np.sin(angle), 900 * np.sin(angle) * np.cos(angle))


def _road(x: np.ndarray, y: np.ndarray) -> Course:
    """A flat course through points in metres."""
    lat = 45.0 + y / METRES_PER_DEGREE
    lon = 5.0 + x / (METRES_PER_DEGREE * np.cos(np.radians(45.0)))
    km = float(np.hypot(np.diff(x), np.diff(y)).sum()) / 1000
    return build_course(Trace("A", "B", "road", 0, 0, km, "", lon, lat, np.zeros(len(x))))
