"""The memory of the kernel: flat records that compiled functions share. Times are Unix milliseconds, distances official
metres from the start."""

from typing import NamedTuple

import numpy as np

from tracking.course import Course

REMEMBERED = 16
"""Readings kept for each rider; a power of two. At one a second they reach beyond the watermark."""
WATERMARK_MS = 8_000
"""A reading that comes later than this changes nothing any more; within it the order of arrival does not matter."""

FIX = np.dtype(
    [
        ("time_ms", "i8"),
        ("lat", "f8"),  # as reported; NaN where there was no report
        ("lon", "f8"),
        ("distance", "f8"),  # what was known after this reading
        ("speed", "f8"),  # m/s
        ("var_distance", "f8"),
        ("covariance", "f8"),
        ("var_speed", "f8"),
        ("field_m", "f8"),  # where the middle of the field was
        ("seen_ms", "i8"),  # time of the last believed reading
        ("proofs", "i8"),  # believed readings since the rider was found on the road, 0 while not found
        ("refusals", "i8"),  # readings in a row that were not believed
    ],
    align=True,
)
"""A reading and what was known of its rider after it."""

TRACK = np.dtype(
    [
        ("first", "i8"),  # slot of the oldest remembered reading
        ("count", "i8"),
        ("forgot", "b1"),  # readings older than the oldest one have had their effect and were dropped
        ("distance", "f8"),  # at the last frame
        ("speed", "f8"),
        ("seen_ms", "i8"),
        ("quality", "u1"),
        ("finish_ms", "i8"),  # 0 while on the road
        ("key", "f8"),  # ranks the riders, largest first
        ("group", "i8"),  # at the last frame, 0 for none
    ],
    align=True,
)
"""One rider."""

RACE = np.dtype(
    [
        ("start_ms", "i8"),
        ("clock_ms", "i8"),  # of the last frame, 0 before the first
        ("field_m", "f8"),  # where the middle of the field is, NaN while unknown
        ("head_m", "f8"),  # the road is passed up to here ...
        ("head_ms", "i8"),  # ... at this time, 0 while unknown
        ("first_finish_ms", "i8"),
        ("readings", "i8"),
        ("duplicates", "i8"),
        ("late", "i8"),
        ("frozen", "i8"),
        ("outliers", "i8"),
        ("unknown", "i8"),
    ],
    align=True,
)
"""The race as a whole, and what became of its readings."""


SEGMENT = np.dtype(
    [
        ("x", "f8"),  # of its beginning, metres on the plane
        ("y", "f8"),
        ("dx", "f8"),
        ("dy", "f8"),
        ("per_length2", "f8"),  # 1 / squared length, 0 where it has none
    ],
    align=True,
)
"""The straight line from one place of the road to the next; side by side in memory, as matching walks over them."""


class Road(NamedTuple):
    """A course for compiled code; arrays (n,) with a place every `step_m`."""

    segments: np.ndarray
    """SEGMENT (n - 1,)"""
    lat: np.ndarray
    lon: np.ndarray
    gradient: np.ndarray
    step_m: float
    length_m: float
    origin_lat: float
    origin_lon: float
    metres_east: float
    metres_north: float


def road_of(course: Course) -> Road:
    """The course as the kernel reads it."""
    east, north = course.plane.metres_per_degree
    return Road(
        segments=_segments_of(course),
        lat=course.lat,
        lon=course.lon,
        gradient=course.gradient,
        step_m=course.step_m,
        length_m=course.length_m,
        origin_lat=course.plane.lat,
        origin_lon=course.plane.lon,
        metres_east=east,
        metres_north=north,
    )


def _segments_of(course: Course) -> np.ndarray:
    segments = np.zeros(len(course.x) - 1, SEGMENT)
    segments["x"], segments["y"] = course.x[:-1], course.y[:-1]
    segments["dx"], segments["dy"] = np.diff(course.x), np.diff(course.y)
    length2 = segments["dx"] ** 2 + segments["dy"] ** 2
    np.divide(1.0, length2, out=segments["per_length2"], where=length2 > 0)
    return segments
