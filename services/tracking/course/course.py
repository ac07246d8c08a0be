"""A road in 5 m steps of official distance, from the trace of a stage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tracking.course.climbs import Climb, Summit, find_climbs, name_climbs
from tracking.course.file import Checkpoint, Trace, read_trace
from tracking.course.formats.drawing import MarkKind
from tracking.course.geometry import Plane, along_trace
from tracking.course.laps import Beside, Laps, find_laps, roads_beside
from tracking.course.warp import traced_of

STEP_M = 5.0
GRADIENT_REACH_M = 100.0
"""Gradient is the slope fitted over this much road on either side."""


def _nowhere() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Sprint:
    """An intermediate sprint."""

    at_m: float
    """Official metres from the start."""
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A road with a place every `step_m` official metres. All arrays have shape (n,), n = length / step + 1."""

    start: str
    finish: str
    kind: str
    year: int
    """Edition and stage that the trace is of: a stage may use another's course as its stand-in."""
    stage: int
    official_km: float
    traced_km: float
    """As the trace measures from the official start to the finish; distances are warped from it to official ones."""
    attribution: str
    step_m: float
    distance: np.ndarray
    """Official metres from the start: 0, step, ..., length."""
    lat: np.ndarray
    lon: np.ndarray
    elevation: np.ndarray
    gradient: np.ndarray
    """Rise over run, smoothed."""
    plane: Plane
    x: np.ndarray
    """Metres on `plane`."""
    y: np.ndarray
    climbs: tuple[Climb, ...]
    sprints: tuple[Sprint, ...] = ()
    laps: tuple[Laps, ...] = ()
    beside: tuple[Beside, ...] = ()
    """Where one position alone does not tell which road a rider is on."""
    neutral_lat: np.ndarray = field(default_factory=_nowhere)
    """(m,) The road of the neutral zone, in about the same steps, from where the field gathers to the official start;
    empty where the course begins at the official start. A rider there has no official distance yet."""
    neutral_lon: np.ndarray = field(default_factory=_nowhere)
    neutral_m: float = 0.0
    """Length of the neutral zone, as the trace measures."""

    @property
    def name(self) -> str:
        """Says where the road really is, so that a stand-in is never taken for the stage itself."""
        towns = f"{self.start} → {self.finish}"
        return f"{self.year} stage {self.stage}, {towns}" if self.year else towns

    @property
    def length_m(self) -> float:
        """Official metres from start to finish."""
        return float(self.distance[-1])


def read_course(
    path: Path,
    official_km: float | None = None,
    checkpoints: Sequence[Checkpoint] | None = None,
    neutral_km: float | None = None,
) -> Course:
    """The course of a GeoJSON, GPX, TCX or FIT file; CourseError with every mistake of the file. What is given beside
    the file is as in `read_trace`."""
    return build_course(read_trace(path, official_km, checkpoints, neutral_km))


def build_course(trace: Trace) -> Course:
    """Resamples a checked trace to even steps of official distance."""
    along = along_trace(trace.lon, trace.lat)
    official_m = trace.official_km * 1000
    knots = trace.knots or ((0.0, 0.0), (float(along[-1]), official_m))
    steps = round(official_m / STEP_M)
    step_m = official_m / steps
    distance = np.linspace(0.0, official_m, steps + 1)
    on_trace = traced_of(knots, distance)
    lat, lon, elevation = (_resampled(column, along, on_trace) for column in (trace.lat, trace.lon, trace.elevation))
    plane = Plane(lat=float(lat.mean()), lon=float(lon.mean()))
    x, y = plane.project(lat, lon)
    neutral_m = knots[0][0]
    neutral = np.linspace(0.0, neutral_m, round(neutral_m / STEP_M) + 1) if neutral_m else np.zeros(0)
    neutral_lat, neutral_lon = (_resampled(column, along, neutral) for column in (trace.lat, trace.lon))
    gradient = _fitted_slope(elevation, step_m)
    for array in (distance, lat, lon, elevation, gradient, x, y, neutral_lat, neutral_lon):
        array.setflags(write=False)
    beside = roads_beside(distance, x, y)
    summits = (Summit(mark.at_m, mark.name, mark.category) for mark in trace.marks if mark.kind is MarkKind.CLIMB)
    return Course(
        start=trace.start,
        finish=trace.finish,
        kind=trace.kind,
        year=trace.year,
        stage=trace.stage,
        official_km=trace.official_km,
        traced_km=(knots[-1][0] - neutral_m) / 1000,
        attribution=trace.attribution,
        step_m=step_m,
        distance=distance,
        lat=lat,
        lon=lon,
        elevation=elevation,
        gradient=gradient,
        plane=plane,
        x=x,
        y=y,
        climbs=name_climbs(find_climbs(distance, elevation), summits, distance, elevation),
        sprints=tuple(Sprint(mark.at_m, mark.name) for mark in trace.marks if mark.kind is MarkKind.SPRINT),
        laps=find_laps(beside),
        beside=beside,
        neutral_lat=neutral_lat,
        neutral_lon=neutral_lon,
        neutral_m=neutral_m,
    )


def _resampled(column: np.ndarray, along: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A column (n,) of the trace at other metres along it; of points at the same place the first one counts."""
    moved = np.concatenate(([True], np.diff(along) > 0))
    return np.interp(at, along[moved], column[moved])


def _fitted_slope(elevation: np.ndarray, step_m: float) -> np.ndarray:
    """Least-squares slope of the profile around each place; whole-metre elevations would make differences jump."""
    reach = round(GRADIENT_REACH_M / step_m)
    ramp = np.arange(-reach, reach + 1)
    padded = np.pad(elevation, reach, mode="reflect", reflect_type="odd")
    return np.convolve(padded, ramp[::-1], mode="valid") / (ramp @ ramp * step_m)
