"""The rest of the race, ridden many times: the groups pursue each other over the road that remains.

The same random numbers serve every update, so that a forecast moves when the race does and not by chance.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from tracking.prediction.effort import air_share
from tracking.prediction.pace import (
    AHEAD,
    CLIMBING,
    PELOTON,
    Paces,
    Profile,
    descent_of,
    excess,
    phase_of,
)
from tracking.prediction.riding import CELL_M, ride_endings, sum_times
from tracking.prediction.situation import Pack, Situation, Window

ENDINGS = 400
MOST_PACKS = 5
"""The peloton and the groups ahead of it; of more the ones at the head."""
MOST_BLOCKS = 256
SEED = 2017
SPREADS = np.linspace(-0.6, 0.6, 13)
"""Excesses of effort for which a block's time is worked out; between them it is interpolated."""
LATEST = 0.3
"""A race that is later than this is not believed."""
FEWEST_CATCHES = 20
"""A place of the catch is told when so many of the endings have one."""


@dataclass(frozen=True, slots=True)
class Endings:
    """How the simulated endings went."""

    caught: float
    """Share in which the peloton reaches the first group before the line; NaN where there is no breakaway."""
    catch_to_go_m: float
    """Median place of the catch; NaN where it is too rare."""
    catch_in_s: float
    """Median time until then."""
    packs: tuple[Pack, ...]
    """The groups that pursue each other: those ahead first, then the peloton."""
    wins: np.ndarray
    """(packs,) share that each of them wins."""
    finish_in_s: np.ndarray
    """(3,) 10th, 50th and 90th percentile of the seconds until the first rider finishes."""

    def wins_of(self, pack: Pack) -> float:
        """Share that a group wins; 0 of one that was not simulated, as nobody expects it to win."""
        return next((float(wins) for one, wins in zip(self.packs, self.wins, strict=True) if one is pack), 0.0)


def pursue(window: Window, situation: Situation, paces: Paces, profile: Profile) -> Endings:
    """Rides the rest of the race from the present of `window`, of which `situation` is the one."""
    ahead = situation.packs[: situation.peloton][: MOST_PACKS - 1]
    packs = (*ahead, situation.bunch)
    tables = np.array([_block_times(pack, _kind(pack, situation), paces, profile) for pack in packs])
    kinds = np.array([_kind(pack, situation) for pack in packs])
    expected = paces.carry[kinds] * np.array(
        [excess(window, pack.riders, kind, paces, profile) for pack, kind in zip(packs, kinds.tolist(), strict=True)]
    )
    arrivals, catches = ride_endings(
        tables, SPREADS, expected, paces.lasting_sd[kinds], paces.passing_sd[kinds], paces.together, _lots()
    )
    first = arrivals.argmin(axis=1)
    wins = np.bincount(first, minlength=len(packs)) / len(first)
    finish = np.quantile(arrivals.min(axis=1), (0.1, 0.5, 0.9))
    if not ahead:
        return Endings(float("nan"), float("nan"), float("nan"), packs, wins, finish)
    caught = np.isfinite(catches[:, 0])
    place, moment = np.median(catches[caught], axis=0) if caught.sum() >= FEWEST_CATCHES else (np.nan, np.nan)
    return Endings(float(caught.mean()), float(place), float(moment), packs, wins, finish)


def _kind(pack: Pack, situation: Situation) -> int:
    return PELOTON if pack is situation.bunch else AHEAD


def lateness(window: Window, situation: Situation, paces: Paces, profile: Profile) -> float:
    """How much longer than usual, for such a road, the race has taken so far; a logarithm, 0 as usual."""
    metres, head_m = profile.metres(), situation.packs[0].head_m
    ridden = np.clip(head_m - np.arange(len(metres)) * CELL_M, 0.0, metres)
    usual_s = _times(ridden, PELOTON, situation.bunch.size, paces, profile, np.zeros(1)).sum()
    return float(np.clip(np.log(window.now_s / max(usual_s, 1.0)), -LATEST, LATEST))


@cache
def _lots() -> np.ndarray:
    """(ENDINGS, packs + 1, blocks + 1) normal numbers; as many above the mean as below. The last pack is everyone's."""
    half = np.random.default_rng(SEED).standard_normal((ENDINGS // 2, MOST_PACKS + 1, MOST_BLOCKS + 1))
    return np.concatenate((half, -half)).astype(np.float32)


def _block_times(pack: Pack, kind: int, paces: Paces, profile: Profile) -> np.ndarray:
    """(blocks, spreads) seconds that a group needs for each block of the road that is left, the last block first."""
    metres = profile.metres()
    left = np.clip((np.arange(len(metres)) + 1) * CELL_M - pack.head_m, 0.0, metres)
    return _times(left, kind, pack.size, paces, profile, SPREADS)


def _times(metres: np.ndarray, kind: int, size: int, paces: Paces, profile: Profile, spreads: np.ndarray) -> np.ndarray:
    """(blocks, spreads) seconds for these metres (cells,) of each cell of the road, the last block first."""
    gradient = profile.gradient
    to_go_m = profile.length_m - (np.arange(len(gradient)) + 0.5) * CELL_M
    level = paces.level[kind, (gradient >= CLIMBING).astype(int), phase_of(np.maximum(to_go_m, 0.0))]
    downhill = paces.descent_ms[kind, descent_of(gradient)]
    times = np.zeros((MOST_BLOCKS, len(spreads)))
    sum_times(metres, gradient, level, downhill, air_share(size), spreads, times)
    return times
