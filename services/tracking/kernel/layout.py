"""The memory of the kernel: flat records that compiled functions share. Times are Unix milliseconds, distances official
metres from the start."""

from typing import NamedTuple

import numpy as np

from tracking.compiled import compiled
from tracking.course import Course

REMEMBERED = 16
"""Readings kept for each rider; a power of two. At one a second they reach beyond the watermark."""
WATERMARK_MS = 8_000
"""A reading that comes later than this changes nothing any more; within it the order of arrival does not matter."""

APART_M = 40.0
"""Places closer to each other along the road are one."""
FOLD_M = 40.0
"""Legs closer to each other than this may be mistaken for one another ..."""
FOLDED_BEYOND_M = 70.0
"""... where they are farther from each other than this along the road."""
FOLDED_WITHIN_M = 3000.0

TRAIL = 256
"""Places on the trail of each rider, one for each `TRAIL_STEP_MS`: three quarters of an hour."""
TRAIL_STEP_MS = 10_000

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
        ("held", "i8"),  # readings in a row that could be on several legs of the road
        ("top_m", "f8"),  # as far as the rider has come
        ("sought_m", "f8"),  # where the rider was looked for on the whole road, ...
        ("spread_m", "f8"),  # ... give or take this
        ("interval_ms", "f8"),  # from one reading to the next, of late; 0 while unknown
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
        ("withdrawn_ms", "i8"),  # from when on the rider takes no part
        ("effort", "f8"),  # W/kg, what the last minute would have cost in the shelter of others
        ("stood_ms", "i8"),  # for how long without a break, once it was long enough to have given up
        ("driven", "b1"),  # gave up, and nobody could have ridden like this since: the device is in a car
        ("carried", "b1"),  # the same, found by how the others rode the same road, until race control says otherwise
        ("key", "f8"),  # ranks the riders, largest first
        ("group", "i8"),  # at the last frame, 0 for none
        ("group_id", "i8"),
        ("power", "f8"),  # W, estimated and smoothed, below 0 while braking, NaN while unknown
        ("classified_s", "f8"),  # s behind the leader of the classification before the stage, NaN while unknown
        ("counted_s", "f8"),  # s behind the first of the stage, as they would be given; the last ones known
        ("general", "i8"),  # which rider is at this place of the virtual classification
        ("starts_ms", "i8"),  # own start: the race's, but in a time trial
        ("unit", "i8"),  # in a time trial, the first rider of those who are timed together
        ("noted_m", "f8"),  # up to here the unit's times are among the best ones ...
        ("noted_ms", "i8"),  # ... passed at this time; of the unit's first rider, as both
        ("gap_s", "f8"),  # in a time trial, NaN while unknown
        ("trail", "f4", (TRAIL,)),  # distances, NaN while unknown
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
        ("held", "i8"),
        ("unknown", "i8"),
        ("spare", "i8"),
        ("clock", "i8"),
        ("withdrawn", "i8"),
        ("split_s", "f8"),  # riders of one group are two groups beyond this gap ...
        ("join_s", "f8"),  # ... and those of two groups one below this
        ("group_ids", "i8"),  # given so far
        ("yellow", "i8"),  # which rider wears the yellow jersey, -1 where nobody is known to
        ("classified", "i8"),  # riders whose place in the classification before the stage is known
        ("trail_steps", "i8"),  # noted on the trails so far
        ("early", "i8"),
        ("counted", "i8"),  # which rider of a unit gives its time; 0 in a race that all start together
        ("best_ms", "f8"),  # the best time at the finish of a time trial, NaN before
    ],
    align=True,
)
"""The race as a whole, and what became of its readings."""

VIEW = np.dtype(
    [
        ("lat", "f8"),
        ("lon", "f8"),
        ("gradient", "f8"),
        ("elevation", "f8"),
        ("heading", "f8"),  # of the road, degrees clockwise from north
        ("east", "f8"),  # the same as a vector of length 1
        ("north", "f8"),
    ],
    align=True,
)
"""What a rider meets at a place of the road."""

HEADING_REACH = 2
"""Places to either side over which the heading of the road is taken: a single step shakes with the trace."""

SEGMENT = np.dtype(
    [
        ("x", "f8"),  # of its beginning, metres on the plane
        ("y", "f8"),
        ("dx", "f8"),
        ("dy", "f8"),
        ("per_length2", "f8"),  # 1 / squared length, 0 where it has none
        ("fold_m", "f8"),  # along the road to the nearest other leg that could be mistaken for this one
    ],
    align=True,
)
"""The straight line from one place of the road to the next; side by side in memory, as matching walks over them."""


@compiled
def slot(track, number):
    """Where the remembered reading `number` (0 is the oldest) is kept."""
    return (track.first + number) & (REMEMBERED - 1)


@compiled
def note_folds(segments, step_m):
    """Fills in how far along the road the nearest other leg is at each segment; infinite where there is none."""
    far = int(FOLDED_WITHIN_M / step_m)
    for i in range(len(segments)):
        segments[i].fold_m = np.inf
    for i in range(len(segments)):
        j = i + int(FOLDED_BEYOND_M / step_m)
        while j < min(i + far, len(segments)):
            east, north = segments[j].x - segments[i].x, segments[j].y - segments[i].y
            apart_m = np.sqrt(east * east + north * north)
            if apart_m < FOLD_M:
                segments[i].fold_m = min(segments[i].fold_m, (j - i) * step_m)
                segments[j].fold_m = min(segments[j].fold_m, (j - i) * step_m)
                j += 1
            else:
                j += max(int((apart_m - FOLD_M) / (1.5 * step_m)), 1)


class Road(NamedTuple):
    """A course for compiled code; arrays (n,) with a place every `step_m`."""

    segments: np.ndarray
    """SEGMENT (n - 1,)"""
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
    note_folds(segments, course.step_m)
    return segments


def view_of(course: Course) -> np.ndarray:
    """VIEW (n,) of every place of the course."""
    places = np.arange(len(course.x))
    before, behind = np.maximum(places - HEADING_REACH, 0), np.minimum(places + HEADING_REACH, len(places) - 1)
    angle = np.arctan2(course.x[behind] - course.x[before], course.y[behind] - course.y[before])
    view = np.zeros(len(places), VIEW)
    for name in ("lat", "lon", "gradient", "elevation"):
        view[name] = getattr(course, name)
    view["heading"], view["east"], view["north"] = np.degrees(angle) % 360.0, np.sin(angle), np.cos(angle)
    return view
