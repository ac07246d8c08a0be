"""The race as forecasts see it: who is away, who is the peloton, and how their gap has come about."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

AGES_S = (60, 180, 360, 600, 900)
"""Ages of a breakaway that are told apart."""
TYPICAL_MS = 11.5
"""m/s that turn metres into seconds where no passage was seen."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A group at one moment."""

    riders: np.ndarray
    """Indices (n,) into the start list, the foremost first."""
    head_m: float
    """Official metres of the foremost."""
    gap_s: float
    """Of the foremost, behind the first rider of the race."""

    @property
    def size(self) -> int:
        return len(self.riders)


@dataclass(frozen=True, slots=True)
class Situation:
    """All groups at one moment, and which of them matters."""

    packs: tuple[Pack, ...]
    """In road order; at least one."""
    peloton: int
    """Index of the peloton."""

    @property
    def breakaway(self) -> Pack | None:
        """The first group, where the peloton is behind it."""
        return self.packs[0] if self.peloton > 0 else None

    @property
    def bunch(self) -> Pack:
        """The peloton."""
        return self.packs[self.peloton]


def situation_of(seen: np.ndarray) -> Situation | None:
    """The situation of SEEN (riders,); None while no group is on the road, or once a rider has finished."""
    if seen["finished"].any() or not seen["group"].any():
        return None
    packs = []
    head_m = float(seen["distance_m"][seen["group"] > 0].max())
    for number in np.unique(seen["group"][seen["group"] > 0]):
        members = np.flatnonzero(seen["group"] == number)
        members = members[np.argsort(-seen["distance_m"][members], kind="stable")]
        packs.append(Pack(members, float(seen["distance_m"][members[0]]), _gap_s(seen[members[0]], head_m)))
    return Situation(tuple(packs), main_pack([pack.size for pack in packs]))


def main_pack(sizes: list[int]) -> int:
    """Index of the foremost group that is at least half as large as the largest."""
    return next(index for index, size in enumerate(sizes) if 2 * size >= max(sizes))


def _gap_s(foremost: np.ndarray, head_m: float) -> float:
    """Passage time behind the head of the race, from the distance where nobody saw the head pass."""
    gap_s = float(foremost["gap_s"])
    return gap_s if np.isfinite(gap_s) else (head_m - float(foremost["distance_m"])) / TYPICAL_MS


class Window:
    """The observations of the last minutes, newest last; one situation is the present."""

    def __init__(self, seen: np.ndarray, every_s: int, now_s: float) -> None:
        """`seen`: SEEN (T, riders), one every `every_s` seconds; the newest `now_s` seconds after the start."""
        self.seen = seen
        self.every_s = every_s
        self.now_s = now_s

    @cached_property
    def now(self) -> Situation | None:
        """The present."""
        return situation_of(self.seen[-1])

    def gap_s(self, riders: np.ndarray, ago_s: int) -> float:
        """How far the best of `riders` was ahead of the peloton of that moment; 0 where none was, NaN where unknown."""
        index = len(self.seen) - 1 - ago_s // self.every_s
        if index < 0:
            return float("nan")
        then = self.seen[index]
        situation = situation_of(then)
        if situation is None:
            return float("nan")
        best = then[riders][np.argmax(np.where(then["group"][riders] > 0, then["distance_m"][riders], -1.0))]
        if best["group"] == 0:
            return float("nan")
        return max(situation.bunch.gap_s - _gap_s(best, situation.packs[0].head_m), 0.0)

    def away_s(self, riders: np.ndarray) -> int:
        """For how long the best of `riders` has been ahead of the peloton, as one of `AGES_S`; 0 for less."""
        away = 0
        for age in AGES_S:
            if not self.gap_s(riders, age) > 0:
                break
            away = age
        return away

    def distance_m(self, riders: np.ndarray) -> np.ndarray:
        """(T,) official metres of the middle one of `riders`, oldest first."""
        return np.median(self.seen["distance_m"][:, riders], axis=1)
