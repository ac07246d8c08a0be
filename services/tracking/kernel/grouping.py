"""Finds the groups on the road, and knows them again: a group is the same as long as most of it stays together."""

import numpy as np

from tracking.compiled import compiled
from tracking.kernel.quality import is_racing

SLOWEST = 3.0
"""m/s below which riders are thought to stand: they stay one group, however long ago the place was passed."""


@compiled
def mark_groups(order, tracks, race, out):
    """Numbers the groups on the road from the head, gives each its identity, and returns their sizes by number."""
    sizes = np.zeros(len(order) + 1, np.int64)
    count = 0
    ahead = -1
    changed = False
    for i in order:
        if not is_racing(tracks[i]):
            out[i].group = 0
        else:
            if ahead < 0 or is_split(out[i], tracks[i], tracks[ahead], race):
                count += 1
            sizes[count] += 1
            out[i].group = count
            out[i].group_position = sizes[count]
            ahead = i
        changed |= tracks[i].group != out[i].group
    if changed or race.group_ids == 0:
        identify(tracks, race, out, count)
    for i in order:
        out[i].group_id = tracks[i].group_id
    return sizes


@compiled
def is_split(state, track, ahead, race):
    """Whether a rider is not in the group of the one ahead; riders of one group may be further apart than others."""
    gap_s = np.float64(state.gap_previous_s)
    apart_m = ahead.distance - track.distance
    if np.isnan(gap_s):
        gap_s = apart_m / max(track.speed, SLOWEST)
    allowed_s = race.split_s if track.group_id == ahead.group_id else race.join_s
    return gap_s > allowed_s and apart_m > allowed_s * SLOWEST


@compiled
def identify(tracks, race, out, count):
    """Gives every group of this frame an identity, by where the riders were at the last one.

    What is left of a group goes on in the part that has most of its riders; where several groups have become one, the
    one that brought most riders goes on. All others are new.
    """
    ids_before = np.zeros(len(tracks) + 1, np.int64)
    overlap = np.zeros((len(tracks) + 1, count + 1), np.int64)
    groups_before = 0
    for i in range(len(tracks)):
        before = tracks[i].group
        ids_before[before] = tracks[i].group_id
        overlap[before, out[i].group] += 1
        groups_before = max(groups_before, before)
    ids, claims = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for before in range(1, groups_before + 1):
        heir = 0
        for group in range(1, count + 1):
            if overlap[before, group] > (overlap[before, heir] if heir > 0 else 0):
                heir = group
        if heir > 0 and ids_before[before] > 0 and overlap[before, heir] > claims[heir]:
            ids[heir], claims[heir] = ids_before[before], overlap[before, heir]
    for group in range(1, count + 1):
        if ids[group] == 0:
            race.group_ids += 1
            ids[group] = race.group_ids
    for i in range(len(tracks)):
        tracks[i].group = out[i].group
        tracks[i].group_id = ids[out[i].group]
