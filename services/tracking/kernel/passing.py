"""When a rider passed a place: what a gap between two riders is measured by.

The last seconds stand in the rider's remembered readings; before them, in a trail of one place every ten seconds.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.filtering import coasted
from tracking.kernel.layout import TRAIL, TRAIL_STEP_MS, WATERMARK_MS, slot
from tracking.kernel.quality import PROOFS
from tracking.records import FINISHED, LOST

WITNESSED_MS = 3_000


@compiled
def number_at(track, fixes, time_ms):
    """Which remembered reading was the last one at a moment; -1 where all are later."""
    number = track.count - 1
    if number >= 0:  # readings mostly come every second
        number -= max(min((fixes[slot(track, number)].time_ms - time_ms) // 1000, number), 0)
        while number + 1 < track.count and fixes[slot(track, number + 1)].time_ms <= time_ms:
            number += 1
        while number >= 0 and fixes[slot(track, number)].time_ms > time_ms:
            number -= 1
    return number


@compiled
def distance_at(track, fixes, time_ms):
    """Where a rider was at a moment, from the readings up to it; 0 where none is remembered."""
    number = number_at(track, fixes, time_ms)
    if number < 0:
        return 0.0
    fix = fixes[slot(track, number)]
    return coasted(fix, time_ms) if fix.proofs >= PROOFS else 0.0


@compiled
def witnessed_at(track, fixes, time_ms):
    """As `distance_at`, but only where a reading of the last seconds bears it out; 0 otherwise.

    A leader who is not heard may be thought far ahead of the truth; everyone behind would be held against that place.
    """
    number = number_at(track, fixes, time_ms)
    if number < 0 or time_ms - fixes[slot(track, number)].seen_ms > WITNESSED_MS:
        return 0.0
    return distance_at(track, fixes, time_ms)


@compiled
def note_trails(tracks, history, clock_ms, race):
    """Notes where every rider was at the newest full step of the trail that no reading can change any more."""
    settled_ms = clock_ms - WATERMARK_MS - race.start_ms
    if settled_ms < 0:
        return
    step = settled_ms // TRAIL_STEP_MS
    missed = min(step - race.trail_steps, TRAIL - 1)
    if missed < 0:
        return
    at_ms = race.start_ms + step * TRAIL_STEP_MS
    for i in range(len(tracks)):
        trail = tracks[i].trail
        for earlier in range(step - missed, step):
            trail[earlier % TRAIL] = np.nan
        where = distance_at(tracks[i], history[i], at_ms)
        trail[step % TRAIL] = where if where > 0.0 and tracks[i].quality != LOST else np.nan
    race.trail_steps = step + 1


@compiled
def passed_by(track, fixes, distance, clock_ms, race):
    """When this rider passed a distance, Unix milliseconds; NaN where that is not remembered or has not been yet."""
    later_ms, later_m = np.float64(clock_ms), track.distance
    if track.quality == FINISHED:
        later_ms = np.float64(track.finish_ms)
    if distance > later_m:
        return np.nan
    for number in range(track.count - 1, -1, -1):
        fix = fixes[slot(track, number)]
        if fix.time_ms >= later_ms:
            continue
        if fix.proofs < PROOFS:
            break
        if fix.distance <= distance:
            return between(distance, fix.distance, fix.time_ms, later_m, later_ms)
        later_ms, later_m = np.float64(fix.time_ms), fix.distance
    newest = race.trail_steps - 1
    for step in range(newest, max(newest - TRAIL, -1), -1):
        at_ms, at_m = race.start_ms + step * TRAIL_STEP_MS, np.float64(track.trail[step % TRAIL])
        if at_ms >= later_ms or np.isnan(at_m):
            continue
        if at_m <= distance:
            return between(distance, at_m, at_ms, later_m, later_ms)
        later_ms, later_m = np.float64(at_ms), at_m
    return np.nan


@compiled
def between(distance, before_m, before_ms, later_m, later_ms):
    """When a distance was passed by one who rode evenly from one place to another."""
    if later_m <= before_m:
        return np.float64(later_ms)
    return before_ms + (distance - before_m) / (later_m - before_m) * (later_ms - before_ms)
