"""The general classification as it would be if all gaps stayed as they are."""

import numpy as np

from tracking.compiled import compiled
from tracking.records import FINISHED, LOST

SAME_TIME_S = 1.0
"""Who finishes less than this behind the one in front is given the same time."""


@compiled
def classify(order, tracks, race, out):
    """Fills virtual rank and gap: the classification before the stage plus the gap in it, without bonuses.

    As the commissaires do, it gives all riders of a group the time of its first, and each of a time trial the own one.
    A rider who is lost keeps the last known gap and a place among the others, but is told neither; who has withdrawn
    has none.
    """
    for i in order:
        out[i].virtual_gap_s = np.nan
    if race.classified == 0:
        return
    count_gaps(order, tracks, race, out)
    sort_by_total(tracks)
    first = tracks[tracks[0].general]
    for place in range(len(tracks)):
        i = tracks[place].general
        behind_s = total_s(tracks[i]) - total_s(first)
        if tracks[i].quality != LOST and np.isfinite(behind_s):
            out[i].virtual_rank = place + 1
            out[i].virtual_gap_s = behind_s


@compiled
def count_gaps(order, tracks, race, out):
    """Decides the gap that each rider would be given."""
    was_s = counted_s = 0.0
    group = 0
    for i in order:
        if race.counted > 0 and tracks[i].quality != LOST:
            if np.isfinite(tracks[i].gap_s):
                tracks[i].counted_s = tracks[i].gap_s
            continue
        if tracks[i].quality == LOST:
            if out[i].time_ms >= tracks[i].withdrawn_ms:
                tracks[i].counted_s = np.nan
            continue
        gap_s = np.float64(out[i].gap_s)
        if tracks[i].quality == FINISHED:
            counted_s = counted_s if gap_s - was_s < SAME_TIME_S else gap_s
        elif out[i].group != group:
            counted_s = gap_s
        was_s, group = gap_s, out[i].group
        if np.isfinite(counted_s):
            tracks[i].counted_s = counted_s


@compiled
def total_s(track):
    """Seconds that rank a rider, NaN where they are not known."""
    return track.classified_s + track.counted_s


@compiled
def sort_by_total(tracks):
    """Brings the column `general` into the classification's order; equals stay as they were, the unknown come last."""
    for k in range(1, len(tracks)):
        moving = tracks[k].general
        total = total_s(tracks[moving])
        j = k
        while j > 0:
            if np.isnan(total) or total_s(tracks[tracks[j - 1].general]) <= total:
                break
            tracks[j].general = tracks[j - 1].general
            j -= 1
        tracks[j].general = moving
