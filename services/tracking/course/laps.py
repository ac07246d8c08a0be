"""Where a course comes by the same place again: laps of a circuit, and roads beside roads."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

STRIDE_M = 25.0
NEAR_M = 40.0
"""Roads nearer than this cannot be told apart by one position alone."""
AGAIN_M = 500.0
"""A lap is not shorter."""
BESIDE_M = 150.0
"""So much road lies at least between two legs of a hairpin that are told."""
ALONG, AGAINST = 0.7, -0.7
"""Cosines of the angle between two directions: the same, and the opposite one."""
BRIDGED_M = 500.0
"""A stretch goes on over so much road that is not near the other: drawn a little apart on another lap."""
DRIFT_M = 150.0
"""Two passages of a circuit differ by no more than this in the length of the lap."""
SHORTEST_M = 100.0
_ROWS, _LATER = 256, 2048
"""Places that are compared at a time, and with so many later ones near them at the most: 50 km of road."""


@dataclass(frozen=True, slots=True)
class Laps:
    """A circuit that is ridden more than once. Distances in official metres."""

    from_m: float
    """Where the circuit is entered."""
    length_m: float
    count: int
    """Whole laps from there."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A stretch of road that lies beside a later one, nearer than a position is sure. Distances in official metres."""

    from_m: float
    to_m: float
    again_m: float
    """Where the later road is beside the beginning of this one."""
    opposite: bool
    """The later one leads the other way: a hairpin, or the way back on an out-and-back road."""


def roads_beside(distance: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[Beside, ...]:
    """All stretches of a road (n,), (n,), (n,) in metres that lie beside a later part of it, in road order."""
    every = max(round(STRIDE_M / (distance[1] - distance[0])), 1)
    at = distance[::every]
    same, opposite = _next_passages(at, x[::every], y[::every])
    found = [*_stretches(at, same, opposite=False), *_stretches(at, opposite, opposite=True)]
    return tuple(sorted(found, key=lambda each: (each.from_m, each.opposite)))


def find_laps(beside: tuple[Beside, ...]) -> tuple[Laps, ...]:
    """The circuits among stretches that lie beside later ones: those whose whole round is ridden again."""
    laps = []
    for each in beside:
        length = each.again_m - each.from_m
        if not each.opposite and (rounds := (each.to_m - each.from_m) / length) > 1 - DRIFT_M / length:
            laps.append(Laps(each.from_m, length, 1 + int(rounds + DRIFT_M / length)))
    return tuple(laps)


def _next_passages(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each place (n,) how much farther the road is next beside it, in the same and in the opposite direction; NaN
    where it never is."""
    east, north = np.gradient(x), np.gradient(y)
    norm = np.maximum(np.hypot(east, north), 1e-9)
    east, north = east / norm, north / norm
    same, opposite = np.full(len(at), np.nan), np.full(len(at), np.nan)
    for low in range(0, len(at), _ROWS):
        rows = slice(low, low + _ROWS)
        later = low + np.flatnonzero(_around(x[low:], x[rows]) & _around(y[low:], y[rows]))[:_LATER]
        off2 = (x[rows, None] - x[later]) ** 2 + (y[rows, None] - y[later]) ** 2
        ahead = at[later] - at[rows, None]
        aligned = east[rows, None] * east[later] + north[rows, None] * north[later]
        near = off2 < NEAR_M**2
        same[rows] = _nearest_of_first(near & (ahead > AGAIN_M) & (aligned > ALONG), off2, ahead)
        opposite[rows] = _nearest_of_first(near & (ahead > BESIDE_M) & (aligned < AGAINST), off2, ahead)
    return same, opposite


def _around(places: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Which places (n,) could be near any of some others, by one coordinate."""
    return (places > some.min() - NEAR_M) & (places < some.max() + NEAR_M)


def _nearest_of_first(there: np.ndarray, off2: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """How far ahead (rows,) the first of the passages that are there (rows, later) is nearest; NaN where none is."""
    first_m = np.where(there, ahead, np.inf).min(axis=1, initial=np.inf)
    passing = there & (ahead <= first_m[:, None] + 2 * NEAR_M)
    if not passing.any():
        return np.full(len(there), np.nan)
    nearest = np.where(passing, off2, np.inf).argmin(axis=1)
    return np.where(passing.any(axis=1), ahead[np.arange(len(there)), nearest], np.nan)


def _stretches(at: np.ndarray, again: np.ndarray, opposite: bool) -> Iterator[Beside]:
    """Runs of places that are beside the same later road: as far ahead of each of them in the same direction, nearer by
    twice the way in the opposite one."""
    shifted = again + (2 * at if opposite else 0)
    places = np.flatnonzero(~np.isnan(again))
    runs = [run for run in np.split(places, _jumps(at[places], shifted[places])) if len(run) * STRIDE_M > SHORTEST_M]
    if not runs:
        return
    firsts, lasts = np.array([run[0] for run in runs]), np.array([run[-1] for run in runs])
    shift = np.array([np.median(shifted[run]) for run in runs])
    apart = (at[firsts[1:]] - at[lasts[:-1]] > BRIDGED_M) | (abs(np.diff(shift)) > DRIFT_M)
    for joined in np.split(np.arange(len(runs)), np.flatnonzero(apart) + 1):
        first, last = firsts[joined[0]], lasts[joined[-1]]
        ahead_m = again[first] if opposite else np.median(shift[joined])
        yield Beside(float(at[first]), float(at[last]), float(at[first] + ahead_m), opposite)


def _jumps(at: np.ndarray, shifted: np.ndarray) -> np.ndarray:
    """Where the next place (index) is not beside the same later road."""
    return np.flatnonzero((np.diff(at) > BRIDGED_M) | (abs(np.diff(shifted)) > DRIFT_M)) + 1
