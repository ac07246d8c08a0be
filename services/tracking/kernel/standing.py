"""Ranks the riders at a second of the race, measures their gaps as passage times, and fills in all that follows."""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.air import air_at, wind_on
from tracking.kernel.filtering import FASTEST, coasted
from tracking.kernel.general import classify
from tracking.kernel.grouping import mark_groups
from tracking.kernel.layout import WATERMARK_MS, slot
from tracking.kernel.passing import note_trails, number_at, passed_by, witnessed_at
from tracking.kernel.power import SMOOTHED_OVER_S, abreast, drag_left, power
from tracking.kernel.quality import FRESH_MS, LOST_MS, PROOFS, is_racing
from tracking.kernel.trial import UNKNOWN_KEY, crossed_at, judge, mark_teams, tell_gaps, wait
from tracking.records import FINISHED, FRESH, LOST, PREDICTED

RECENT_S = 10
"""Over which the mean speed and the acceleration of a rider are taken."""
AHEAD_OF_CLOCK_MS = 3_000
"""Readings further in the future than this come from a wrong clock."""
FINISHED_KEY, LOST_KEY, WITHDRAWN_KEY = 1e7, -1e7, -3e7
EFFORT_MS = 60_000
DRIVEN_EFFORT, RESTED_EFFORT = 13.0, 4.0
"""W/kg over a minute that nobody rides, and below which a device that was driven may be on a bike again."""
STANDS_MS, GAVE_UP_MS = 2.0, 120_000
"""m/s below which a rider stands, and for how long who may have given up does; a mishap takes less."""
UNDER_WAY_M = 500.0
"""Before this the field waits for the start."""
SHELTERED_DRAG = 0.0011
"""1/m, air drag of a sheltered rider by his weight on the bike."""
STEEPEST = 0.12
"""Beyond this a profile is more often wrong than steep for long."""


@compiled
def frame(clock_ms, numbers, tracks, history, order, passage, air, view, races, road, out):
    """Writes the RIDER_STATE of every rider at `clock_ms` to `out`.

    `order` (riders,) keeps the ranking from frame to frame; `passage` (places,) when the first rider passed, NaN where
    that was not seen; `air` is AIR (m,) evenly spread over the road, `view` VIEW (places,), `races` RACE (1,).
    """
    race = races[0]
    for i in range(len(tracks)):
        locate(tracks[i], history[i], clock_ms, view, race, road)
    if race.counted > 0:
        judge(tracks, history, clock_ms, passage, race, road)
    rank(order, tracks)
    note_trails(tracks, history, clock_ms, race)
    head_m = np.nan
    if race.counted == 0:
        note_passages(order, tracks, history, clock_ms, passage, race, road)
        head_m = head_now(order, tracks, race, road)
    for place in range(len(order)):
        i = order[place]
        describe(out[i], numbers[i], place, tracks[i], clock_ms, passage, head_m, view, race, road)
        describe_motion(out[i], tracks[i], history[i], clock_ms, race)
    if race.counted > 0:
        tell_gaps(order, tracks, clock_ms, race, out)
        sizes = mark_teams(order, tracks, race, out)
    else:
        measure_gaps(order, tracks, history, clock_ms, race, out)
        sizes = mark_groups(order, tracks, race, out)
    feel_air(order, tracks, sizes, clock_ms, air, view, race, road, out)
    classify(order, tracks, race, out)
    if race.counted == 0:
        race.field_m = middle(order, tracks, race.field_m)
    race.clock_ms = clock_ms


@compiled
def locate(track, fixes, clock_ms, view, race, road):
    """Where a rider is at the clock, how sure that is, and whether the line has been crossed."""
    while track.count > 1 and fixes[slot(track, track.count - 1)].time_ms > clock_ms + AHEAD_OF_CLOCK_MS:
        track.count -= 1
        race.clock += 1
    if track.quality == FINISHED:
        return
    if race.counted > 0 and clock_ms < min(track.starts_ms, track.withdrawn_ms):
        wait(track, clock_ms, race)
        return
    track.quality = LOST
    track.key = UNKNOWN_KEY if clock_ms < track.withdrawn_ms else WITHDRAWN_KEY
    if track.count == 0 or clock_ms >= track.withdrawn_ms:
        return
    fix = fixes[slot(track, track.count - 1)]
    if fix.proofs < PROOFS:
        return
    was_m = track.distance
    track.distance = coasted(fix, clock_ms)
    track.speed = fix.speed
    track.seen_ms = fix.seen_ms
    unseen_ms = clock_ms - fix.seen_ms
    fresh_ms, lost_ms = max(FRESH_MS, 1.5 * fix.interval_ms + 1000.0), max(LOST_MS, 6.0 * fix.interval_ms)
    is_driven(track, clock_ms - race.clock_ms, view, road)
    track.quality = FRESH if unseen_ms <= fresh_ms else PREDICTED if unseen_ms <= lost_ms else LOST
    if track.driven:
        track.quality = LOST
    track.key = track.distance if track.quality != LOST else LOST_KEY + track.distance
    if track.distance >= road.length_m and track.quality == FRESH:
        cross_line(track, was_m, clock_ms, race, road)
        if race.counted > 0:
            track.finish_ms = track.seen_ms = crossed_at(track, fixes, clock_ms, road)
    track.distance = min(track.distance, road.length_m)


@compiled
def sheltered_effort(speed, slope):
    """W/kg of a rider in the shelter of others; below 0 where gravity alone is more than enough."""
    return speed * (9.81 * (slope + 0.004) + SHELTERED_DRAG * speed * speed)


@compiled
def is_driven(track, passed_ms, view, road):
    """Notes whether a rider who has stood for long goes on as nobody rides, even behind others: in a car.

    Without the long stop it would be the profile, or a recording that nobody rode, that is believed less than the fix.
    """
    passed_ms = min(max(passed_ms, 0), EFFORT_MS)
    if track.speed < STANDS_MS and track.distance > UNDER_WAY_M:
        track.stood_ms += passed_ms
    elif track.stood_ms < GAVE_UP_MS:
        track.stood_ms = 0
    cell = min(max(int(track.distance / road.step_m), 0), len(view) - 1)
    slope = min(max(view[cell].gradient, -STEEPEST), STEEPEST)
    track.effort += (max(sheltered_effort(track.speed, slope), 0.0) - track.effort) * passed_ms / EFFORT_MS
    enough = RESTED_EFFORT if track.driven else DRIVEN_EFFORT
    track.driven = track.carried or (track.stood_ms >= GAVE_UP_MS and track.effort > enough)


@compiled
def cross_line(track, was_m, clock_ms, race, road):
    """Notes when a rider crossed the finish between the last frame and this one."""
    share = (road.length_m - was_m) / max(track.distance - was_m, 0.1)
    if race.clock_ms == 0:
        share = 1.0
    track.finish_ms = clock_ms - np.int64((1.0 - share) * (clock_ms - race.clock_ms))
    track.seen_ms = track.finish_ms
    track.quality = FINISHED
    track.key = FINISHED_KEY - (track.finish_ms - race.start_ms) / 1000.0
    if race.first_finish_ms == 0 or track.finish_ms < race.first_finish_ms:
        race.first_finish_ms = track.finish_ms


@compiled
def rank(order, tracks):
    """Brings `order` into race order: finished, on the road, lost, unknown; equal ones by start list."""
    for k in range(1, len(order)):
        moving = order[k]
        key = tracks[moving].key
        j = k
        while j > 0:
            other = order[j - 1]
            if tracks[other].key > key or (tracks[other].key == key and other < moving):
                break
            order[j] = other
            j -= 1
        order[j] = moving


@compiled
def head_now(order, tracks, race, road):
    """Distance of the first rider."""
    first = tracks[order[0]]
    if first.quality == FINISHED:
        return road.length_m
    return first.distance if is_racing(first) else race.head_m


@compiled
def note_passages(order, tracks, history, clock_ms, passage, race, road):
    """Notes when the places between the head's last known place and its place one watermark ago were passed.

    Only what no reading can change any more is noted; what the head has passed since is interpolated by `passed_at`.
    """
    settled_ms = clock_ms - WATERMARK_MS
    if settled_ms < race.start_ms:
        return
    head_m = 0.0
    for i in order:
        if tracks[i].key <= race.head_m and tracks[i].quality != FINISHED:
            break
        if tracks[i].quality != LOST:
            head_m = max(head_m, witnessed_at(tracks[i], history[i], settled_ms))
    head_m = min(head_m, road.length_m)
    if race.head_ms == 0:
        if settled_ms - race.start_ms > 60_000:
            race.head_m = head_m
            race.head_ms = settled_ms
            return
        race.head_m = 0.0
        race.head_ms = race.start_ms
        passage[0] = race.start_ms
    if head_m > race.head_m:
        first, last = int(race.head_m / road.step_m) + 1, int(head_m / road.step_m + 1e-9)
        for cell in range(first, min(last + 1, len(passage))):
            share = (cell * road.step_m - race.head_m) / (head_m - race.head_m)
            passage[cell] = race.head_ms + share * (settled_ms - race.head_ms)
        race.head_m = head_m
        race.head_ms = settled_ms


@compiled
def passed_at(distance, clock_ms, passage, head_m, race, road):
    """When the first rider passed a distance, Unix milliseconds; NaN where that was not seen."""
    if distance >= head_m:
        return np.float64(clock_ms)
    if distance > race.head_m:
        since_ms = race.head_ms if race.head_ms > 0 else race.start_ms
        return since_ms + (distance - race.head_m) / (head_m - race.head_m) * (clock_ms - since_ms)
    cell = min(int(distance / road.step_m), len(passage) - 2)
    share = distance / road.step_m - cell
    if np.isnan(passage[cell + 1]):
        if race.head_m <= cell * road.step_m:
            return passage[cell]
        until = (race.head_m - cell * road.step_m) / road.step_m
        return passage[cell] + share / until * (race.head_ms - passage[cell])
    return passage[cell] + share * (passage[cell + 1] - passage[cell])


@compiled
def put_on_road(state, distance, view, step_m, length_m):
    """Fills in where a distance is on the road, and how the road is there."""
    state.distance_m = distance
    state.to_go_m = length_m - distance
    at = distance / step_m
    cell = min(int(at), len(view) - 2)
    share, here, there = at - cell, view[cell], view[cell + 1]
    state.lat = here.lat + share * (there.lat - here.lat)
    state.lon = here.lon + share * (there.lon - here.lon)
    state.elevation_m = here.elevation + share * (there.elevation - here.elevation)
    state.gradient = here.gradient + share * (there.gradient - here.gradient)
    state.heading_deg = here.heading


@compiled
def describe(state, number, place, track, clock_ms, passage, head_m, view, race, road):
    """Fills in who and where a rider is, and the gap to the first one."""
    state.rider = number
    state.time_ms = clock_ms
    state.seen_ms = track.seen_ms
    put_on_road(state, track.distance, view, road.step_m, road.length_m)
    state.position = place + 1
    state.quality = track.quality
    state.gap_m = head_m - track.distance
    if track.quality == FINISHED:
        state.speed_ms = 0.0
        state.gap_s = (track.finish_ms - race.first_finish_ms) / 1000.0
        return
    state.speed_ms = track.speed
    state.gap_s = np.nan
    if track.quality != LOST and race.counted == 0:
        passed = passed_at(track.distance, clock_ms, passage, head_m, race, road)
        state.gap_s = max((clock_ms - passed) / 1000.0, 0.0)


@compiled
def describe_motion(state, track, fixes, clock_ms, race):
    """Fills in the mean speeds and the acceleration; NaN as long as too little is known."""
    state.speed_10s_ms = state.speed_average_ms = state.acceleration_ms2 = np.nan
    if track.quality == LOST:
        return
    until_ms = track.finish_ms if track.quality == FINISHED else clock_ms
    if until_ms > track.starts_ms:
        state.speed_average_ms = track.distance / (until_ms - track.starts_ms) * 1000.0
    if track.quality == FINISHED:
        state.speed_10s_ms = state.acceleration_ms2 = 0.0
        return
    then_ms = clock_ms - RECENT_S * 1000
    number = number_at(track, fixes, then_ms)
    if number < 0 or fixes[slot(track, number)].proofs < PROOFS:
        return
    fix = fixes[slot(track, number)]
    was_m = fix.distance if fix.time_ms == then_ms else coasted(fix, then_ms)
    state.speed_10s_ms = min(max((track.distance - was_m) * (1.0 / RECENT_S), 0.0), FASTEST)
    if track.quality == FRESH:
        state.acceleration_ms2 = (track.speed - fix.speed) * (1.0 / RECENT_S)


@compiled
def measure_gaps(order, tracks, history, clock_ms, race, out):
    """Fills in the gaps to the rider in front and to the yellow jersey."""
    ahead, yellow = -1, race.yellow
    if yellow >= 0 and tracks[yellow].quality == LOST:
        yellow = -1
    for i in order:
        state = out[i]
        state.gap_previous_s = state.gap_previous_m = state.gap_yellow_s = state.gap_yellow_m = np.nan
        if tracks[i].quality == LOST:
            continue
        if ahead >= 0:
            state.gap_previous_m = tracks[ahead].distance - tracks[i].distance
            state.gap_previous_s = behind_s(i, ahead, tracks, history[ahead], clock_ms, race, out)
        if yellow >= 0:
            state.gap_yellow_m = tracks[yellow].distance - tracks[i].distance
            if yellow == ahead:
                state.gap_yellow_s = state.gap_previous_s
            elif tracks[yellow].key >= tracks[i].key:
                state.gap_yellow_s = behind_s(i, yellow, tracks, history[yellow], clock_ms, race, out)
            else:
                state.gap_yellow_s = -behind_s(yellow, i, tracks, history[i], clock_ms, race, out)
        ahead = i


@compiled
def behind_s(i, ahead, tracks, fixes, clock_ms, race, out):
    """How long ago rider `ahead`, of these fixes, was where rider `i` is, or by how much sooner the line was crossed.

    Of what is not remembered: how long the first rider of the race took from one to the other.
    """
    if tracks[i].quality == FINISHED:
        return (tracks[i].finish_ms - tracks[ahead].finish_ms) / 1000.0
    passed_ms = passed_by(tracks[ahead], fixes, tracks[i].distance, clock_ms, race)
    if np.isnan(passed_ms):
        return np.float64(out[i].gap_s) - np.float64(out[ahead].gap_s)
    return (clock_ms - passed_ms) / 1000.0


@compiled
def feel_air(order, tracks, sizes, clock_ms, air, view, race, road, out):
    """Fills in the wind in the riders' frame and the estimated power."""
    air_per_m = (len(air) - 1) / road.length_m
    passed_s = (clock_ms - race.clock_ms) / 1000.0
    renewed = passed_s / (SMOOTHED_OVER_S + passed_s)
    for i in order:
        state, track = out[i], tracks[i]
        state.head_wind_ms = state.cross_wind_ms = state.power_w = np.nan
        if not is_racing(track):
            track.power = np.nan
            continue
        east, north, density = air_at(track.distance, air, air_per_m)
        head, cross = wind_on(view[int(track.distance / road.step_m)], east, north)
        state.head_wind_ms, state.cross_wind_ms = head, cross
        if np.isnan(state.acceleration_ms2):
            track.power = np.nan
            continue
        size = sizes[state.group]
        row = (state.group_position - 1) // abreast(size) if state.group > 0 else 0
        drag = drag_left(row, size)
        now = power(track.speed, state.acceleration_ms2, state.gradient, head, cross, density, drag)
        track.power = now if np.isnan(track.power) else track.power + (now - track.power) * renewed
        state.power_w = track.power if track.power > 0.0 else 0.0


@compiled
def middle(order, tracks, before):
    """Distance of the middle one of the riders on the road; as before where there is none."""
    racing = 0
    for i in order:
        racing += is_racing(tracks[i])
    passed = 0
    for i in order:
        if is_racing(tracks[i]):
            if passed == racing // 2:
                return tracks[i].distance
            passed += 1
    return before
