"""Tells the legs of a road apart that lie within the error of a position: hairpins, the way back, crossings.

One position cannot say on which leg it lies; how the last ones follow each other can. Each place that comes into
question is held against them: a rider who is there now and rode evenly, forwards, must have been near each of them.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.layout import APART_M, slot
from tracking.kernel.matching import foot_point, longest_share, on_plane

OFF_LEG_M = 30.0
NOISE_VAR = 25.0
"""m², of a position each way, where it is held against a leg."""
MISFIT_MOST = 9.0
"""A position that fits worse than this is wild, however far it lies."""
FITS_VAR = MISFIT_MOST * NOISE_VAR
SURE = 12.0
"""By so much the best place must fit better than the next one."""
WINDOW = 8
WINDOW_MS = 10_000
BACKWARDS = 30.0
"""What it costs to ride backwards."""
SLOWEST, FASTEST, SPEED_STEP = -7.5, 25.5, 1.5
CANDIDATES = 64


@compiled
def recent_positions(fixes, track, number, road):
    """(x, y, seconds before the last one), each (k,), of the newest positions up to remembered reading `number`."""
    east, north, ago_s = np.empty(WINDOW), np.empty(WINDOW), np.empty(WINDOW)
    newest = fixes[slot(track, number)]
    count = 0
    for earlier in range(number, -1, -1):
        fix = fixes[slot(track, earlier)]
        within = newest.time_ms - fix.time_ms <= WINDOW_MS or count < 2
        if count == WINDOW or not within or np.isnan(fix.lat):
            break
        after = fixes[slot(track, min(earlier + 1, number))]
        if count > 0 and fix.lat == after.lat and fix.lon == after.lon:
            continue
        east[count], north[count] = on_plane(fix.lat, fix.lon, road)
        ago_s[count] = (newest.time_ms - fix.time_ms) / 1000.0
        count += 1
    return east[:count], north[:count], ago_s[:count]


@compiled
def misfit2(x, y, distance, road):
    """Squared metres between a position and a place of the road, in units of the noise, at most `MISFIT_MOST`."""
    cell = min(max(int(distance / road.step_m), 0), len(road.segments) - 1)
    segment = road.segments[cell]
    share = distance / road.step_m - cell
    east, north = x - segment.x - share * segment.dx, y - segment.y - share * segment.dy
    return min((east * east + north * north) / NOISE_VAR, MISFIT_MOST)


@compiled
def ride_to(place_m, recent, known_speed, speed_var, within_s, road):
    """(misfit, speed, seconds) of the ride at even speed to a place that explains the positions best.

    The seconds are those from the first to the last of the positions that fit, and are not older than `within_s`.
    """
    east, north, ago_s = recent
    best, best_speed, best_fits_s = np.inf, 0.0, 0.0
    speed = SLOWEST
    while speed <= FASTEST:
        misfit = (speed - known_speed) ** 2 / speed_var + (BACKWARDS if speed < -1.0 else 0.0)
        fits_s = 0.0
        for k in range(len(east)):
            part = misfit2(east[k], north[k], place_m - speed * ago_s[k], road)
            misfit += part
            if part < MISFIT_MOST and ago_s[k] < within_s:
                fits_s = ago_s[k]
            if misfit >= best:
                break
        if misfit < best:
            best, best_speed, best_fits_s = misfit, speed, fits_s
        speed += SPEED_STEP
    return best, best_speed, best_fits_s


@compiled
def candidates(x, y, low_m, high_m, off_m, road):
    """(places, squared metres away), each (k,), of the places that are nearest to a position among their neighbours."""
    places, offs = np.empty(CANDIDATES), np.empty(CANDIDATES)
    last = len(road.segments) - 1
    low, high = min(max(int(low_m / road.step_m), 0), last), min(max(int(high_m / road.step_m), 0), last)
    count = 0
    for cell in range(low, high + 1):
        share, off2 = foot_point(x, y, road.segments[cell], longest_share(cell, road))
        place_m = (cell + share) * road.step_m
        if off2 > off_m * off_m:
            continue
        if count > 0 and place_m - places[count - 1] < APART_M:
            if off2 < offs[count - 1]:
                places[count - 1], offs[count - 1] = place_m, off2
        elif count < CANDIDATES:
            places[count], offs[count] = place_m, off2
            count += 1
    return places[:count], offs[:count]
