"""When a recorded race began, where nobody says."""

import numpy as np

from tracking.course import Course
from tracking.replay.recording import Recording

SAMPLE_S = 10
LOOK_M = 6000.0
"""The beginning of the road is enough to see a field ride off."""
PLACE_M = 20.0
OFF_ROAD_M = 60.0
FEWEST_SHARE = 0.3
"""Of the riders must be seen on the road for the middle of the field to be known."""
AWAY_M = 400.0
"""A field whose middle is so far from the start, for some samples, has begun the race."""
SAMPLES_AWAY = 6
HEAD_SHARE = 0.95
"""Share of the riders who are not beyond the head: one wild position is not the head."""
STANDING_M = 25.0
TYPICAL_SPEED = 11.0


def infer_start(course: Course, recording: Recording) -> int:
    """Unix milliseconds at which the head of the field left the official start, to about ten seconds."""
    seconds, head, middle = _field(course, recording)
    away = np.flatnonzero((middle > AWAY_M) & np.append(middle[1:] > AWAY_M, True))
    if not len(away):
        return recording.first_ms
    standing = np.flatnonzero(head[: away[0]] <= STANDING_M)
    if len(standing):
        return round(seconds[standing[-1]] * 1000)
    return round((seconds[0] - head[0] / TYPICAL_SPEED) * 1000)  # the recording begins on the way


def _field(course: Course, recording: Recording) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Unix seconds, metres of its head, of its middle), each (k,), until the field is well under way."""
    told: list[tuple[float, float, float]] = []
    away = 0
    for stretch in recording.in_order():
        slots = stretch["time_ms"] // (SAMPLE_S * 1000)
        for rows in np.split(stretch, np.flatnonzero(np.diff(slots)) + 1):
            newest = rows[len(rows) - 1 - np.unique(rows["device"][::-1], return_index=True)[1]]
            distance = _on_first_stretch(course, newest)
            distance = distance[np.isfinite(distance)]
            if len(distance) < max(FEWEST_SHARE * len(recording.riders), 1):
                continue
            told.append((rows["time_ms"][-1] / 1000, np.quantile(distance, HEAD_SHARE), np.median(distance)))
            away = away + 1 if told[-1][2] > AWAY_M else 0
            if away == SAMPLES_AWAY:
                return _columns(told)
    return _columns(told)


def _columns(told: list[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    seconds, head, middle = np.array(told, float).reshape(-1, 3).T
    return seconds, head, middle


def _on_first_stretch(course: Course, readings: np.ndarray) -> np.ndarray:
    """Metres from the start of each reading (n,); NaN where it is not on the first stretch of the road."""
    step = max(round(PLACE_M / course.step_m), 1)
    places = slice(0, round(LOOK_M / course.step_m), step)
    x, y = course.plane.project(readings["lat"], readings["lon"])
    off2 = (x[:, None] - course.x[places]) ** 2 + (y[:, None] - course.y[places]) ** 2
    nearest = off2.argmin(axis=1)
    distance = course.distance[places][nearest]
    return np.where(off2[np.arange(len(x)), nearest] <= OFF_ROAD_M**2, distance, np.nan)
