"""A recording ridden again: the state of every rider at every second, into a file that is there whole or not at all."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tracking.briefing.start_order import Starts
from tracking.course import Course
from tracking.draft import draft_of
from tracking.kernel import Counts, Tracker
from tracking.race_events import RaceEvent, RaceEvents
from tracking.replay.departures import Departures
from tracking.replay.filling import filled
from tracking.replay.recording import Recording
from tracking.replay.sheet import schema_of, table_of

SECOND_MS = 1000
GATHERING_MS = 300_000
"""The field gathers within this time before the start; whoever moves sooner is in a bus, or has not begun to race."""
ROW_GROUP_ROWS = 250_000


@dataclass(frozen=True)
class Ridden:
    """What became of a recording."""

    start_ms: int
    first_ms: int
    last_ms: int
    frames: int
    rows: int
    counts: Counts
    events: int
    """0 where nobody asked for them."""


class CarsFound(Exception):
    """What was told so far is wrong: devices are in cars; `left_ms` as of `Departures`."""

    def __init__(self, left_ms: Mapping[int, int]) -> None:
        super().__init__(f"{len(left_ms)} devices are in cars")
        self.left_ms = left_ms


def ride(
    course: Course,
    recording: Recording,
    start_ms: int,
    out: Path,
    every_s: int = 1,
    progress: Callable[[float], None] = lambda share: None,
    starts: Starts | None = None,
    events_out: Path | None = None,
) -> Ridden:
    """Writes the states of every `every_s`-th second as Parquet, and what happened in all of them as JSON lines where
    `events_out` names a file; raises OSError, and then leaves nothing behind.

    `starts`: those of a time trial, in the order of the recording's riders.
    """
    left_ms: Mapping[int, int] = {}
    while True:
        try:
            return _ride(course, recording, start_ms, out, every_s, progress, starts, events_out, left_ms)
        except CarsFound as found:
            left_ms = found.left_ms


def _ride(
    course: Course,
    recording: Recording,
    start_ms: int,
    out: Path,
    every_s: int,
    progress: Callable[[float], None],
    starts: Starts | None,
    events_out: Path | None,
    left_ms: Mapping[int, int],
) -> Ridden:
    """As `ride`, without the devices that were found to be in cars; raises CarsFound where there are more."""
    tracker = Tracker(course, np.arange(1, len(recording.riders) + 1), start_ms, starts=starts)
    departures = Departures(course, tracker.riders, left_ms)
    on_bikes = without_cars(frames_of(tracker, recording, start_ms - GATHERING_MS), tracker, departures, start_ms)
    told = filled(on_bikes, course, start_ms, apart=starts is not None)
    events: list[RaceEvent] = []
    names = recording.riders.to_pylist()
    if events_out is not None:
        told = followed(told, start_ms, names, events)
    frames = rows = 0
    with contextlib.ExitStack() as files:
        writer = files.enter_context(parquet_file(out, schema_of(recording.riders.type)))
        diary = files.enter_context(draft_of(events_out)) if events_out is not None else None
        for states in bundles(itertools.islice(told, 0, None, every_s), ROW_GROUP_ROWS):
            writer.write_table(table_of(states, recording.riders))
            frames += len(states) // len(recording.riders)
            rows += len(states)
            done_ms = int(states["time_ms"][-1]) - recording.first_ms
            progress(done_ms / max(recording.last_ms - recording.first_ms, 1))
        if diary is not None:
            diary.write_text("".join(_line(event, names) for event in sorted(events, key=lambda event: event.time_ms)))
    return Ridden(start_ms, recording.first_ms, recording.last_ms, frames, rows, tracker.counts, len(events))


def followed(
    frames: Iterator[np.ndarray], start_ms: int, names: Sequence[int | str], events: list[RaceEvent]
) -> Iterator[np.ndarray]:
    """The same frames; what happens in them from the start on is added to `events`. `names`: of the riders from 1."""
    watch = RaceEvents(lambda rider: str(names[rider - 1]))
    for states in frames:
        if states["time_ms"][0] >= start_ms:
            events += watch.follow(states)
        yield states


def _line(event: RaceEvent, names: Sequence[int | str]) -> str:
    """An event as a line of JSON, with the riders as the recording names them."""
    told = asdict(event) | {"riders": [names[rider - 1] for rider in event.riders]}
    return json.dumps(told, ensure_ascii=False) + "\n"


def frames_of(tracker: Tracker, recording: Recording, from_ms: int) -> Iterator[np.ndarray]:
    """RIDER_STATE (riders,) of every second of a recording; what was read before `from_ms` says nothing of the race."""
    clock_ms = recording.first_ms
    for stretch in recording.in_order():
        until_ms = -(-int(stretch["time_ms"][-1]) // SECOND_MS) * SECOND_MS if len(stretch) else clock_ms - SECOND_MS
        seconds = np.arange(clock_ms, until_ms + 1, SECOND_MS)
        ends = np.searchsorted(stretch["time_ms"], seconds, side="right")
        for second_ms, rows in zip(seconds.tolist(), np.split(stretch, ends[:-1]), strict=True):
            if second_ms > from_ms:
                tracker.ingest(rows)
            yield tracker.frame(second_ms)
        clock_ms = until_ms + SECOND_MS


def without_cars(
    frames: Iterator[np.ndarray], tracker: Tracker, departures: Departures, start_ms: int
) -> Iterator[np.ndarray]:
    """The same frames; who is known to have left is lost from then on. Raises CarsFound at the end, with all of them,
    where others are found: from the first one on nothing more is told.
    """
    leaving = sorted(departures.left_ms.items(), key=lambda departure: -departure[1])
    anybody = False
    for states in frames:
        clock_ms = int(states["time_ms"][0])
        if clock_ms >= start_ms and departures.see(states, tracker.passage, clock_ms):
            anybody = True
            for rider in departures.left_ms:
                tracker.carry(rider, True)
        while leaving and leaving[-1][1] <= clock_ms:
            tracker.carry(leaving.pop()[0], True)
        if not anybody:
            yield states
    if anybody:
        raise CarsFound(departures.left_ms)


def bundles(frames: Iterator[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """The same rows in pieces of at least so many, the last one excepted."""
    bundle: list[np.ndarray] = []
    held = 0
    for frame in frames:
        bundle.append(frame)
        held += len(frame)
        if held >= rows:
            yield joined(bundle)
            bundle, held = [], 0
    if bundle:
        yield joined(bundle)


def joined(frames: Sequence[np.ndarray]) -> np.ndarray:
    """All rows of frames, as bytes meanwhile: numpy compares the fields of every frame otherwise."""
    row = np.dtype((np.void, frames[0].dtype.itemsize))
    return np.concatenate([frame.view(row) for frame in frames]).view(frames[0].dtype)


@contextlib.contextmanager
def parquet_file(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A file of this name once all is on the disk; until then, and after an error, what was there before."""
    with draft_of(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd", compression_level=1) as writer:
        yield writer
