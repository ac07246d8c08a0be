"""Believes or refuses each reading, and keeps every rider's distance and speed in a filter along the road.

Each rider's last readings are remembered in the order of their fix times, each with what was known after it. A reading
that comes late takes its place and what follows is computed again: so the result depends on which readings have come,
not on the order in which they came.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.devices import EARLIEST_MS, LATEST_MS, note_motion, speaks
from tracking.kernel.layout import REMEMBERED, WATERMARK_MS, slot
from tracking.kernel.legs import APART_M, FITS_VAR, OFF_LEG_M, SURE, candidates, recent_positions, ride_to
from tracking.kernel.matching import POSITION_VAR, best_place, on_plane
from tracking.kernel.quality import PROOFS

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
ALONE_M, ALONE_MOST_M = 25.0, 75.0
"""A reading that surprises by more must be borne out by a second one; the larger the rarer a device reports, as its
rider may have braked meanwhile and a second one takes long to come."""
BORNE_OUT_S = 2.0
"""What bears it out are readings over at least this time ..."""
FARTHEST = 2.25
"""... of a place within so many squared standard deviations."""
CLOSE_LEGS_M = 150.0
"""Legs that are closer to each other along the road are always told apart."""
OTHER_LEG_M = 1000.0
"""How far away along the road the right leg typically is, at most, when another was taken for it."""
SURELY, UNSURE, WRONG = 0, 1, 2
"""Verdicts on the leg that a reading is on: told apart, several, none."""
LONGEST_INTERVAL_S = 15.0
"""What is longer is a hole, not how often a device reports."""
SPARSE_MS = 3500.0
"""Devices that report less often are proven by one reading less."""
HELD_MOST = 12
"""After so many readings in a row that could be on several legs, the likeliest leg is taken."""
BACK_M = 20.0
"""Nobody rides back this far: the leg is questioned."""
ASTRAY_MS = 2.0
"""m/s by which a rider who is not heard may fall behind the field, or gain on it."""
STARTLING_MS2 = 3.0
"""m/s² by which a rider may have braked all the time that nothing was believed."""
STEADY_S = 10.0
"""Speed becomes uncertain faster beyond this time: there may be a climb or a descent in it."""
TYPICAL_SPEED = 11.5
UNKNOWN_SPEED_VAR = 150.0


@compiled
def ingest(readings, devices, tracks, history, races, road):
    """Takes READINGs in, in any order; `devices` DEVICE by number, history (riders, REMEMBERED), `races` RACE (1,)."""
    race = races[0]
    for k in range(len(readings)):
        reading = readings[k]
        if reading.device >= len(devices) or devices[reading.device].rider < 0:
            race.unknown += 1
            continue
        device = devices[reading.device]
        race.readings += 1
        since_start_ms = reading.time_ms - race.start_ms
        if since_start_ms < EARLIEST_MS or since_start_ms > LATEST_MS:
            race.clock += 1
        elif not (abs(reading.lat) <= 90.0 and abs(reading.lon) <= 180.0):  # NaN is not
            race.outliers += 1
        elif reading.time_ms >= tracks[device.rider].withdrawn_ms:
            race.withdrawn += 1
        elif race.counted > 0 and reading.time_ms < tracks[device.rider].starts_ms:
            race.early += 1
            tracks[device.rider].seen_ms = max(tracks[device.rider].seen_ms, reading.time_ms)
        else:
            if device.other >= 0:
                note_motion(device, reading)
            if speaks(device, devices, reading.time_ms):
                remember(reading, tracks[device.rider], history[device.rider], race, road)
            else:
                race.spare += 1


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
    is_frozen = number > 0 and fix.lat == before.lat and fix.lon == before.lon
    if number == 0 or (before.proofs == 0 and not is_frozen):
        fix.proofs, fix.refusals, fix.held, fix.interval_ms = 0, 0, 0, 0.0
        expected_m = (fix.time_ms - track.starts_ms) / 1000.0 * TYPICAL_SPEED
        expected_m = expected_m if np.isnan(race.field_m) else race.field_m
        search(fixes, track, number, expected_m, 300.0 + 0.15 * expected_m, road)
        return
    carry_on(fix, before)
    if is_frozen:
        race.frozen += 1
    elif before.refusals >= REFUSALS_TO_SEARCH or fix.time_ms - before.seen_ms > 1000.0 * FORGET_AFTER_S:
        gone_m = fix.field_m - before.field_m
        spread_m = 300.0 + ASTRAY_MS * (fix.time_ms - before.seen_ms) / 1000.0
        fix.proofs = 0
        search(fixes, track, number, fix.distance if np.isnan(gone_m) else before.distance + gone_m, spread_m, road)
    elif before.proofs < PROOFS:
        prove(fixes, track, number, race, road)
    else:
        believe_or_refuse(fixes, track, number, race, road)


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
    noise = ACCELERATION_VAR * passed_s * (1.0 + passed_s / STEADY_S)
    fix.distance = coasted(before, fix.time_ms)
    fix.speed = before.speed
    fix.var_distance = (
        before.var_distance
        + 2.0 * passed_s * before.covariance
        + passed_s * passed_s * (before.var_speed + noise / 3.0)
    )
    fix.var_speed = min(before.var_speed + noise, UNKNOWN_SPEED_VAR)
    fix.covariance = before.covariance + passed_s * (before.var_speed + noise / 2.0)
    fix.covariance = min(fix.covariance, 0.99 * np.sqrt(fix.var_distance * fix.var_speed))
    fix.seen_ms, fix.proofs, fix.refusals = before.seen_ms, before.proofs, before.refusals
    fix.interval_ms = before.interval_ms
    if passed_s <= LONGEST_INTERVAL_S:
        longer = 1000.0 * passed_s - before.interval_ms
        fix.interval_ms += longer * (1.0 if before.interval_ms == 0.0 else 0.5 if longer < 0.0 else 0.2)
    fix.held, fix.top_m, fix.sought_m, fix.spread_m = before.held, before.top_m, before.sought_m, before.spread_m


@compiled
def believe_or_refuse(fixes, track, number, race, road):
    """Matches the reading to the road and lets it correct distance and speed, unless it cannot be true."""
    fix, before = fixes[slot(track, number)], fixes[slot(track, number - 1)]
    var_m = fix.var_distance + POSITION_VAR
    reach_m = min(max(4.0 * np.sqrt(fix.var_distance), LEAST_REACH_M), LARGEST_REACH_M)
    x, y = on_plane(fix.lat, fix.lon, road)
    place_m, off2 = best_place(x, y, fix.distance, var_m, reach_m, road)
    surprise = place_m - fix.distance
    unseen_s = (fix.time_ms - before.seen_ms) / 1000.0
    alone = off2 > OFF_ROAD_M * OFF_ROAD_M or surprise * surprise > min(GATE * var_m, alone_var(fix))
    speed = np.nan
    if alone or fold_at(place_m, road) <= max(reach_m + abs(surprise), CLOSE_LEGS_M):
        place_m, speed, verdict = leg_of(fixes, track, number, reach_m, unseen_s, alone, road)
        if verdict == WRONG or (verdict == UNSURE and fix.held < HELD_MOST):
            refuse(fix, verdict == WRONG, race)
            return
        surprise = place_m - fix.distance
    if surprise + fix.distance - before.distance > FASTEST * unseen_s + 4.0 * np.sqrt(POSITION_VAR):
        refuse(fix, True, race)
    elif surprise * surprise > GATE * var_m:
        settle(fix, place_m, speed)
    else:
        correct(fix, surprise, var_m)
        if fix.distance < fix.top_m - BACK_M:
            look_for_other_leg(fixes, track, number, road)


@compiled
def alone_var(fix):
    """Squared metres by which a reading may surprise without being borne out by others."""
    interval_s = fix.interval_ms / 1000.0
    alone_m = min(max(0.5 * STARTLING_MS2 * interval_s * interval_s, ALONE_M), ALONE_MOST_M)
    return max(min(4.0 * fix.var_distance, 2.0 * ALONE_M * ALONE_M), alone_m * alone_m)


@compiled
def refuse(fix, wrong, race):
    """Does not believe a reading: it is wrong, or it could be on several legs."""
    if wrong:
        race.outliers += 1
        fix.refusals += 1
    else:
        race.held += 1
        fix.held += 1


@compiled
def correct(fix, surprise, var_m):
    """Lets a believed reading correct distance and speed."""
    gain_m, gain_speed = fix.var_distance / var_m, fix.covariance / var_m
    fix.distance = max(fix.distance + gain_m * surprise, 0.0)
    fix.speed = min(max(fix.speed + gain_speed * surprise, 0.0), FASTEST)
    fix.var_speed -= gain_speed * fix.covariance
    fix.covariance *= 1.0 - gain_m
    fix.var_distance *= 1.0 - gain_m
    fix.seen_ms = fix.time_ms
    fix.refusals, fix.held = 0, 0
    fix.proofs += 1
    fix.top_m = max(fix.top_m, fix.distance)


@compiled
def fold_at(distance, road):
    """How far along the road the nearest other leg is that could be mistaken for the one at a distance."""
    return road.segments[min(max(int(distance / road.step_m), 0), len(road.segments) - 1)].fold_m


@compiled
def leg_of(fixes, track, number, reach_m, unseen_s, alone, road):
    """(distance, speed, verdict) of the place in reach that explains the last readings best.

    `alone`: the reading is far from what was expected, so that others since the last believed one must bear it out.
    """
    fix = fixes[slot(track, number)]
    x, y = on_plane(fix.lat, fix.lon, road)
    recent = recent_positions(fixes, track, number, road)
    braked_s = min(unseen_s, STEADY_S)
    reach_m = min(max(reach_m, CLOSE_LEGS_M, STARTLING_MS2 * unseen_s * braked_s), LARGEST_REACH_M)
    var_m = fix.var_distance + ALONE_M * ALONE_M + (STARTLING_MS2 * unseen_s * braked_s / 2.0) ** 2
    speed_var = fix.var_speed + (STARTLING_MS2 * braked_s) ** 2
    best, second, best_m, best_speed, borne_s = np.inf, np.inf, fix.distance, fix.speed, 0.0
    for other_m in candidates(x, y, fix.distance - reach_m, fix.distance + reach_m, OFF_LEG_M, road)[0]:
        misfit, speed, fits_s = ride_to(other_m, recent, fix.speed, speed_var, unseen_s, road)
        misfit += (other_m - fix.distance) ** 2 / var_m
        if misfit < best:
            best, second, best_m, best_speed, borne_s = misfit, best, other_m, speed, fits_s
        elif misfit < second:
            second = misfit
    surprise2 = (best_m - fix.distance) ** 2
    if (alone or surprise2 > alone_var(fix)) and (surprise2 > FARTHEST * var_m or borne_s < BORNE_OUT_S):
        return best_m, best_speed, WRONG
    return best_m, best_speed, SURELY if second - best > SURE else UNSURE


@compiled
def look_for_other_leg(fixes, track, number, road):
    """A rider who goes back is more likely on another leg: takes it if it explains the last readings better."""
    fix = fixes[slot(track, number)]
    x, y = on_plane(fix.lat, fix.lon, road)
    recent = recent_positions(fixes, track, number, road)
    misfit, best_speed, _ = ride_to(fix.distance, recent, TYPICAL_SPEED, UNKNOWN_SPEED_VAR, np.inf, road)
    best, best_m = misfit - SURE, fix.distance
    low_m, high_m = fix.distance - LARGEST_REACH_M, fix.distance + LARGEST_REACH_M
    for other_m in candidates(x, y, low_m, high_m, OFF_LEG_M, road)[0]:
        misfit, speed, _ = ride_to(other_m, recent, TYPICAL_SPEED, UNKNOWN_SPEED_VAR, np.inf, road)
        misfit += ((other_m - fix.distance) / OTHER_LEG_M) ** 2
        if misfit < best and abs(other_m - fix.distance) > APART_M:
            best, best_m, best_speed = misfit, other_m, speed
    fix.top_m = best_m
    if best_m != fix.distance:
        settle(fix, best_m, best_speed)


@compiled
def settle(fix, place_m, speed):
    """The rider is at a place, whatever was known before."""
    fix.distance, fix.speed, fix.top_m = place_m, max(speed, 0.0), place_m
    fix.var_distance, fix.covariance, fix.var_speed = POSITION_VAR, 0.0, UNKNOWN_SPEED_VAR
    fix.seen_ms, fix.refusals, fix.held = fix.time_ms, 0, 0


@compiled
def prove(fixes, track, number, race, road):
    """Looks again for a rider who was just found: only readings that agree make the place sure."""
    fix, before = fixes[slot(track, number)], fixes[slot(track, number - 1)]
    expected_m, var_m, proofs = fix.distance, fix.var_distance + POSITION_VAR, before.proofs
    search(fixes, track, number, before.sought_m, before.spread_m, road)
    surprise = fix.distance - expected_m
    if fix.seen_ms != fix.time_ms:
        race.outliers += 1
        fix.refusals += 1
    elif surprise * surprise <= GATE * var_m:
        fix.proofs = PROOFS if proofs + 2 >= PROOFS and fix.interval_ms > SPARSE_MS else proofs + 1


@compiled
def search(fixes, track, number, expected_m, spread_m, road):
    """Looks for the rider on the whole road, best within `spread_m` of `expected_m`; found is proven once."""
    fix = fixes[slot(track, number)]
    expected_m = min(max(expected_m, 0.0), road.length_m)
    fix.sought_m, fix.spread_m = expected_m, spread_m
    x, y = on_plane(fix.lat, fix.lon, road)
    recent = recent_positions(fixes, track, number, road)
    best, best_m, best_speed = np.inf, 0.0, 0.0
    places, offs2 = candidates(x, y, 0.0, road.length_m, OFF_ROAD_M, road)
    for k in range(len(places)):
        misfit, speed, _ = ride_to(places[k], recent, TYPICAL_SPEED, UNKNOWN_SPEED_VAR, np.inf, road)
        misfit += offs2[k] / POSITION_VAR + ((places[k] - expected_m) / spread_m) ** 2
        if misfit < best:
            best, best_m, best_speed = misfit, places[k], speed if offs2[k] < FITS_VAR else 0.0
    if best < np.inf:
        settle(fix, best_m, best_speed)
        fix.proofs = 1
