"""From where the riders are to what the radio delivers: noise, and readings lost, late, repeated, frozen and wild.

Compiled, and without memory of its own draws: what happens to a device in a second follows from the seed, the device
and the second alone, so a race that is resumed in the middle suffers the same faults as one that went on.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.course.geometry import METRES_PER_DEGREE

FAULTS = ("lost", "late", "repeated", "reordered", "frozen", "wild")
LOST, LATE, REPEATED, REORDERED, FROZEN, WILD = range(len(FAULTS))

LOST_SHARE = 0.006
LATE_SHARE = 0.004
TOO_LATE_SHARE = 0.0002
REPEATED_SHARE = 0.005
WILD_SHARE = 0.0001
SHADOW_SHARE = 0.03
"""Of the windows of two minutes in which a device is in a radio shadow for 10 to 40 s."""
SHADOW_WINDOW_S = 120
STUCK_SHARE = 0.006
"""Of the windows of five minutes in which a device repeats its last fix for 8 to 30 s."""
STUCK_WINDOW_S = 300
ABSENT_WINDOW_S = 5400
ABSENT_SHARE = 0.006
"""Of the windows of 90 minutes in which a device is silent for up to 34 minutes: a bike change."""
SHUFFLED_SHARE = 0.2
"""Of the seconds whose readings come in another order."""
DEPOT_DEVICES = 159
"""Devices that report one and the same place until the race has gone for `DEPOT_UNTIL_S`."""
DEPOT_UNTIL_S = 20
DEPOT_M = -40.0
"""Where on the road: a little before the start."""
SWITCHED_OFF_AFTER_S = 120
"""Devices go dark this long after their rider has finished."""
DRIFT_M = 2.2
DRIFT_KEEPS = 0.96
"""Share of the slow error that stays from one second to the next."""
JITTER_M = 2.2
WILD_DEGREES = 0.02
"""A wild fix lies up to half of this away, in both directions."""
GRID = 1e6
"""Devices report millionths of a degree."""

DEVICE = np.dtype(
    [
        ("number", "u2"),
        ("in_depot", "b1"),
        ("drift_north", "f8"),  # m
        ("drift_east", "f8"),
        ("lat", "f8"),  # last fix
        ("lon", "f8"),
    ],
    align=True,
)


@compiled
def draw(seed, device, second, salt):
    """A number in [0, 1) that depends on nothing but its arguments (splitmix64)."""
    z = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(second) * np.uint64(0xD1B54A32D192ED03)
    z += np.uint64(device) * np.uint64(0x8CB92BA72F3D8DD7) + np.uint64(salt) * np.uint64(0xABC98388FB8FAC03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 9007199254740992.0


@compiled
def normal_pair(seed, device, second, salt):
    """Two independent standard normal numbers."""
    radius = np.sqrt(-2.0 * np.log(1.0 - draw(seed, device, second, salt)))
    angle = 2.0 * np.pi * draw(seed, device, second, salt + 1)
    return radius * np.cos(angle), radius * np.sin(angle)


@compiled
def in_episode(seed, device, second, salt, window_s, share, shortest_s, longest_s):
    """Whether the device is in one of its episodes, which begin in a given share of the windows."""
    now = second // window_s
    for window in (now - 1, now):
        if window >= 0 and draw(seed, device, window, salt) < share:
            begins = window * window_s + draw(seed, device, window, salt + 1) * window_s
            lasts = shortest_s + draw(seed, device, window, salt + 2) * (longest_s - shortest_s)
            if begins <= second < begins + lasts:
                return True
    return False


@compiled
def is_lost(seed, number, second):
    """Whether this second's reading never arrives."""
    if draw(seed, number, second, 10) < LOST_SHARE:
        return True
    if in_episode(seed, number, second, 11, SHADOW_WINDOW_S, SHADOW_SHARE, 10, 40):
        return True
    return in_episode(seed, number, second, 14, ABSENT_WINDOW_S, ABSENT_SHARE, 300, 2040)


@compiled
def delay(seed, number, second):
    """Seconds after its fix that a reading arrives."""
    lot = draw(seed, number, second, 20)
    if lot < TOO_LATE_SHARE:
        return 10 + int(20 * draw(seed, number, second, 21))
    if lot < TOO_LATE_SHARE + LATE_SHARE:
        return 1 + int(4 * draw(seed, number, second, 21))
    return 0


@compiled
def place(distance, road):
    """(lat, lon) of a distance; the road goes on straight before the start and beyond the finish."""
    last = len(road.lat) - 2
    cell = min(max(int(np.floor(distance / road.step_m)), 0), last)
    share = distance / road.step_m - cell
    lat = road.lat[cell] + share * (road.lat[cell + 1] - road.lat[cell])
    return lat, road.lon[cell] + share * (road.lon[cell + 1] - road.lon[cell])


@compiled
def take_fix(device, seed, second, distance, road):
    """The device measures where it is: truth, a slow drift and jitter; writes its last fix."""
    drift_north, drift_east = normal_pair(seed, device.number, second, 1)
    fresh = np.sqrt(1.0 - DRIFT_KEEPS * DRIFT_KEEPS) * DRIFT_M
    device.drift_north = DRIFT_KEEPS * device.drift_north + fresh * drift_north
    device.drift_east = DRIFT_KEEPS * device.drift_east + fresh * drift_east
    north, east = normal_pair(seed, device.number, second, 3)
    lat, lon = place(distance, road)
    lat += (device.drift_north + JITTER_M * north) / METRES_PER_DEGREE
    lon += (device.drift_east + JITTER_M * east) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    device.lat = np.rint(lat * GRID) / GRID
    device.lon = np.rint(lon * GRID) / GRID


@compiled
def report(reading, device, seed, second, time_ms, road, stuck, faults):
    """Fills one reading with what the device says now."""
    reading.device = device.number
    reading.time_ms = time_ms
    reading.lat, reading.lon = device.lat, device.lon
    if device.in_depot and second < DEPOT_UNTIL_S:
        lat, lon = place(DEPOT_M, road)
        reading.lat, reading.lon = np.rint(lat * GRID) / GRID, np.rint(lon * GRID) / GRID
        faults[FROZEN] += 1
    elif stuck:
        faults[FROZEN] += 1
    elif draw(seed, device.number, second, 30) < WILD_SHARE:
        reading.lat += WILD_DEGREES * (draw(seed, device.number, second, 31) - 0.5)
        reading.lon += WILD_DEGREES * (draw(seed, device.number, second, 32) - 0.5)
        faults[WILD] += 1


@compiled
def transmit(second, time_ms, seed, riders, devices, road, readings, due, faults):
    """Writes what is sent in this second into `readings`, with the second of its arrival in `due`; returns how many."""
    used = 0
    for i in range(len(devices)):
        device = devices[i]
        number = device.number
        if second - riders[i].finished_at > SWITCHED_OFF_AFTER_S:
            continue
        stuck = in_episode(seed, number, second, 40, STUCK_WINDOW_S, STUCK_SHARE, 8, 30)
        if not stuck:
            take_fix(device, seed, second, riders[i].distance, road)
        if is_lost(seed, number, second):
            faults[LOST] += 1
            continue
        report(readings[used], device, seed, second, time_ms, road, stuck, faults)
        wait = delay(seed, number, second)
        faults[LATE] += wait > 0
        due[used] = second + wait
        used += 1
        if draw(seed, number, second, 50) < REPEATED_SHARE:
            readings[used] = readings[used - 1]
            due[used] = second + wait + int(3 * draw(seed, number, second, 51))
            faults[REPEATED] += 1
            used += 1
    return used


@compiled
def arrival_order(count, seed, second):
    """In which order the `count` readings of a second come: as they were sent, or now and then at random."""
    order = np.arange(count)
    if draw(seed, 0, second, 60) < SHUFFLED_SHARE:
        for i in range(count - 1, 0, -1):
            j = int(draw(seed, i, second, 61) * (i + 1))
            order[i], order[j] = order[j], order[i]
    return order
