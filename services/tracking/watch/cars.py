"""Riders' devices that are in a car although they never stood for long: known by how everyone else rode the same road.

Two things nobody does, also behind a car after a puncture or down a pass: to go past a whole field that rides on, much
faster than it and than the first rider on the same road; and to climb half as fast again as the first rider, with an
effort that nobody holds so long. Either has to last for two looks in a row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracking.course import Course
from tracking.kernel.standing import STEEPEST, sheltered_effort
from tracking.records import FRESH
from tracking.watch.proposals import WITHDRAWAL, Proposal

LOOK_MS = 10_000
LOOKS = 7
"""Remembered places of everyone: of a minute."""
OVER_S = (LOOKS - 1) * LOOK_MS / 1000.0
UNEVEN = 1.6
"""What goes so much faster in one part of the minute than on the whole was misplaced, not driven."""
PASSED = 60
"""Riders, more than are dropped together, who ..."""
RIDES_MS = 4.0
"""... go on at this speed at least ..."""
FASTER_MS = 4.5
"""... and are passed so much faster."""
FASTER_SHARE = 1.3
"""Than the first rider on the same road."""
CLIMBS, CLIMBS_FASTER, EFFORT, SHORTEST_M = 0.035, 1.5, 9.0, 300.0
"""Gradient of a climb, share of the first rider's speed, W/kg in the shelter of others, metres of it."""
LASTS_LOOKS = 2
NOT_YET_M = 2000.0
"""Before this the field sorts itself."""


class Cars:
    """Those of one race."""

    def __init__(self, course: Course, numbers: np.ndarray) -> None:
        """`numbers` (n,) of the riders, in the order of their states."""
        self._course, self._numbers = course, numbers
        self._distance = np.full((LOOKS, len(numbers)), np.nan)
        self._seen = np.zeros(len(numbers), np.int64)
        self._driven: set[int] = set()
        self._excused: set[int] = set()
        self.proposals: list[Proposal] = []

    def memory(self) -> dict[str, Any]:
        """All that is remembered, ready for JSON."""
        return {
            "distance": self._distance.tolist(),
            "seen": self._seen.tolist(),
            "driven": sorted(self._driven),
            "excused": sorted(self._excused),
            "proposals": [proposal.memory() for proposal in self.proposals],
        }

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Go on where another one gave this `memory`; KeyError or TypeError where it is none."""
        self._distance, self._seen = np.array(memory["distance"], float), np.array(memory["seen"], np.int64)
        self._driven, self._excused = set(memory["driven"]), set(memory["excused"])
        self.proposals = [Proposal.remembering(proposal) for proposal in memory["proposals"]]

    def forget(self, rider: int) -> None:
        """Another device speaks for this rider from now on: that it is elsewhere is no ride."""
        self._distance[:, self._numbers == rider] = np.nan
        self._seen[self._numbers == rider] = 0

    def excuse(self, rider: int) -> bool:
        """Race control has decided on this rider: whether he was thought to be in a car. It is not thought again."""
        self._excused.add(rider)
        self.proposals = [asked for asked in self.proposals if rider not in asked.riders]
        was = rider in self._driven
        self._driven.discard(rider)
        return was

    def see(self, states: np.ndarray, passage: np.ndarray, clock_ms: int) -> list[int]:
        """Riders who are found to be in a car at this second; RIDER_STATE (n,) as of `BikeChanges.see`."""
        if clock_ms % LOOK_MS:
            return []
        self._distance[:-1] = self._distance[1:]
        self._distance[-1] = np.where(states["quality"] == FRESH, states["distance_m"], np.nan)
        steps = np.diff(self._distance, axis=0)
        gone_m = self._distance[-1] - self._distance[0]
        even = (steps.max(axis=0) <= UNEVEN * gone_m / (LOOKS - 1)) & (steps.min(axis=0) >= 0.0)
        fast = np.flatnonzero(even & (self._distance[0] > NOT_YET_M) & (gone_m > SHORTEST_M))
        shares = self._shares(fast, passage)
        fast = fast[shares >= FASTER_SHARE]
        shares = shares[shares >= FASTER_SHARE]
        impossible = [
            i
            for i, share in zip(fast.tolist(), shares.tolist(), strict=True)
            if self._passes(i, gone_m) or self._climbs(i, gone_m[i] / OVER_S, share)
        ]
        lasts = np.zeros_like(self._seen)
        lasts[impossible] = self._seen[impossible] + 1
        self._seen = lasts
        certain = np.flatnonzero(lasts >= LASTS_LOOKS)
        found = [int(rider) for rider in self._numbers[certain] if rider not in self._driven | self._excused]
        for rider in found:
            self._driven.add(rider)
            reason = f"The device of rider {rider} moves as nobody rides: it is in a car."
            self.proposals.append(Proposal(WITHDRAWAL, clock_ms, (rider,), 0, reason))
        return found

    def _shares(self, riders: np.ndarray, passage: np.ndarray) -> np.ndarray:
        """How much faster (k,) these riders were than the first one on the same road, 0 where that is not known.

        Until one look ago: when the place of now was first passed may not be settled.
        """
        last = len(passage) - 1
        then, now = (np.minimum(self._distance[k, riders] / self._course.step_m, last).astype(int) for k in (0, -2))
        heads_s = (passage[now] - passage[then]) / 1000.0
        return np.where(np.isnan(heads_s), 0.0, heads_s / (OVER_S - LOOK_MS / 1000.0))

    def _passes(self, i: int, gone_m: np.ndarray) -> bool:
        before, now = self._distance[0], self._distance[-1]
        passed = (before > before[i]) & (now < now[i]) & (gone_m > RIDES_MS * OVER_S)
        return bool(np.count_nonzero(passed & (gone_m[i] - gone_m > FASTER_MS * OVER_S)) >= PASSED)

    def _climbs(self, i: int, speed_ms: float, share: float) -> bool:
        rows = [int(self._distance[k, i] / self._course.step_m) for k in (0, -1)]
        elevation = self._course.elevation[np.minimum(rows, len(self._course.elevation) - 1)]
        slope = min(float(elevation[1] - elevation[0]) / (speed_ms * OVER_S), STEEPEST)
        return slope >= CLIMBS and share >= CLIMBS_FASTER and sheltered_effort(speed_ms, slope) >= EFFORT
