"""How hard groups ride: what is usual on each kind of road and so near the line, and how much it varies.

Efforts are logarithms of W/kg. All figures of `Paces` are measured on simulated stages; none is assumed.
"""

from dataclasses import dataclass

import numpy as np

from tracking.course import Course
from tracking.prediction.effort import effort
from tracking.prediction.riding import CELL_M, DESCENDING
from tracking.prediction.situation import Window

CLIMBING = 0.03
"""Gradient from which groups ride as on a climb."""
TO_GO_KM = (3.0, 8.0, 15.0, 30.0, 60.0)
"""Between these a race is in another phase."""
FINISH_KM = (1.5, 3.5, 7.0, 12.0, 22.0, 35.0, 60.0)
"""Between these the finish is forecast differently well."""
DESCENTS = (-0.06, -0.04)
"""Gradients between which descents are counted as equally fast."""
STEP_S = 30
"""Speeds are means over so long."""
RECENT_S = 600
LEAST_EFFORT = 0.5
AHEAD, PELOTON = 0, 1
"""Kinds of groups."""


@dataclass(frozen=True, slots=True)
class Paces:
    """The usual pace of a group ahead and of the peloton, and the spread around it; first index: kind of group."""

    level: np.ndarray
    """(2, 2, phases) usual effort, flat and climbing, by distance to the line."""
    descent_ms: np.ndarray
    """(2, 3) usual speed downhill, steepest first."""
    carry: np.ndarray
    """(2,) share of a group's present excess over the usual effort that it keeps."""
    lasting_sd: np.ndarray
    """(2,) spread of a group's effort to the line around what was to be expected."""
    passing_sd: np.ndarray
    """(2,) spread of each kilometre around that."""
    together: float
    """Correlation of the lasting spreads of a breakaway and its peloton."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The road as groups ride it: gradient (n,) every `CELL_M` from the start; the last cell may be shorter."""

    gradient: np.ndarray
    length_m: float

    def gradient_at(self, distance_m: np.ndarray) -> np.ndarray:
        """Gradients at distances, same shape."""
        cell = np.clip((distance_m / CELL_M).astype(int), 0, len(self.gradient) - 1)
        return self.gradient[cell]

    def metres(self) -> np.ndarray:
        """(n,) length of each cell."""
        starts = np.arange(len(self.gradient)) * CELL_M
        return np.minimum(starts + CELL_M, self.length_m) - starts

    def climbing_m(self, from_m: float, to_m: float) -> float:
        """Height gained between two distances, without what is lost again."""
        first, last = int(from_m / CELL_M), int(np.ceil(to_m / CELL_M))
        return float(np.maximum(self.gradient[first:last], 0.0).sum() * CELL_M)


def profile_of(course: Course) -> Profile:
    """The profile of a course."""
    at = np.arange(CELL_M / 2, course.length_m, CELL_M)
    return Profile(np.interp(at, course.distance, course.gradient), course.length_m)


def phase_of(to_go_m: np.ndarray) -> np.ndarray:
    """Index of the phase of the race, 0 nearest to the line."""
    return np.searchsorted(np.asarray(TO_GO_KM) * 1000, to_go_m, side="right")


def finish_phase_of(to_go_m: np.ndarray) -> np.ndarray:
    """Index of the phase in which forecasts of the finish are equally good, 0 nearest to the line."""
    return np.searchsorted(np.asarray(FINISH_KM) * 1000, to_go_m, side="right")


def descent_of(gradient: np.ndarray) -> np.ndarray:
    """Index of the kind of descent, 0 for the steepest."""
    return np.searchsorted(DESCENTS, gradient, side="right")


def efforts(distance_m: np.ndarray, size: int, every_s: int, profile: Profile) -> tuple[np.ndarray, ...]:
    """(speed in m/s, gradient, log effort, metres to go), (n,) each, of a group's distances every `every_s` seconds."""
    stride = STEP_S // every_s
    at = distance_m[::-stride][::-1].astype(float)
    speed = np.maximum(np.diff(at), 0.0) / STEP_S
    middle = (at[1:] + at[:-1]) / 2
    gradient = profile.gradient_at(middle)
    spent = np.maximum(effort(speed, gradient, size), LEAST_EFFORT)
    return speed, gradient, np.log(spent), profile.length_m - middle


def excess(window: Window, riders: np.ndarray, kind: int, paces: Paces, profile: Profile) -> float:
    """How much more than usual a group has spent of late, where the road did not go down; 0 where that is not known."""
    steps = RECENT_S // window.every_s
    distance = window.distance_m(riders)[-steps - 1 :]
    if len(distance) <= STEP_S // window.every_s:
        return 0.0
    _, gradient, spent, to_go_m = efforts(distance, len(riders), window.every_s, profile)
    pedalled = gradient > DESCENDING
    if not pedalled.any():
        return 0.0
    usual = paces.level[kind, (gradient >= CLIMBING).astype(int), phase_of(to_go_m)]
    return float(np.mean((spent - usual)[pedalled]))
