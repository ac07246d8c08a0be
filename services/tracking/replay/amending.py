"""What late readings change of the past: the race with them held against the race without, second by second."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tracking.kernel.layout import WATERMARK_MS
from tracking.live import LiveRace, RaceDay, clock_of
from tracking.manifest import Tally
from tracking.race_control import Decision
from tracking.records import READING
from tracking.transport.wire import Batch, StateFrame

TELLING_M = 2.0
TELLING_S = 0.2
TELLING_MS = 0.3
"""A second is amended where a rider's place, gap or speed (m/s) was wrong by more than this ..."""
TELLING = ("position", "group", "quality")
"""... or one of these at all."""


@dataclass
class Heard:
    """All readings of a run: those that came in time, and those that were too late to change what was told."""

    run: int
    punctual: list[np.ndarray] = field(default_factory=list)
    late: list[np.ndarray] = field(default_factory=list)
    decided: list[tuple[int, Decision]] = field(default_factory=list)
    """Race control's decisions in their order, each with the clock of the last frame before it."""
    clock_ms: int = 0
    """Of the newest frame, as the processor steps it."""
    _tally: Tally = field(default_factory=Tally)

    def hear(self, readings: np.ndarray) -> int:
        """Takes READINGs in; returns how many were too late and not known."""
        before_ms, self.clock_ms = self.clock_ms, max(self.clock_ms, clock_of(readings))
        new = readings[self._tally.add(readings)]
        late = new["time_ms"] < before_ms - WATERMARK_MS
        for rows, kept in ((new[~late], self.punctual), (new[late], self.late)):
            if len(rows):
                kept.append(rows)
        return int(late.sum())


def amended(
    day: RaceDay,
    run: int,
    punctual: Sequence[np.ndarray],
    late: Sequence[np.ndarray],
    decided: Sequence[tuple[int, Decision]] = (),
) -> Iterator[StateFrame]:
    """The frames of all seconds that the late readings change, as they would have been told had these been in time.

    `decided` as of `Heard`: decisions take effect where they did.
    """
    told = frames_in_order(day, run, punctual, decided)
    before = next(told, None)
    for frame in frames_in_order(day, run, [*punctual, *late], decided):
        while before is not None and before.clock_ms < frame.clock_ms:
            before = next(told, None)
        if before is None or before.clock_ms > frame.clock_ms or differs(before.riders, frame.riders):
            yield frame


def frames_in_order(
    day: RaceDay, run: int, readings: Sequence[np.ndarray], decided: Sequence[tuple[int, Decision]] = ()
) -> Iterator[StateFrame]:
    """The frames of a race whose readings all came at once, second by second."""
    rows = np.concatenate([np.zeros(0, READING), *readings])
    rows = rows[np.argsort(rows["time_ms"], kind="stable")]
    race = LiveRace(day, run)
    seconds = -(-rows["time_ms"] // 1000)
    waiting = deque(decided)
    for number, second in enumerate(np.split(rows, np.flatnonzero(np.diff(seconds)) + 1)):
        while waiting and waiting[0][0] < second["time_ms"][-1]:
            race.decide(waiting.popleft()[1])
        race.take(Batch(run, number, 0, second))
        frame = race.frame(0)
        if frame is not None:
            yield frame


def differs(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether anybody who watches would see another race."""
    if any((before[column] != after[column]).any() for column in TELLING):
        return True
    return any(
        _apart(before[column], after[column], telling)
        for column, telling in (("distance_m", TELLING_M), ("gap_s", TELLING_S), ("speed_ms", TELLING_MS))
    )


def _apart(before: np.ndarray, after: np.ndarray, telling: float) -> bool:
    known = np.isfinite(before) & np.isfinite(after)
    return bool((np.isfinite(before) != np.isfinite(after)).any() or (np.abs(before - after)[known] > telling).any())
