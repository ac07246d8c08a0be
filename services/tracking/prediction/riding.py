"""The inner loops of a pursuit, compiled: how long each stretch of road takes, and who is caught where."""

import numpy as np

from tracking.compiled import compiled
from tracking.prediction.effort import steady_speed

CELL_M = 100.0
"""The road is ridden in cells of this length; the last one may be shorter."""
BLOCK_CELLS = 10
"""A group's effort changes from kilometre to kilometre."""
DESCENDING = -0.02
"""Gradient below which speed is not a matter of effort."""


@compiled
def sum_times(metres, gradient, level, downhill, share, spreads, times):
    """Adds the time of every cell, the one nearest to the line last, to its block of `times`."""
    for cell in range(len(metres)):
        if metres[cell] <= 0.0:
            continue
        block = min((len(metres) - 1 - cell) // BLOCK_CELLS, len(times) - 1)
        for spread in range(len(spreads)):
            if gradient[cell] < DESCENDING:
                speed = downhill[cell]
            else:
                speed = steady_speed(np.exp(level[cell] + spreads[spread]), gradient[cell], share)
            times[block, spread] += metres[cell] / speed


@compiled
def ride_endings(tables, spreads, expected, lasting_sd, passing_sd, together, lots):
    """Arrivals (endings, packs) in seconds from now, and where (metres to go) and when the last pack caught the first.

    `tables`: (packs, blocks, spreads). Catches (endings, 2) are NaN where there was none.
    """
    endings, packs = len(lots), len(tables)
    arrivals = np.zeros((endings, packs))
    catches = np.full((endings, 2), np.nan)
    lasting = np.zeros(packs)
    blocks = 0
    for block in range(tables.shape[1]):
        if tables[packs - 1, block, 0] > 0.0:
            blocks = block + 1
    for ending in range(endings):
        everyone = lots[ending, -1, 0]
        for pack in range(packs):
            own = lots[ending, pack if pack < packs - 1 else lots.shape[1] - 2, 0]
            part = np.sqrt(together) * everyone + np.sqrt(1.0 - together) * own
            lasting[pack] = expected[pack] + lasting_sd[pack] * part
        for block in range(blocks - 1, -1, -1):
            began_s = arrivals[ending, packs - 1]
            lead_s = began_s - arrivals[ending, 0]
            for pack in range(packs):
                lot = lots[ending, pack if pack < packs - 1 else lots.shape[1] - 2, block + 1]
                at = lasting[pack] + passing_sd[pack] * lot
                arrivals[ending, pack] += interpolated(tables[pack, block], spreads, at)
            left_s = arrivals[ending, packs - 1] - arrivals[ending, 0]
            if packs > 1 and np.isnan(catches[ending, 0]) and left_s <= 0.0 and tables[0, block, 0] > 0.0:
                share = min(max(lead_s, 0.0) / max(lead_s - left_s, 1e-6), 1.0) if lead_s > 0.0 else 1.0
                catches[ending, 0] = (block + 1.0 - share) * BLOCK_CELLS * CELL_M
                catches[ending, 1] = began_s + share * (arrivals[ending, packs - 1] - began_s)
    return arrivals, catches


@compiled
def interpolated(values, spreads, at):
    """The value at `at` between those at `spreads`, which are even; held at both ends."""
    step = spreads[1] - spreads[0]
    place = min(max((at - spreads[0]) / step, 0.0), len(spreads) - 1.001)
    index = int(place)
    return values[index] + (place - index) * (values[index + 1] - values[index])
