"""Finds a position's place on the road, near the place where the rider is expected.

Of all places in reach, the one wins that explains the position best as measurement error *and* as progress. So the
other leg of a hairpin, or the same street one lap later, loses although it may lie closer.
"""

import numpy as np

from tracking.compiled import compiled

POSITION_VAR = 12.0
"""m², of a position on the road, across and along."""
BEYOND_FINISH_M = 150.0
"""The last stretch of road is thought to go on, so that crossing the line can be seen."""


@compiled
def on_plane(lat, lon, road):
    """Metres (east, north) on the road's plane."""
    return (lon - road.origin_lon) * road.metres_east, (lat - road.origin_lat) * road.metres_north


@compiled
def foot_point(x, y, segment, longest):
    """(share of the segment, 0 to `longest`; squared metres away) of the segment's point nearest to (x, y)."""
    px, py = x - segment.x, y - segment.y
    share = (px * segment.dx + py * segment.dy) * segment.per_length2
    share = min(max(share, 0.0), longest)
    px -= share * segment.dx
    py -= share * segment.dy
    return share, px * px + py * py


@compiled
def longest_share(cell, road):
    """How far beyond its beginning a segment is thought to go on, in its lengths."""
    return 1.0 + BEYOND_FINISH_M / road.step_m if cell == len(road.segments) - 1 else 1.0


@compiled
def best_place(x, y, expected_m, var_m, reach_m, road):
    """(distance, squared metres away) of the most plausible place within `reach_m` of the expected one.

    What is expected decides between legs; on the leg it is the nearest place, for the filter weighs the surprise.
    """
    last = len(road.segments) - 1
    low = min(max(int((expected_m - reach_m) / road.step_m), 0), last)
    high = min(max(int((expected_m + reach_m) / road.step_m), 0), last)
    best, best_m, best_off2, best_cost = low, expected_m, np.inf, np.inf
    for cell in range(low, high + 1):
        share, off2 = foot_point(x, y, road.segments[cell], longest_share(cell, road))
        surprise = (cell + share) * road.step_m - expected_m
        cost = off2 * (1.0 / POSITION_VAR) + surprise * surprise * (1.0 / var_m)
        if cost < best_cost:
            best, best_m, best_off2, best_cost = cell, expected_m + surprise, off2, cost
    for step in (-1, 1):
        cell = best + step
        while low <= cell <= high:
            share, off2 = foot_point(x, y, road.segments[cell], longest_share(cell, road))
            if off2 >= best_off2:
                break
            best_m, best_off2 = (cell + share) * road.step_m, off2
            cell += step
    return best_m, best_off2
