"""Forecasts of a race as it goes on, from the frames of the tracker."""

from collections import deque
from typing import Any

import numpy as np

from tracking.briefing.start_order import Kind
from tracking.course import Course
from tracking.prediction.forecast import forecast
from tracking.prediction.model import Model
from tracking.prediction.observation import EVERY_S, SEEN, observe
from tracking.prediction.pace import profile_of
from tracking.prediction.situation import Window

SHORTEST_M = 60_000.0
"""The shortest stage of the four editions in which all start together has 65 km, the longest time trial 42 km."""
KEEP_S = 900
"""What was seen longer ago than this has no part in a forecast."""
LONGEST_HOLE_S = 60
"""A hole in what was seen is bridged up to here; behind a longer one the memory begins anew."""
EVERY_MS = EVERY_S * 1000


def why_silent(course: Course, kind: Kind = "road") -> str | None:
    """Why nothing is forecast on a course of a stage of that kind; None where something is."""
    if kind != "road":
        return "in a time trial nobody is away or caught, and the first across the line is not the winner"
    if course.length_m < SHORTEST_M:
        return f"{course.length_m / 1000:.0f} km are less than any stage has in which all start together"
    return None


class Forecaster:
    """Makes a forecast from the first frame of every `EVERY_S` seconds of the race."""

    def __init__(self, course: Course, model: Model, start_ms: int) -> None:
        """`start_ms`: start of the race, Unix milliseconds."""
        self._model, self._start_ms = model, start_ms
        self._profile = profile_of(course)
        self._memory: deque[np.ndarray] = deque(maxlen=KEEP_S // EVERY_S + 1)
        self._slot = -1

    def rehearse(self) -> None:
        """Forecasts a moment that never was: the first one of the day must not wait for the compiler."""
        seen = np.zeros((1, 2), SEEN)
        seen["distance_m"], seen["group"] = (100.0, 0.0), (1, 2)
        forecast(Window(seen, EVERY_S, now_s=10.0), self._model, self._profile)

    def take(self, states: np.ndarray, clock_ms: int) -> bool:
        """Remembers RIDER_STATE (riders,) of a frame; whether it is the first of its `EVERY_S` seconds."""
        slot = (clock_ms - self._start_ms) // EVERY_MS
        if clock_ms <= self._start_ms or slot <= self._slot:
            return False
        seen = observe(states)
        if (slot - self._slot) * EVERY_S > LONGEST_HOLE_S:
            self._memory.clear()
        elif self._memory:
            self._memory.extend(bridge(self._memory[-1], seen, slot - self._slot - 1))
        self._memory.append(seen)
        self._slot = slot
        return True

    def forecast(self, clock_ms: int, numbers: np.ndarray) -> dict[str, Any] | None:
        """The document of the forecast at the last frame that was remembered; None where there is nothing to forecast.

        `numbers` (riders,): of the riders, in the order of the frames.
        """
        window = Window(np.array(self._memory, SEEN), EVERY_S, (clock_ms - self._start_ms) / 1000)
        made = forecast(window, self._model, self._profile)
        return None if made is None else made.document(clock_ms, numbers, self._model.name)


def bridge(before: np.ndarray, after: np.ndarray, missing: int) -> list[np.ndarray]:
    """SEEN for so many moments between two, ridden evenly."""
    between = []
    for number in range(1, missing + 1):
        seen = before.copy()
        share = number / (missing + 1)
        seen["distance_m"] += (after["distance_m"] - before["distance_m"]) * share
        between.append(seen)
    return between
