"""Ranks the riders at a second of the race, measures their gaps as passage times, and finds the groups."""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.filtering import coasted, slot
from tracking.kernel.layout import WATERMARK_MS

FRESH, PREDICTED, LOST, FINISHED = 0, 1, 2, 3
"""Quality of a state."""
FRESH_MS = 3_000
LOST_MS = 60_000
PROOFS = 4
"""Believed readings before a rider takes part in the race's standing."""
SPLIT_S = 6.0
"""Riders of one group whose gap grows beyond this are two groups ..."""
JOIN_S = 4.0
"""... and riders of two groups join below this: a group does not flicker around one threshold."""
SLOWEST = 3.0
"""m/s that a gap in metres is divided by at least."""
AHEAD_OF_CLOCK_MS = 3_000
"""Readings further in the future than this come from a wrong clock."""
FINISHED_KEY, LOST_KEY, UNKNOWN_KEY = 1e7, -1e7, -2e7


@compiled
def frame(clock_ms, numbers, tracks, history, order, passage, race, road, out):
    """Writes the RIDER_STATE of every rider at `clock_ms` to `out`.

    `order` (riders,) keeps the ranking from frame to frame; `passage` (places,) when the first rider passed, NaN where
    that was not seen.
    """
    for i in range(len(tracks)):
        locate(tracks[i], history[i], clock_ms, race, road)
    rank(order, tracks)
    note_passages(order, tracks, history, clock_ms, passage, race, road)
    head_m = head_now(order, tracks, race, road)
    for place in range(len(order)):
        i = order[place]
        describe(out[i], numbers[i], place, tracks[i], clock_ms, passage, head_m, race, road)
    mark_groups(order, tracks, out)
    race.field_m = middle(order, tracks, race.field_m)
    race.clock_ms = clock_ms


@compiled
def locate(track, fixes, clock_ms, race, road):
    """Where a rider is at the clock, how sure that is, and whether the line has been crossed."""
    while track.count > 1 and fixes[slot(track, track.count - 1)].time_ms > clock_ms + AHEAD_OF_CLOCK_MS:
        track.count -= 1
    if track.quality == FINISHED:
        return
    track.quality = LOST
    track.key = UNKNOWN_KEY
    if track.count == 0:
        return
    fix = fixes[slot(track, track.count - 1)]
    if fix.proofs < PROOFS:
        return
    was_m = track.distance
    track.distance = coasted(fix, clock_ms)
    track.speed = fix.speed
    track.seen_ms = fix.seen_ms
    unseen_ms = clock_ms - fix.seen_ms
    track.quality = FRESH if unseen_ms <= FRESH_MS else PREDICTED if unseen_ms <= LOST_MS else LOST
    track.key = track.distance if track.quality != LOST else LOST_KEY + track.distance
    if track.distance >= road.length_m and track.quality == FRESH:
        cross_line(track, was_m, clock_ms, race, road)
    track.distance = min(track.distance, road.length_m)


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
def is_racing(track):
    """Whether the rider is on the road and known to be there."""
    return track.quality == FRESH or track.quality == PREDICTED


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
            head_m = max(head_m, distance_at(tracks[i], history[i], settled_ms))
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
def distance_at(track, fixes, time_ms):
    """Where a rider was at a moment, from the readings up to it; 0 where none is remembered."""
    for number in range(track.count - 1, -1, -1):
        fix = fixes[slot(track, number)]
        if fix.time_ms <= time_ms:
            return coasted(fix, time_ms) if fix.proofs >= PROOFS else 0.0
    return 0.0


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
def describe(state, number, place, track, clock_ms, passage, head_m, race, road):
    """Fills the RIDER_STATE of one rider, but for the group."""
    state.rider = number
    state.time_ms = clock_ms
    state.seen_ms = track.seen_ms
    state.distance_m = track.distance
    state.to_go_m = road.length_m - track.distance
    cell = min(int(track.distance / road.step_m), len(road.lat) - 2)
    share = track.distance / road.step_m - cell
    state.lat = road.lat[cell] + share * (road.lat[cell + 1] - road.lat[cell])
    state.lon = road.lon[cell] + share * (road.lon[cell + 1] - road.lon[cell])
    state.gradient = road.gradient[cell] + share * (road.gradient[cell + 1] - road.gradient[cell])
    state.position = place + 1
    state.quality = track.quality
    state.gap_m = head_m - track.distance
    if track.quality == FINISHED:
        state.speed_ms = 0.0
        state.gap_s = (track.finish_ms - race.first_finish_ms) / 1000.0
        return
    state.speed_ms = track.speed
    state.gap_s = np.nan
    if track.quality != LOST:
        passed = passed_at(track.distance, clock_ms, passage, head_m, race, road)
        state.gap_s = max((clock_ms - passed) / 1000.0, 0.0)


@compiled
def mark_groups(order, tracks, out):
    """Numbers the groups on the road from the head: a group ends where the gap to the next rider is long enough."""
    group = 0
    ahead = -1
    ahead_was = 0
    for i in order:
        if not is_racing(tracks[i]):
            tracks[i].group = 0
            out[i].group = 0
            continue
        was = tracks[i].group
        if ahead < 0:
            group = 1
        else:
            gap_s = (tracks[ahead].distance - tracks[i].distance) / max(tracks[i].speed, SLOWEST)
            group += gap_s > (SPLIT_S if was == ahead_was else JOIN_S)
        tracks[i].group = group
        out[i].group = group
        ahead, ahead_was = i, was


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
