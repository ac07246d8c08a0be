"""What a forecast looks at: every `EVERY_S` seconds, where the tracker sees each rider."""

import numpy as np

from tracking.kernel.standing import FINISHED, LOST

EVERY_S = 10
SEEN = np.dtype(
    [
        ("distance_m", "f4"),
        ("gap_s", "f4"),  # behind the first rider, NaN where it is not known
        ("group", "u2"),  # on the road, from 1 at the head; 0 for none
        ("finished", "b1"),
    ]
)
"""One rider at one moment."""


def observe(states: np.ndarray) -> np.ndarray:
    """SEEN (riders,) of RIDER_STATE (riders,), in the same order; a rider lost on the road is in no group."""
    seen = np.zeros(len(states), SEEN)
    seen["distance_m"], seen["gap_s"] = states["distance_m"], states["gap_s"]
    seen["group"] = np.where(states["quality"] < LOST, states["group"], 0)
    seen["finished"] = states["quality"] == FINISHED
    return seen
