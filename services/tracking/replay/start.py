"""When a recorded race began, from nothing but its readings.

The start is when the field crossed kilometre 0. Before it, bikes stand in a depot (and all report one place), or roll
through a neutral zone; some appear late. So each device is asked when it went over the first kilometre of the road, in
order and at a rider's speed, and the earliest of those who went together give the start.
"""

import numpy as np

from tracking.course import Course
from tracking.replay.recording import Recording

LINE_M = 20.0
"""A device that was seen before this had not crossed the line yet."""
FIRST_KM_M = 1000.0
ON_ROAD_M = 40.0
SLOWEST_MS, FASTEST_MS = 2.5, 25.0
"""Mean speed over the first kilometre."""
TOGETHER_MS = 300_000
"""A start is where most devices cross within this time ..."""
AT_ONCE = 0.05
"""... and this share of them has crossed: nobody is first by a wrong reading alone."""
LATEST_M = 200.0
"""A device that appears later than this on the road says nothing about the start."""
STOOD_MS = 20_000
"""A device that was behind the line, on the road, for longer than this started from a stand."""
TYPICAL_SPEED = 11.0
"""m/s, of a race that is under way when its recording begins."""
FIRST_READINGS = 200


def infer_start(course: Course, recording: Recording) -> int:
    """When the field crossed kilometre 0, Unix milliseconds, a full second.

    Where the recording begins on the way, the time at which a typical field would have.
    """
    near = [rows[_off_start(course, rows) < FIRST_KM_M + 2 * ON_ROAD_M] for rows in recording.in_order()]
    crossed_ms = line_crossed(course, np.concatenate(near))
    if crossed_ms is not None:
        return crossed_ms
    first = next(recording.in_order())[:FIRST_READINGS]
    return recording.first_ms - round(_middle_of(course, first) / TYPICAL_SPEED * 1000)


def line_crossed(course: Course, readings: np.ndarray) -> int | None:
    """When the field crossed kilometre 0, Unix milliseconds, a full second; None where it never did.

    `readings`: READING (n,) near the start, in any order, of any sampling, with all faults that there are.
    """
    near = np.sort(readings, order=("device", "time_ms"))
    along, off = _on_first_km(course, near)
    ends = np.flatnonzero(np.diff(near["device"].astype(int), append=-1)) + 1
    crossed = [_crossing(rows["time_ms"], *places) for rows, *places in _split(ends, near, along, off)]
    times = np.sort(np.array([time_ms for time_ms in crossed if time_ms is not None], float))
    if not len(times):
        return None
    together = np.searchsorted(times, times + TOGETHER_MS, side="right") - np.arange(len(times))
    first = int(together.argmax())
    start_ms = times[first + int(AT_ONCE * (together[first] - 1))]
    return int(start_ms // 1000) * 1000


def _split(ends: np.ndarray, *columns: np.ndarray) -> zip:
    """Each device's part of the columns."""
    return zip(*(np.split(column, ends[:-1]) if len(ends) else [] for column in columns), strict=True)


def _off_start(course: Course, readings: np.ndarray) -> np.ndarray:
    """Metres (n,) from the start; infinite for what is no place."""
    x, y = course.plane.project(readings["lat"], readings["lon"])
    off = np.hypot(x - course.x[0], y - course.y[0])
    return np.where(np.isfinite(off), off, np.inf)


def _middle_of(course: Course, readings: np.ndarray) -> float:
    """Metres from the start of the middle of the field; 0 where nobody is on the road."""
    x, y = course.plane.project(readings["lat"], readings["lon"])
    off2 = (x[:, None] - course.x) ** 2 + (y[:, None] - course.y) ** 2
    on_road = off2.min(axis=1) < ON_ROAD_M**2
    return float(np.median(course.distance[off2[on_road].argmin(axis=1)])) if on_road.any() else 0.0


def _on_first_km(course: Course, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(metres along the road, metres beside it), each (n,), of the nearest place of the first 1.5 km."""
    cells = slice(0, round(1.5 * FIRST_KM_M / course.step_m))
    x, y = course.plane.project(readings["lat"], readings["lon"])
    along, off = np.zeros(len(x)), np.full(len(x), np.inf)
    for place_m, east, north in zip(course.distance[cells], course.x[cells], course.y[cells], strict=True):
        beside = np.hypot(x - east, y - north)
        nearer = beside < off
        along[nearer], off[nearer] = place_m, beside[nearer]
    return along, off


def _crossing(time_ms: np.ndarray, along: np.ndarray, off: np.ndarray) -> float | None:
    """When a device crossed the line before it first rode the kilometre; None where it did not, or was not seen to."""
    on_road = np.flatnonzero(off < ON_ROAD_M)
    time_ms, along = time_ms[on_road], along[on_road]
    for done in np.flatnonzero(along >= FIRST_KM_M):
        behind = np.flatnonzero(along[:done] <= LINE_M)
        first = int(behind[-1]) + 1 if len(behind) else 0
        took_s = (time_ms[done] - time_ms[first]) / 1000.0
        if along[first] > LATEST_M or not SLOWEST_MS * took_s < along[done] - along[first] < FASTEST_MS * took_s:
            continue
        later = first + int(np.argmax(along[first : done + 1] >= 4.0 * along[first]))
        stood = first > 0 and time_ms[first] - time_ms[behind[0]] > STOOD_MS
        share = 1.0 if stood else 1.0 / 3.0  # four times as far in twice the time from a stand, in four times rolling
        crossed_ms = time_ms[first] - share * (time_ms[later] - time_ms[first])
        return float(crossed_ms if stood or first == 0 else max(crossed_ms, time_ms[first - 1]))
    return None
