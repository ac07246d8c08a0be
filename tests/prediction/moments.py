"""Invented moments of a race: groups of given sizes and gaps, riding evenly on a flat road."""

from functools import cache
from pathlib import Path

import numpy as np
from tracking.course import Course, read_course
from tracking.prediction.model import Model, load_model
from tracking.prediction.observation import EVERY_S, SEEN
from tracking.prediction.pace import Profile
from tracking.prediction.riding import CELL_M
from tracking.prediction.situation import Window
from tracking.prediction.study.stages import Stage, ride_stage

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
SPEED_MS = 12.0
FLAT = Profile(np.zeros(2000), 2000 * CELL_M)


@cache
def model() -> Model:
    """The fitted model that comes with the package."""
    return load_model()


@cache
def course() -> Course:
    """The shortest one."""
    return read_course(COURSES / "2022-01.geojson")


@cache
def stage() -> Stage:
    """A whole simulated stage on it, tracked."""
    return ride_stage(course(), seed=3)


def away(gap_s: float, to_go_km: float, sizes: tuple[int, int] = (6, 180), lasting_s: int = 900) -> Window:
    """A breakaway that has been so far ahead for a while."""
    return groups([(sizes[0], 0.0), (sizes[1], gap_s)], to_go_km, lasting_s)


def groups(sizes_and_gaps: list[tuple[int, float]], to_go_km: float, lasting_s: int = 900) -> Window:
    """Groups of (size, seconds behind the first), the first of which has so far to go."""
    moments = lasting_s // EVERY_S + 1
    head_m = FLAT.length_m - to_go_km * 1000 - SPEED_MS * EVERY_S * np.arange(moments)[::-1]
    parts = []
    for number, (size, gap_s) in enumerate(sizes_and_gaps, start=1):
        seen = np.zeros((moments, size), SEEN)
        seen["distance_m"] = (head_m - SPEED_MS * gap_s)[:, None] - 0.1 * np.arange(size)
        seen["gap_s"] = gap_s
        seen["group"] = number
        parts.append(seen)
    now_s = head_m[-1] / SPEED_MS
    return Window(np.concatenate(parts, axis=1), EVERY_S, now_s)
