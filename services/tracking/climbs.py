"""Finds the climbs of a course in its profile."""

from dataclasses import dataclass

import numpy as np

STRIDE_M = 50.0
"""Ascents are looked for at this spacing: shorter bumps are the road, not a climb."""
DESCENT_ENDS_M = 25.0
"""Losing this much height ends an ascent, and so does losing a fifth of what was gained."""
PLATEAU_ENDS_M = 2000.0
"""So does this much road without a new highest point."""
LEAST_GRADIENT = 0.03
CATEGORIES = ((800.0, "HC"), (640.0, "1"), (320.0, "2"), (160.0, "3"), (80.0, "4"))
"""Height gained (m) that a climb of at least 3 % needs for a category."""


@dataclass(frozen=True, slots=True)
class Climb:
    """A stretch that hurts. Distances in official metres."""

    from_m: float
    to_m: float
    gain_m: float
    category: str
    """HC, 1, 2, 3 or 4, by height gained; the organiser's own categories are not known."""

    @property
    def mean_gradient(self) -> float:
        """Rise over run."""
        return self.gain_m / (self.to_m - self.from_m)


def find_climbs(distance: np.ndarray, elevation: np.ndarray) -> tuple[Climb, ...]:
    """The climbs of a profile (n,), (n,) in metres, in road order."""
    at = np.arange(0.0, distance[-1], STRIDE_M)
    height = np.interp(at, distance, elevation)
    found = (_steepest_part(at[foot : top + 1], height[foot : top + 1]) for foot, top in _ascents(height))
    return tuple(climb for climb in found if climb is not None)


def _ascents(height: np.ndarray) -> list[tuple[int, int]]:
    """Foot and top (indices) of every stretch that goes up without a real descent or a long plateau in between."""
    ascents, foot, top = [], 0, 0
    patience = int(PLATEAU_ENDS_M / STRIDE_M)
    for i, here in enumerate(height):
        gained = height[top] - height[foot]
        if here > height[top]:
            top = i
        elif height[top] - here > max(DESCENT_ENDS_M, gained / 5) or i - top > patience:
            ascents.append((foot, top))
            foot = top = i
        elif gained < DESCENT_ENDS_M and here <= height[foot]:
            foot = top = i
    ascents.append((foot, top))
    return [(foot, top) for foot, top in ascents if top > foot]


def _steepest_part(at: np.ndarray, height: np.ndarray) -> Climb | None:
    """The part of an ascent with the largest gain x gradient: leaves out the false flats at foot and top."""
    gain = height[None, :] - height[:, None]
    run = at[None, :] - at[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where((run > 0) & (gain > 0), gain * gain / run, 0.0)
    first, last = np.unravel_index(score.argmax(), score.shape)
    gained, length = float(gain[first, last]), float(run[first, last])
    category = next((name for least, name in CATEGORIES if gained >= least), None)
    if category is None or gained < LEAST_GRADIENT * length:
        return None
    return Climb(float(at[first]), float(at[last]), round(gained, 1), category)
