"""Devices whose clock is wrong by seconds to hours: noticed beside the field's clock, and set right.

What all devices sent in one batch was fixed at about the same time. A device that is off by the same amount in many
batches in a row has a wrong clock: until that is sure its future is kept out, then its times are corrected. A clock
that restarts, or is set right, is noticed in the same way.
"""

import numpy as np

FEWEST = 10
"""Devices of a batch that make a field."""
TOLERATED_MS = 3_000
"""Readings are on time, or late, within this and the watermark."""
LATE_MS = 8_000
STEADY_MS = 1_500
STREAK = 8
"""Batches in a row that show the same error before it is believed."""
SEEN_MS = 12 * 3600 * 1000
"""Farther off than this is no error of a clock that can be set right."""

CLOCK = np.dtype([("offset_ms", "i8"), ("candidate_ms", "i8"), ("streak", "i8")])
"""What is thought of the clock of one device: how far it is ahead, and how far it seems to be."""
DEVICES = 0x10000


def right_clocks() -> np.ndarray:
    """CLOCK (devices,) of devices that are not known to be wrong."""
    return np.zeros(DEVICES, CLOCK)


def correct(clocks: np.ndarray, readings: np.ndarray) -> np.ndarray:
    """READING (k,) with their times set right, k <= n: those from an impossible future are left out.

    `clocks`: CLOCK, updated. Readings of fewer than `FEWEST` devices teach nothing.
    """
    time_ms = readings["time_ms"] - clocks["offset_ms"][readings["device"]]
    newest = _newest(readings["device"], time_ms)
    if len(newest) >= FEWEST:
        ahead = len(newest) // 10 + 1
        field_ms = int(np.partition(time_ms[newest], -ahead)[-ahead])
        _learn(clocks, readings["device"][newest], time_ms[newest] - field_ms)
        time_ms = readings["time_ms"] - clocks["offset_ms"][readings["device"]]
        kept = time_ms <= field_ms + TOLERATED_MS
    else:
        kept = np.ones(len(readings), bool)
    corrected = readings[kept].copy()
    corrected["time_ms"] = time_ms[kept]
    return corrected


def _newest(devices: np.ndarray, time_ms: np.ndarray) -> np.ndarray:
    """Rows (k,) with the newest reading of each device."""
    by_device = np.lexsort((time_ms, devices))
    return by_device[np.flatnonzero(np.diff(devices[by_device].astype(int), append=-1))]


def _learn(clocks: np.ndarray, devices: np.ndarray, off_ms: np.ndarray) -> None:
    """Takes in how far each device's newest reading is off the field's clock."""
    odd = ((off_ms > TOLERATED_MS) | (off_ms < -LATE_MS)) & (np.abs(off_ms) < SEEN_MS)
    known = clocks[devices]
    total_ms = known["offset_ms"] + off_ms
    same = odd & (known["streak"] > 0) & (np.abs(total_ms - known["candidate_ms"]) <= STEADY_MS)
    streak = np.where(same, known["streak"] + 1, odd.astype(np.int64))
    mean_ms = known["candidate_ms"] + (total_ms - known["candidate_ms"]) // np.maximum(streak, 1)
    candidate_ms = np.where(same, mean_ms, total_ms)
    sure = streak >= STREAK
    near = np.abs(candidate_ms) <= TOLERATED_MS
    known["offset_ms"] = np.where(sure, np.where(near, 0, candidate_ms), known["offset_ms"])
    known["candidate_ms"], known["streak"] = candidate_ms, np.where(sure, 0, streak)
    clocks[devices] = known
