"""Whether a recording is of a course at all: how many of its readings lie on the road."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tracking.course import Course
from tracking.replay.recording import Recording

ON_ROAD_M = 60.0
SAMPLE = 1000
"""Readings, spread evenly over the recording, that are looked at."""
LEAST_SHARE = 0.05
"""Of another stage's recording, less lies on the road: towns and crossings that both pass."""
COURSE_STEP_M = 20.0


def off_course(path: Path, course: Course, recording: Recording) -> Iterator[str]:
    """A sentence where hardly any reading lies on the road, with what the reason may be."""
    readings = recording.readings
    sample = readings[np.unique(np.linspace(0, len(readings) - 1, SAMPLE).astype(int))]
    off_m = _off_road(course, sample["lat"], sample["lon"])
    share = float((off_m < ON_ROAD_M).mean())
    if share >= LEAST_SHARE:
        return
    swapped = _off_road(course, sample["lon"], sample["lat"])
    told = f"{path}: only {share:.0%} of the positions lie on the road of {course.name}"
    if (swapped < ON_ROAD_M).mean() >= LEAST_SHARE:
        yield f"{told}; lat and lon are swapped. Exchange these two columns."
        return
    away = f"half of them are more than {np.median(off_m) / 1000:,.1f} km away"
    yield f"{told}, {away}. Give the course of this stage with --course, or the recording of this course."


def _off_road(course: Course, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Metres (n,) from the nearest place of the road; roughly so where that is far."""
    every = max(round(COURSE_STEP_M / course.step_m), 1)
    x, y = course.plane.project(lat, lon)
    east, north = course.x[::every], course.y[::every]
    return np.array([np.hypot(east - here, north - there).min() for here, there in zip(x, y, strict=True)])
