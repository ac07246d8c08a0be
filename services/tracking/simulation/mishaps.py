"""What happens to a few riders and their devices in a day: bikes are changed, riders give up, clocks go wrong.

Drawn by lot before the race; `detours` says where it takes everyone.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

MISHAPS = ("bike_changes", "rebooted", "clock", "abandoned")
CHANGED, REBOOTED, CLOCK, ABANDONED = range(len(MISHAPS))
FIRST_SPARE = 901
FIRST_ON_ROOF = 951
"""Another spare bike that stays on the car's roof, for each that is taken down."""
CHANGES, REBOOTS, WRONG_CLOCKS, ABANDONS = 6, 6, 4, 4
WITHIN_S = (300, 3300)
"""When mishaps come, seconds after the start."""
STANDS_S = (18, 50)
"""So long a rider whose bike is changed slows down and stands."""
CAR_STARTS_S = (12, 45)
"""So long after the rider the car goes on."""
GIVES_UP_S = (40, 170)
"""So long a rider who gives up stands beside the road before a car takes him."""
REBOOT_S = 25
"""So long a device that starts anew counts from 1980."""
EPOCH_MS = 315_964_800_000
WAITS_S = 180
"""A device that is left beside the road is switched off after so long."""
NEVER_S = 1 << 40


class Fate(IntEnum):
    """Where a device that nobody rides any more goes."""

    LEFT = 0
    """It stands beside the road."""
    BEHIND = 1
    """In a car behind: its own rider's, or the broom wagon."""
    AHEAD = 2
    """In a car that overtakes the race."""
    SILENT = 3
    """It is switched off."""


@dataclass(frozen=True, eq=False)
class Mishaps:
    """Seconds after the start (198,) in start-list order, far in the future where nothing happens."""

    changes_at: np.ndarray
    """When a rider begins to slow down for another bike."""
    rides_at: np.ndarray
    """When the rider goes on with it."""
    spare: np.ndarray
    """Device that a rider goes on with."""
    announced_at: np.ndarray
    """When race control hears of it: at once, late, or never."""
    car_starts_at: np.ndarray
    """When the car that brought the bike goes on, or a rider who gave up is taken away."""
    fate: np.ndarray
    """`Fate` of the device that was ridden before."""
    chases: np.ndarray
    """By which share a rider is faster than usual until the time is made up."""
    reboots_at: np.ndarray
    clock_ms: np.ndarray
    """How far a device's clock is ahead."""
    abandons_at: np.ndarray

    def ridden(self, numbers: np.ndarray, second: int) -> np.ndarray:
        """Devices (198,) under the saddles of riders with these numbers; 0 for those who gave up."""
        devices = np.where(second >= self.rides_at, self.spare, numbers)
        return np.where(second >= self.abandons_at, 0, devices).astype(np.uint16)

    def befall(
        self, second: int, fixed_at: np.ndarray, readings: np.ndarray, riders: np.ndarray, counts: np.ndarray
    ) -> np.ndarray:
        """READING (k,) of those (n,) that riders send after all, as their devices say it.

        `fixed_at` (n,) are the seconds of the fixes, `riders` (n,) their indices, `counts` by mishap.
        """
        changed = fixed_at >= self.rides_at[riders]
        gone = (fixed_at >= self.abandons_at[riders]) & (fixed_at >= self._silent_at(riders))
        after = readings.copy()
        after["device"] = np.where(changed, self.spare[riders], readings["device"])
        after["time_ms"] += np.where(changed, 0, self.clock_ms[riders])
        rebooting = (second >= self.reboots_at[riders]) & (second < self.reboots_at[riders] + REBOOT_S)
        after["time_ms"] = np.where(rebooting, EPOCH_MS + 1000 * (second - self.reboots_at[riders]), after["time_ms"])
        for mishap, happens in ((CHANGED, changed), (REBOOTED, rebooting), (CLOCK, self.clock_ms[riders] != 0)):
            counts[mishap] += np.count_nonzero(happens & ~gone)
        counts[ABANDONED] += np.count_nonzero((fixed_at >= self.abandons_at[riders]) & ~gone)
        return after[~gone]

    def _silent_at(self, riders: np.ndarray) -> np.ndarray:
        left = np.isin(self.fate[riders], (Fate.LEFT, Fate.SILENT))
        return np.where(left, self.abandons_at[riders] + WAITS_S, NEVER_S)


def draw_mishaps(seed: int, riders: int) -> Mishaps:
    """The same seed gives the same mishaps; nobody meets two."""
    lot = np.random.default_rng([seed, 2])
    ends = np.cumsum((CHANGES, REBOOTS, WRONG_CLOCKS, ABANDONS))
    changing, rebooting, wrong, abandoning = np.split(lot.permutation(riders)[: ends[-1]], ends[:-1])
    times = [np.full(riders, NEVER_S) for _ in range(3)]
    for at, who in zip(times, (changing, rebooting, abandoning), strict=True):
        at[who] = lot.integers(*WITHIN_S, len(who))
    spare, clock_ms = np.zeros(riders, np.uint16), np.zeros(riders, np.int64)
    spare[changing] = FIRST_SPARE + np.arange(len(changing))
    clock_ms[wrong] = 1000 * lot.choice([-90, -25, 12, 240], len(wrong), replace=False)
    rides_at, car_starts_at = np.full(riders, NEVER_S), np.full(riders, NEVER_S)
    announced_at, fate, chases = np.full(riders, NEVER_S), np.zeros(riders, np.int64), np.zeros(riders)
    rides_at[changing] = times[0][changing] + lot.integers(*STANDS_S, len(changing))
    car_starts_at[changing] = rides_at[changing] + lot.integers(*CAR_STARTS_S, len(changing))
    car_starts_at[abandoning] = times[2][abandoning] + lot.integers(*GIVES_UP_S, len(abandoning))
    told = lot.permutation(len(changing))
    announced_at[changing[told[:2]]] = rides_at[changing[told[:2]]] + lot.integers(0, 30, 2)
    announced_at[changing[told[2:4]]] = rides_at[changing[told[2:4]]] + lot.integers(120, 900, 2)
    fate[changing] = lot.permutation(np.resize(list(Fate), len(changing)))
    fate[abandoning] = lot.permutation(np.resize((Fate.AHEAD, Fate.BEHIND, Fate.LEFT), len(abandoning)))
    chases[changing] = lot.choice([0.08, 0.12, 0.3], len(changing), p=[0.4, 0.4, 0.2])
    return Mishaps(
        changes_at=times[0],
        rides_at=rides_at,
        spare=spare,
        announced_at=announced_at,
        car_starts_at=car_starts_at,
        fate=fate,
        chases=chases,
        reboots_at=times[1],
        clock_ms=clock_ms,
        abandons_at=times[2],
    )
