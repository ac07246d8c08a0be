"""Finds the climbs of a course in its profile, and gives those that a road book names their names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
MOST_PLACES = 1500
"""An ascent of more places than this, longer than any road's, is looked at in longer strides."""
SUMMIT_REACH_M = 1500.0
"""A banner stands this near the top, as the profile has it."""
FOOT_REACH_M = 25_000.0
"""The foot of a named climb is looked for over this much road before its summit."""
SHORTEST_M = 200.0


@dataclass(frozen=True, slots=True)
class Climb:
    """A stretch that hurts. Distances in official metres."""

    from_m: float
    to_m: float
    gain_m: float
    category: str
    """HC, 1, 2, 3 or 4: the organiser's where the course names it, else by height gained."""
    name: str = ""
    """Empty where the course does not name it."""

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


@dataclass(frozen=True, slots=True)
class Summit:
    """The top of a climb as a road book has it."""

    at_m: float
    name: str
    category: str
    """Empty where it is not told."""


def name_climbs(
    found: Sequence[Climb], summits: Iterable[Summit], distance: np.ndarray, elevation: np.ndarray
) -> tuple[Climb, ...]:
    """The found climbs, named after the summits that they end at, and a climb for each summit that none ends at; in
    road order. A summit in the midst of a longer ascent is a climb within that one."""
    unnamed, named = list(found), []
    for summit in sorted(summits, key=lambda summit: summit.at_m):
        fitting = [climb for climb in unnamed if abs(climb.to_m - summit.at_m) <= SUMMIT_REACH_M]
        if fitting:
            climb = min(fitting, key=lambda climb: abs(climb.to_m - summit.at_m))
            unnamed.remove(climb)
            named.append(replace(climb, name=summit.name, category=summit.category or climb.category))
        else:
            feet = [climb.from_m for climb in found if climb.from_m < summit.at_m < climb.to_m]
            earliest = max((*feet, *(climb.to_m for climb in named if climb.to_m < summit.at_m)), default=0.0)
            named.append(_climb_to(summit, earliest, distance, elevation))
    return tuple(sorted((*unnamed, *named), key=lambda climb: climb.from_m))


def _climb_to(summit: Summit, earliest_m: float, distance: np.ndarray, elevation: np.ndarray) -> Climb:
    """The steepest way up to a summit that the profile alone does not show as a climb's end."""
    latest_m = max(summit.at_m - SHORTEST_M, 0.0)
    at = np.append(np.arange(max(summit.at_m - FOOT_REACH_M, earliest_m), latest_m, STRIDE_M), latest_m)
    gain = np.maximum(np.interp(summit.at_m, distance, elevation) - np.interp(at, distance, elevation), 0.0)
    foot = int((gain * gain / (summit.at_m - at + STRIDE_M)).argmax())
    gained = round(float(gain[foot]), 1)
    category = summit.category or _category(gained) or CATEGORIES[-1][1]
    return Climb(float(at[foot]), max(summit.at_m, float(at[foot]) + STRIDE_M), gained, category, summit.name)


def _category(gained_m: float) -> str | None:
    return next((name for least, name in CATEGORIES if gained_m >= least), None)


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
    every = 1 + len(at) // MOST_PLACES
    at, height = at[::every], height[::every]
    gain = height[None, :] - height[:, None]
    run = at[None, :] - at[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where((run > 0) & (gain > 0), gain * gain / run, 0.0)
    first, last = np.unravel_index(score.argmax(), score.shape)
    gained, length = float(gain[first, last]), float(run[first, last])
    category = _category(gained)
    if category is None or gained < LEAST_GRADIENT * length:
        return None
    return Climb(float(at[first]), float(at[last]), round(gained, 1), category)
