"""Believes or refuses each reading, and keeps every rider's distance and speed in a filter along the road.

Each rider's last readings are remembered in the order of their fix times, each with what was known after it. A reading
that comes late takes its place and what follows is computed again: so the result depends on which readings have come,
not on the order in which they came.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.layout import REMEMBERED, WATERMARK_MS
from tracking.kernel.matching import POSITION_VAR, best_place, on_plane

ACCELERATION_VAR = 0.36
"""(m/s²)², how unsteadily riders ride."""
FASTEST = 116 / 3.6
"""m/s; what is faster is an error."""
LEAST_REACH_M = 30.0
LARGEST_REACH_M = 3000.0
OFF_ROAD_M = 40.0
GATE = 25.0
"""Squared standard deviations by which a reading may surprise."""
REFUSALS_TO_SEARCH = 8
"""After so many refused readings in a row it is the knowledge that is wrong: the rider is searched again."""
COASTING_S = 60.0
"""How long a rider who is not heard is thought to go on as before."""
FORGET_AFTER_S = 180.0
"""A rider unheard for this long is searched again, where the field has gone meanwhile."""
SEARCH_OFF_ROAD_M = 60.0
TYPICAL_SPEED = 11.5
UNKNOWN_SPEED_VAR = 150.0


@compiled
def slot(track, number):
    """Where the remembered reading `number` (0 is the oldest) is kept."""
    return (track.first + number) & (REMEMBERED - 1)


@compiled
def ingest(readings, rider_of, tracks, history, race, road):
    """Takes READINGs in, in any order. `rider_of[device]` is the rider's index or -1; history (riders, REMEMBERED)."""
    for k in range(len(readings)):
        device = readings[k].device
        rider = rider_of[device] if device < len(rider_of) else -1
        if rider < 0:
            race.unknown += 1
            continue
        race.readings += 1
        remember(readings[k], tracks[rider], history[rider], race, road)


@compiled
def remember(reading, track, fixes, race, road):
    """Puts one reading at its place in time among the rider's remembered ones and computes what follows from it."""
    time_ms = reading.time_ms
    number = track.count
    while number > 0 and fixes[slot(track, number - 1)].time_ms > time_ms:
        number -= 1
    if number > 0 and fixes[slot(track, number - 1)].time_ms == time_ms:
        race.duplicates += 1
        return
    if time_ms < race.clock_ms - WATERMARK_MS or (number == 0 and (track.forgot or track.count == REMEMBERED)):
        race.late += 1
        return
    if track.count == REMEMBERED:
        track.first = slot(track, 1)
        track.count -= 1
        track.forgot = True
        number -= 1
    for later in range(track.count, number, -1):
        fixes[slot(track, later)] = fixes[slot(track, later - 1)]
    track.count += 1
    fix = fixes[slot(track, number)]
    fix.time_ms, fix.lat, fix.lon, fix.field_m = time_ms, reading.lat, reading.lon, race.field_m
    for later in range(number, track.count):
        learn(fixes, track, later, race, road)


@compiled
def learn(fixes, track, number, race, road):
    """Computes what is known after remembered reading `number` from what was known before it."""
    fix = fixes[slot(track, number)]
    if number == 0 and track.forgot:
        return
    before = fixes[slot(track, max(number - 1, 0))]
    if number == 0 or before.proofs == 0:
        fix.proofs = 0
        search(fix, (fix.time_ms - race.start_ms) / 1000.0 * TYPICAL_SPEED, race.field_m, road)
        return
    carry_on(fix, before)
    if fix.lat == before.lat and fix.lon == before.lon:
        race.frozen += 1
    elif before.refusals >= REFUSALS_TO_SEARCH or fix.time_ms - before.seen_ms > 1000.0 * FORGET_AFTER_S:
        search(fix, fix.distance, before.distance + fix.field_m - before.field_m, road)
    else:
        believe_or_refuse(fix, before, race, road)


@compiled
def coasted(fix, time_ms):
    """Distance at `time_ms` of a rider who goes on as known after `fix`, for a while."""
    left_s = COASTING_S - (fix.time_ms - fix.seen_ms) / 1000.0
    passed_s = (time_ms - fix.time_ms) / 1000.0
    return max(fix.distance + fix.speed * min(passed_s, max(left_s, 0.0)), 0.0)


@compiled
def carry_on(fix, before):
    """What is known at the time of `fix` without looking at its position."""
    passed_s = (fix.time_ms - before.time_ms) / 1000.0
    noise = ACCELERATION_VAR * passed_s
    fix.distance = coasted(before, fix.time_ms)
    fix.speed = before.speed
    fix.var_distance = (
        before.var_distance
        + 2.0 * passed_s * before.covariance
        + passed_s * passed_s * (before.var_speed + noise / 3.0)
    )
    fix.covariance = before.covariance + passed_s * (before.var_speed + noise / 2.0)
    fix.var_speed = min(before.var_speed + noise, UNKNOWN_SPEED_VAR)
    fix.seen_ms, fix.proofs, fix.refusals = before.seen_ms, before.proofs, before.refusals


@compiled
def believe_or_refuse(fix, before, race, road):
    """Matches the reading to the road and lets it correct distance and speed, unless it cannot be true."""
    var_m = fix.var_distance + POSITION_VAR
    reach_m = min(max(4.0 * np.sqrt(fix.var_distance), LEAST_REACH_M), LARGEST_REACH_M)
    x, y = on_plane(fix.lat, fix.lon, road)
    place_m, off2 = best_place(x, y, fix.distance, var_m, reach_m, road)
    surprise = place_m - fix.distance
    unseen_s = (fix.time_ms - before.seen_ms) / 1000.0
    gained_m = surprise + fix.distance - before.distance
    too_fast = gained_m > FASTEST * unseen_s + 4.0 * np.sqrt(POSITION_VAR)
    if off2 > OFF_ROAD_M * OFF_ROAD_M or surprise * surprise > GATE * var_m or too_fast:
        race.outliers += 1
        fix.refusals += 1
        return
    gain_m, gain_speed = fix.var_distance / var_m, fix.covariance / var_m
    fix.distance = max(fix.distance + gain_m * surprise, 0.0)
    fix.speed = min(max(fix.speed + gain_speed * surprise, 0.0), FASTEST)
    fix.var_speed -= gain_speed * fix.covariance
    fix.covariance *= 1.0 - gain_m
    fix.var_distance *= 1.0 - gain_m
    fix.seen_ms = fix.time_ms
    fix.refusals = 0
    fix.proofs += 1


@compiled
def search(fix, fallback_m, expected_m, road):
    """Looks for the rider on the whole road, best near `expected_m`, or near `fallback_m` where that is NaN."""
    expected_m = fallback_m if np.isnan(expected_m) else expected_m
    expected_m = min(max(expected_m, 0.0), road.length_m)
    spread_m = 300.0 + 0.15 * expected_m
    x, y = on_plane(fix.lat, fix.lon, road)
    place_m, off2 = best_place(x, y, expected_m, spread_m * spread_m, road.length_m, road)
    if off2 > SEARCH_OFF_ROAD_M * SEARCH_OFF_ROAD_M:
        return
    fix.distance, fix.speed = place_m, 0.0
    fix.var_distance, fix.covariance, fix.var_speed = POSITION_VAR, 0.0, UNKNOWN_SPEED_VAR
    fix.seen_ms, fix.refusals, fix.proofs = fix.time_ms, 0, 1
