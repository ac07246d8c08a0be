"""What became of a race, from the truth of a simulated one: the definitions of `tracking.prediction`, applied."""

from dataclasses import dataclass

import numpy as np

from tracking.prediction.study.stages import TRUTH_EVERY_S, Stage

CONTACT_M = 10.0
"""The peloton has reached a rider who is so little ahead of its first one."""
LINK_S = 5.0
LEAST_LINK_M = 15.0
"""In truth, riders who follow each other this closely are one group."""


@dataclass(frozen=True, slots=True)
class Catch:
    """What became of a breakaway."""

    caught: bool
    at_s: float
    """Seconds since the start when the last one was reached; NaN where they were not all reached."""
    at_m: float
    """Official metres of that place."""


def winner_of(stage: Stage) -> int:
    """Index of the rider who crossed the line first."""
    return int(np.nanargmin(stage.finish_s))


def catch_of(stage: Stage, riders: np.ndarray, from_s: float, length_m: float) -> Catch:
    """Whether the peloton reached all of `riders` (indices) after `from_s` and before they crossed the line."""
    first = int(np.ceil(from_s / TRUTH_EVERY_S))
    truth_m = stage.truth_m[first:].astype(float)
    ahead = np.ones(len(riders), bool)
    reached_s, reached_m = np.nan, np.nan
    heads_m = peloton_heads(truth_m, riders)
    for index, (row_m, head_m) in enumerate(zip(truth_m, heads_m, strict=True)):
        on_road = ahead & (row_m[riders] < length_m)
        reached = on_road & (row_m[riders] <= head_m + CONTACT_M)
        if reached.any():
            ahead &= ~reached
            reached_s, reached_m = (first + index) * TRUTH_EVERY_S, float(row_m[riders][reached].max())
        if not ahead.any():
            return Catch(True, reached_s, reached_m)
        if (ahead & (row_m[riders] >= length_m)).any():
            return Catch(False, np.nan, np.nan)
    return Catch(False, np.nan, np.nan)


def peloton_heads(truth_m: np.ndarray, without: np.ndarray) -> np.ndarray:
    """(U,) official metres of the peloton's first rider, for truths (U, riders), as if `without` were not there."""
    others = np.delete(truth_m, without, axis=1)
    road = -np.sort(-others, axis=1)
    speed = np.median(np.diff(others, axis=0, prepend=others[:1]), axis=1) / TRUTH_EVERY_S
    link_m = np.maximum(LINK_S * speed, LEAST_LINK_M)
    starts = np.concatenate((np.ones((len(road), 1), bool), -np.diff(road, axis=1) > link_m[:, None]), axis=1)
    label = np.cumsum(starts, axis=1) - 1 + np.arange(len(road))[:, None] * road.shape[1]
    sizes = np.bincount(label.ravel(), minlength=road.size).reshape(road.shape)
    main = (2 * sizes >= sizes.max(axis=1, keepdims=True)).argmax(axis=1)
    first = (np.cumsum(starts, axis=1) == main[:, None] + 1).argmax(axis=1)
    return road[np.arange(len(road)), first]
