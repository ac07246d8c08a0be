"""Since when riders no longer raced whose devices go on in cars: a replay knows what they will be found to be.

That a device is in a car is found by the watch that a live race has, minutes after it left. Its rider had stood at the
roadside before, for long; whoever has ridden with others since did not give up there.
"""

from collections.abc import Mapping

import numpy as np

from tracking.course import Course
from tracking.kernel.standing import GAVE_UP_MS, STANDS_MS
from tracking.records import FRESH
from tracking.watch.cars import LASTS_LOOKS, LOOK_MS, LOOKS, Cars

COMPANY = 5
"""Riders of a group, ..."""
IN_COMPANY_MS = 180_000
"""... in which someone rides: a car has gone past it in less."""
NOTICED_MS = (LOOKS + LASTS_LOOKS) * LOOK_MS
"""So long ago at least, a device that is found to be in a car was in it already."""


class Departures:
    """Those of one recording."""

    def __init__(self, course: Course, numbers: np.ndarray, known: Mapping[int, int]) -> None:
        """`numbers` (n,) of the riders, in the order of their states; `known`: what was found before, as `left_ms`."""
        self.left_ms = dict(known)
        """By the number of a rider: since when the race goes on without him, Unix milliseconds."""
        self._cars = Cars(course, numbers)
        self._numbers = numbers
        self._distance = np.full(len(numbers), np.nan)
        self._stands_ms, self._joined_ms, self._gave_up_ms = np.zeros((3, len(numbers)), np.int64)

    def see(self, states: np.ndarray, passage: np.ndarray, clock_ms: int) -> bool:
        """Whether somebody is found in this second; the arguments are those of `Cars.see`."""
        if clock_ms % LOOK_MS == 0:
            self._follow(states, clock_ms)
        found = self._cars.see(states, passage, clock_ms)
        for rider in found:
            gave_up_ms = int(self._gave_up_ms[self._numbers == rider][0])
            self.left_ms[rider] = gave_up_ms or clock_ms - NOTICED_MS
        return bool(found)

    def _follow(self, states: np.ndarray, clock_ms: int) -> None:
        """Notes who has begun to stand, and who rides with others."""
        distance = np.where(states["quality"] == FRESH, states["distance_m"], np.nan)
        moved_m, self._distance = np.abs(distance - self._distance), distance
        stands, rides = moved_m < STANDS_MS * LOOK_MS / 1000, moved_m >= STANDS_MS * LOOK_MS / 1000
        self._stands_ms[stands & (self._stands_ms == 0)] = clock_ms - LOOK_MS
        self._stands_ms[rides] = 0
        long = (self._stands_ms > 0) & (clock_ms - self._stands_ms >= GAVE_UP_MS)
        self._gave_up_ms[long] = self._stands_ms[long]
        accompanied = rides & (np.bincount(states["group"])[states["group"]] >= COMPANY) & (states["group"] > 0)
        self._joined_ms[accompanied & (self._joined_ms == 0)] = clock_ms - LOOK_MS
        self._joined_ms[~accompanied] = 0
        self._gave_up_ms[accompanied & (clock_ms - self._joined_ms >= IN_COMPANY_MS)] = 0
