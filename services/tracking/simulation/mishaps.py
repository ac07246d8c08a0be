"""What happens to a few riders and their devices in a day: bikes are changed, riders give up, clocks go wrong.

Drawn by lot before the race; what a device does in a second follows from that and the second alone.
"""

from dataclasses import dataclass

import numpy as np

MISHAPS = ("bike_changes", "rebooted", "clock", "abandoned")
CHANGED, REBOOTED, CLOCK, ABANDONED = range(len(MISHAPS))
FIRST_SPARE = 901
CHANGES, REBOOTS, WRONG_CLOCKS, ABANDONS = 6, 6, 4, 4
WITHIN_S = (300, 3300)
"""When mishaps come, seconds after the start."""
CHANGE_S = 20
"""So long nothing is heard of a rider who changes the bike."""
REBOOT_S = 25
"""So long a device that starts anew counts from 1980."""
EPOCH_MS = 315_964_800_000
WAITS_S = 180
"""A rider who gives up stands beside the road for so long, then the device is switched off."""
NEVER_S = 1 << 40


@dataclass(frozen=True, eq=False)
class Mishaps:
    """Seconds after the start (198,) in start-list order, far in the future where nothing happens."""

    changes_at: np.ndarray
    spare: np.ndarray
    """Device that a rider goes on with."""
    reboots_at: np.ndarray
    clock_ms: np.ndarray
    """How far a device's clock is ahead."""
    abandons_at: np.ndarray

    def befall(self, second: int, readings: np.ndarray, riders: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """READING (k,) of those (n,) that are sent after all; `riders` (n,) are their indices, `counts` by mishap."""
        changed = second >= self.changes_at[riders]
        silent = changed & (second < self.changes_at[riders] + CHANGE_S)
        gone = second >= self.abandons_at[riders] + WAITS_S
        after = readings.copy()
        after["device"] = np.where(changed, self.spare[riders], readings["device"])
        after["time_ms"] += np.where(changed, 0, self.clock_ms[riders])
        rebooting = (second >= self.reboots_at[riders]) & (second < self.reboots_at[riders] + REBOOT_S)
        after["time_ms"] = np.where(rebooting, EPOCH_MS + 1000 * (second - self.reboots_at[riders]), after["time_ms"])
        sent = ~(silent | gone)
        for mishap, happens in ((CHANGED, changed), (REBOOTED, rebooting), (CLOCK, self.clock_ms[riders] != 0)):
            counts[mishap] += np.count_nonzero(happens & sent)
        counts[ABANDONED] += np.count_nonzero((second >= self.abandons_at[riders]) & sent)
        return after[sent]


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
    return Mishaps(times[0], spare, times[1], clock_ms, times[2])
