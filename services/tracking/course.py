"""The course of a stage, from its GeoJSON file to what positioning needs: a road in 5 m steps of official distance."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.climbs import Climb, find_climbs
from tracking.course_file import EARTH_RADIUS_M, CourseError, CourseMistake, Trace, read_trace, segment_lengths

__all__ = ["Climb", "Course", "CourseError", "CourseMistake", "build_course", "read_course"]

STEP_M = 5.0
GRADIENT_REACH_M = 100.0
"""Gradient is the slope fitted over this much road on either side."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A local flat map: metres east and north of an origin."""

    lat: float
    lon: float

    @property
    def metres_per_degree(self) -> tuple[float, float]:
        """(of longitude, of latitude) at the origin."""
        degree = np.radians(1.0) * EARTH_RADIUS_M
        return float(degree * np.cos(np.radians(self.lat))), float(degree)

    def project(self, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Degrees to (x east, y north) in metres, same shape."""
        east, north = self.metres_per_degree
        return (lon - self.lon) * east, (lat - self.lat) * north


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
    """As the trace measures; distances are scaled from this to the official length."""
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

    @property
    def name(self) -> str:
        """Says where the road really is, so that a stand-in is never taken for the stage itself."""
        return f"{self.year} stage {self.stage}, {self.start} → {self.finish}"

    @property
    def length_m(self) -> float:
        """Official metres from start to finish."""
        return float(self.distance[-1])


def read_course(path: Path) -> Course:
    """The course of a GeoJSON file; CourseError with every mistake of the file."""
    return build_course(read_trace(path))


def build_course(trace: Trace) -> Course:
    """Resamples a checked trace to even steps and scales its distances to the official length."""
    lengths = segment_lengths(trace.lon, trace.lat)
    along = np.concatenate(([0.0], np.cumsum(lengths)))
    moved = np.concatenate(([True], lengths > 0))
    official_m = trace.official_km * 1000
    steps = round(official_m / STEP_M)
    distance = np.linspace(0.0, official_m, steps + 1)
    on_trace = distance * (along[-1] / official_m)
    lat, lon, elevation = (
        np.interp(on_trace, along[moved], column[moved]) for column in (trace.lat, trace.lon, trace.elevation)
    )
    plane = Plane(lat=float(lat.mean()), lon=float(lon.mean()))
    x, y = plane.project(lat, lon)
    arrays = (distance, lat, lon, elevation, gradient := _fitted_slope(elevation, official_m / steps), x, y)
    for array in arrays:
        array.setflags(write=False)
    return Course(
        start=trace.start,
        finish=trace.finish,
        kind=trace.kind,
        year=trace.year,
        stage=trace.stage,
        official_km=trace.official_km,
        traced_km=float(along[-1]) / 1000,
        attribution=trace.attribution,
        step_m=official_m / steps,
        distance=distance,
        lat=lat,
        lon=lon,
        elevation=elevation,
        gradient=gradient,
        plane=plane,
        x=x,
        y=y,
        climbs=find_climbs(distance, elevation),
    )


def _fitted_slope(elevation: np.ndarray, step_m: float) -> np.ndarray:
    """Least-squares slope of the profile around each place; whole-metre elevations would make differences jump."""
    reach = round(GRADIENT_REACH_M / step_m)
    ramp = np.arange(-reach, reach + 1)
    padded = np.pad(elevation, reach, mode="reflect", reflect_type="odd")
    return np.convolve(padded, ramp[::-1], mode="valid") / (ramp @ ramp * step_m)
