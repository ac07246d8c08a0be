"""Simulated stages as the study uses them: what the tracker saw of each, and what became of it in truth."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.course import Course
from tracking.kernel import Tracker
from tracking.prediction.observation import EVERY_S, SEEN, observe
from tracking.simulation.simulator import LONGEST_RACE_S, Race, Truth

TRUTH_EVERY_S = 5
AFTERWARDS_S = 600
"""The truth is kept for so long after the first rider has finished: who comes later decides nothing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One simulated stage. Times are seconds since the start."""

    seen: np.ndarray
    """SEEN (T, 198): what the tracker saw at `EVERY_S`, 2 * `EVERY_S`, … until the first rider had finished."""
    truth_m: np.ndarray
    """Official metres (U, 198), at 0, `TRUTH_EVERY_S`, …"""
    finish_s: np.ndarray
    """(198,) when each rider crossed the line; NaN for who had not yet when the truth ends."""

    def save(self, file: Path) -> None:
        """Written whole or not at all; `load` reads it."""
        draft = file.with_suffix(".new")
        with draft.open("wb") as stream:
            np.savez(stream, seen=self.seen, truth_m=self.truth_m, finish_s=self.finish_s)
        draft.rename(file)

    @classmethod
    def load(cls, file: Path) -> "Stage":
        """A stage that `save` wrote."""
        with np.load(file) as saved:
            return cls(saved["seen"], saved["truth_m"], saved["finish_s"])


def ride_stage(course: Course, seed: int) -> Stage:
    """Rides a stage and tracks its readings second by second, faults of the radio included."""
    race = Race(course, seed, start_ms=0, lead_in_s=60)
    tracker = Tracker(course, race.numbers, start_ms=0)
    seen, truth_m, finish_s = [], [], np.full(len(race.numbers), np.nan)
    over_at = LONGEST_RACE_S
    while race.next_second < over_at:
        tracker.ingest(race.tick())
        truth = race.truth()
        just = truth.finished & np.isnan(finish_s)
        if just.any():
            finish_s[just] = _crossed_s(truth, course.length_m)[just]
            over_at = min(over_at, truth.second + AFTERWARDS_S)
        if truth.second >= 0 and truth.second % TRUTH_EVERY_S == 0:
            truth_m.append(truth.distance.astype(np.float32))
        if over_at < LONGEST_RACE_S:
            continue
        states = tracker.frame(truth.second * 1000)
        if truth.second > 0 and truth.second % EVERY_S == 0:
            seen.append(observe(states))
    return Stage(np.array(seen, SEEN), np.array(truth_m), finish_s)


def _crossed_s(truth: Truth, length_m: float) -> np.ndarray:
    """When riders who are beyond the line for the first time have crossed it."""
    return truth.second - (truth.distance - length_m) / np.maximum(truth.speed, 1.0)
