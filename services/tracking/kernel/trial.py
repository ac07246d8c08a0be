"""A time trial: every rider, or every team, against the clock, and held against the best time at the same place.

Who is timed together is a unit: one rider, or a team, whose time at a place is that of its `counted`-th rider there.
`passage` keeps the best time of any unit at each place, milliseconds since the unit's own start; NaN where none passed.

A gap is the own time since the own start less the best time of all others who have passed this place: below 0 for who
is faster than all before, 0 for who is the first to come here, and for who has finished behind the best at the line.
Riders are ranked by that gap, those under way where it puts them among those who have finished. In the first
`RANKED_FROM_M` it says little: who is there comes after the others. Then come the lost, and those who wait, next first.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.general import SAME_TIME_S
from tracking.kernel.grouping import SLOWEST
from tracking.kernel.layout import WATERMARK_MS, slot
from tracking.kernel.passing import distance_at, passed_by, witnessed_at
from tracking.kernel.quality import FRESH_MS, LOST_MS, PROOFS, is_racing
from tracking.records import FINISHED, FRESH, LOST, PREDICTED

RANKED_FROM_M = 1000.0
BEFORE_LINE_M = 25.0
"""Nearer to the line, readings from beyond it are taken for readings at it."""
HOLE_MS = 60_000
"""What a unit rode while it was unheard for longer is not thought to be even, and sets no best time."""
SETTING_OFF_MS = 30_000
"""Who is not found on the road yet may just have set off."""
EARLY_KEY, UNTIMED_KEY, WAITING_KEY, UNKNOWN_KEY = -1e6, -2e6, -1.5e7, -2e7
HOME = 1e7
TIE = 1e-9
"""Riders of one team are ranked as they ride."""


@compiled
def wait(track, clock_ms, race):
    """A rider before the own start stands at it, wherever the device is."""
    track.quality, track.distance, track.speed = LOST, 0.0, 0.0
    track.key = waiting_key(track, race)


@compiled
def waiting_key(track, race):
    """Who starts next comes first."""
    return WAITING_KEY - (track.starts_ms - race.start_ms) / 1000.0


@compiled
def crossed_at(track, fixes, clock_ms, road):
    """When a rider crossed the line, by speed and place in front of it: behind it the road is not known any more.

    Against the clock a tenth of a second counts, also where nothing was heard at the line.
    """
    for number in range(track.count - 1, -1, -1):
        fix = fixes[slot(track, number)]
        if fix.proofs < PROOFS:
            break
        left_m = road.length_m - fix.distance
        if fix.seen_ms == fix.time_ms and left_m > BEFORE_LINE_M and fix.speed > SLOWEST:
            return min(fix.time_ms + np.int64(1000.0 * left_m / fix.speed), clock_ms)
    return track.finish_ms


@compiled
def judge(tracks, history, clock_ms, passage, race, road):
    """Notes the best times that no reading can change any more, and gives every rider gap and key."""
    progress, line = np.empty(len(tracks)), np.empty(len(tracks), np.int64)
    note_best(tracks, history, clock_ms, passage, progress, line, race, road)
    for i in range(len(tracks)):
        track = tracks[i]
        track.gap_s = np.nan
        progress[i] = home(track) if track.quality == FINISHED else track.distance if is_racing(track) else -1.0
        if track.key == UNKNOWN_KEY and clock_ms < track.starts_ms + SETTING_OFF_MS:
            track.key = waiting_key(track, race)
    timed = np.full(len(tracks), -1)
    race.best_ms = np.nan
    for first in range(len(tracks)):
        if tracks[first].unit == first:
            timed[first] = timed_rider(first, tracks, progress, line, clock_ms, race)
            if timed[first] >= 0 and tracks[timed[first]].quality == FINISHED:
                took_ms = tracks[timed[first]].finish_ms - tracks[first].starts_ms
                race.best_ms = took_ms if np.isnan(race.best_ms) else min(race.best_ms, took_ms)
    for first in range(len(tracks)):
        if tracks[first].unit == first:
            measure(first, timed, tracks, history, progress, line, clock_ms, passage, race, road)
    for i in range(len(tracks)):
        give_key(tracks[i], progress[i])


@compiled
def home(track):
    """Progress of who has finished: beyond all who are on the road, the first of a team farthest."""
    return HOME - (track.finish_ms - track.starts_ms) / 1000.0


@compiled
def give_key(track, progress):
    """Ranks a rider who has started."""
    if track.quality == LOST:
        return
    if np.isnan(track.gap_s):
        track.key = UNTIMED_KEY
    elif track.quality != FINISHED and track.distance < RANKED_FROM_M:
        track.key = EARLY_KEY - track.gap_s
    else:
        track.key = -track.gap_s
    track.key += TIE * progress


@compiled
def line_up(first, tracks, progress, line):
    """Writes the riders of a unit who are known to be on the road or home into `line`, farthest first; how many."""
    size = 0
    for i in range(first, len(tracks)):
        if tracks[i].unit == first and progress[i] >= 0.0:
            k = size
            while k > 0 and progress[line[k - 1]] < progress[i]:
                line[k] = line[k - 1]
                k -= 1
            line[k] = i
            size += 1
    return size


@compiled
def timed_rider(first, tracks, progress, line, clock_ms, race):
    """Whose time is the unit's; of a team that has become too small, its last rider's. -1 where nobody knows."""
    members = 0
    for i in range(first, len(tracks)):
        members += tracks[i].unit == first and tracks[i].withdrawn_ms > clock_ms
    due = min(race.counted, members)
    return line[due - 1] if 0 < due <= line_up(first, tracks, progress, line) else -1


@compiled
def note_best(tracks, history, clock_ms, passage, progress, line, race, road):
    """Notes the time of every unit at the places that it had passed one watermark ago, where it is the best."""
    passage[0] = 0.0
    settled_ms = clock_ms - WATERMARK_MS
    for i in range(len(tracks)):
        track = tracks[i]
        if track.quality == FINISHED and settled_ms >= track.finish_ms:
            progress[i] = home(track)
        elif track.quality == LOST or settled_ms < track.starts_ms:
            progress[i] = -1.0
        else:
            progress[i] = min(distance_at(track, history[i], settled_ms), road.length_m)
    for first in range(len(tracks)):
        unit = tracks[first]
        if unit.unit != first or settled_ms < unit.starts_ms or unit.noted_m >= road.length_m:
            continue
        i = timed_rider(first, tracks, progress, line, clock_ms, race)
        if i < 0:
            continue
        at_m, at_ms = road.length_m, tracks[i].finish_ms
        if progress[i] <= road.length_m:
            at_m, at_ms = min(witnessed_at(tracks[i], history[i], settled_ms), road.length_m), settled_ms
        if at_m > unit.noted_m:
            note_way(unit, at_m, at_ms, passage, road)


@compiled
def note_way(unit, at_m, at_ms, passage, road):
    """Notes the way of a unit from its last noted place to this one."""
    since_ms = max(unit.noted_ms, unit.starts_ms)
    if at_ms - since_ms <= HOLE_MS:
        first, last = int(unit.noted_m / road.step_m) + 1, int(at_m / road.step_m + 1e-9)
        for cell in range(first, min(last + 1, len(passage))):
            share = (cell * road.step_m - unit.noted_m) / (at_m - unit.noted_m)
            took_ms = since_ms + share * (at_ms - since_ms) - unit.starts_ms
            if not passage[cell] <= took_ms:  # also where nobody has passed
                passage[cell] = took_ms
    unit.noted_m, unit.noted_ms = at_m, at_ms


@compiled
def measure(first, timed, tracks, history, progress, line, clock_ms, passage, race, road):
    """Gives the riders of a unit their gaps: in a team its own one, but to those who have lost contact with it."""
    size = line_up(first, tracks, progress, line)
    team_s, with_team = np.nan, True
    if timed[first] >= 0:
        team_s = gap_of(timed[first], timed, tracks, history, clock_ms, passage, race, road)
    counted = False
    for k in range(size):
        i = line[k]
        if counted and with_team:
            with_team = keeps_contact(tracks[i], tracks[line[k - 1]], race)
        counted |= i == timed[first]
        tracks[i].gap_s = team_s
        if not with_team:
            tracks[i].gap_s = gap_of(i, timed, tracks, history, clock_ms, passage, race, road)


@compiled
def keeps_contact(track, ahead, race):
    """Whether a rider is with the one ahead of the same team."""
    if track.quality == FINISHED:
        return (track.finish_ms - ahead.finish_ms) / 1000.0 < SAME_TIME_S
    if ahead.quality == FINISHED:
        return True
    return ahead.distance - track.distance <= race.split_s * max(track.speed, SLOWEST)


@compiled
def gap_of(i, timed, tracks, history, clock_ms, passage, race, road):
    """Seconds of a rider behind the best who passed the same place."""
    track = tracks[i]
    if track.quality == FINISHED:
        return (track.finish_ms - track.starts_ms - race.best_ms) / 1000.0
    best_ms = best_at(track.distance, passage, road)
    cell = int(track.distance / road.step_m)
    for other in range(len(tracks)):
        j = timed[other]
        if j < 0 or other == track.unit or tracks[j].distance < track.distance:
            continue
        if int(tracks[other].noted_m / road.step_m) <= cell:  # has passed here just now
            took_ms = passed_by(tracks[j], history[j], track.distance, clock_ms, race) - tracks[j].starts_ms
            if took_ms < best_ms or np.isnan(best_ms):
                best_ms = took_ms
    return 0.0 if np.isnan(best_ms) else (clock_ms - track.starts_ms - best_ms) / 1000.0


@compiled
def best_at(distance, passage, road):
    """The best noted time at a distance, milliseconds; NaN where nobody has passed."""
    at = distance / road.step_m
    cell = min(int(at), len(passage) - 2)
    return passage[cell] + (at - cell) * (passage[cell + 1] - passage[cell])


@compiled
def tell_gaps(order, tracks, clock_ms, race, out):
    """Fills in the gaps; there are none in metres, as riders are at other places at other times."""
    ahead = -1
    for i in order:
        state, track = out[i], tracks[i]
        state.gap_s = track.gap_s
        state.gap_m = state.gap_previous_m = state.gap_yellow_m = np.nan
        state.gap_previous_s = state.gap_yellow_s = np.nan
        if track.quality == LOST:
            if track.key > UNKNOWN_KEY and track.key <= WAITING_KEY:
                state.quality = heard(track, clock_ms)
            continue
        if ahead >= 0 and track.gap_s >= tracks[ahead].gap_s:
            state.gap_previous_s = track.gap_s - tracks[ahead].gap_s
        if race.yellow >= 0:
            state.gap_yellow_s = track.gap_s - tracks[race.yellow].gap_s
        ahead = i


@compiled
def heard(track, clock_ms):
    """Quality of one who waits for the start: whether the device is heard."""
    unheard_ms = clock_ms - track.seen_ms
    return FRESH if unheard_ms <= FRESH_MS else PREDICTED if unheard_ms <= LOST_MS else LOST


@compiled
def mark_teams(order, tracks, race, out):
    """Makes a group of each team on the road, in their ranking, and returns the sizes by number.

    A rider who rides alone is in none.
    """
    sizes = np.zeros(len(order) + 1, np.int64)
    numbers = np.zeros(len(order), np.int64)
    count = 0
    for i in order:
        state, unit = out[i], tracks[i].unit
        state.group = state.group_id = state.group_position = 0
        if race.counted > 1 and is_racing(tracks[i]):
            if numbers[unit] == 0:
                count += 1
                numbers[unit] = count
            sizes[numbers[unit]] += 1
            state.group, state.group_id = numbers[unit], unit + 1
            state.group_position = sizes[numbers[unit]]
    return sizes
