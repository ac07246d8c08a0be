"""Whose reading it is: devices move to other riders, two may speak for one, and some have a clock of their own."""

import numpy as np

from tracking.compiled import compiled
from tracking.course.geometry import METRES_PER_DEGREE

EARLIEST_MS = -12 * 3600 * 1000
LATEST_MS = 24 * 3600 * 1000
"""From the start of the race on; a reading outside of this comes from a wrong clock."""
MOVING_MS = 2.0
"""m/s above which a device moves."""
WATCHED_S = 10.0
"""So long that the noise of a standing device is no motion."""
SPEAKS_FOR_MS = 25_000
"""A device that has moved so recently speaks for its rider."""
NEVER_MS = -(1 << 62)
ALWAYS_MS = 1 << 62

DEVICE = np.dtype(
    [
        ("rider", "i8"),  # index, -1 for a spare
        ("from_ms", "i8"),  # since when it is this rider's
        ("other", "i8"),  # the other device of this rider, -1 for none
        ("lat", "f8"),  # where it was ...
        ("lon", "f8"),
        ("there_ms", "i8"),  # ... at this time
        ("heard_ms", "i8"),
        ("moved_ms", "i8"),  # when it last moved
    ],
    align=True,
)
"""One device, by its number."""


def spare_devices(count: int) -> np.ndarray:
    """DEVICE (count,) that nobody rides with."""
    devices = np.zeros(count, DEVICE)
    devices["rider"] = devices["other"] = -1
    devices["heard_ms"] = devices["moved_ms"] = devices["there_ms"] = NEVER_MS
    return devices


@compiled
def note_motion(device, reading):
    """Remembers where a device is, and when it moved."""
    device.heard_ms = max(device.heard_ms, reading.time_ms)
    passed_s = (reading.time_ms - device.there_ms) / 1000.0
    if passed_s < WATCHED_S:
        return
    north = (reading.lat - device.lat) * METRES_PER_DEGREE
    east = (reading.lon - device.lon) * METRES_PER_DEGREE * np.cos(np.radians(reading.lat))
    if north * north + east * east > (MOVING_MS * passed_s) ** 2:
        device.moved_ms = reading.time_ms
    device.lat, device.lon, device.there_ms = reading.lat, reading.lon, reading.time_ms


@compiled
def speaks(device, devices, time_ms):
    """Whether a device speaks for its rider at a moment: of two the newer one, unless only the other moves.

    Once the newer one has moved with its rider, the older one is in a car: that it moves means nothing.
    """
    if time_ms < device.from_ms:
        return False
    if device.other < 0:
        return True
    other = devices[device.other]
    moves, other_moves = device.moved_ms >= time_ms - SPEAKS_FOR_MS, other.moved_ms >= time_ms - SPEAKS_FOR_MS
    if device.from_ms >= other.from_ms:
        return moves or not other_moves or device.moved_ms >= device.from_ms
    if other.moved_ms >= other.from_ms:
        return False
    return not other_moves and (moves or other.heard_ms < time_ms - SPEAKS_FOR_MS)
