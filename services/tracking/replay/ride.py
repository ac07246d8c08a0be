"""A recording ridden again: the state of every rider at every second, into a file that is there whole or not at all."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tracking.course import Course
from tracking.draft import draft_of
from tracking.kernel import Counts, Tracker
from tracking.replay.recording import Recording
from tracking.replay.sheet import schema_of, table_of
from tracking.start_order import Starts

SECOND_MS = 1000
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


def ride(
    course: Course,
    recording: Recording,
    start_ms: int,
    out: Path,
    every_s: int = 1,
    progress: Callable[[float], None] = lambda share: None,
    starts: Starts | None = None,
) -> Ridden:
    """Writes the states of every `every_s`-th second as Parquet; raises OSError, and then leaves nothing behind.

    `starts`: those of a time trial, in the order of the recording's riders.
    """
    tracker = Tracker(course, np.arange(1, len(recording.riders) + 1), start_ms, starts=starts)
    frames = rows = 0
    with parquet_file(out, schema_of(recording.riders.type)) as writer:
        for states in bundles(frames_of(tracker, recording, every_s), ROW_GROUP_ROWS):
            writer.write_table(table_of(states, recording.riders))
            frames += len(states) // len(recording.riders)
            rows += len(states)
            done_ms = int(states["time_ms"][-1]) - recording.first_ms
            progress(done_ms / max(recording.last_ms - recording.first_ms, 1))
    return Ridden(start_ms, recording.first_ms, recording.last_ms, frames, rows, tracker.counts)


def frames_of(tracker: Tracker, recording: Recording, every_s: int = 1) -> Iterator[np.ndarray]:
    """RIDER_STATE (riders,) of every `every_s`-th second; the tracker is asked for all of them."""
    clock_ms = recording.first_ms
    for stretch in recording.in_order():
        until_ms = -(-int(stretch["time_ms"][-1]) // SECOND_MS) * SECOND_MS if len(stretch) else clock_ms - SECOND_MS
        seconds = np.arange(clock_ms, until_ms + 1, SECOND_MS)
        ends = np.searchsorted(stretch["time_ms"], seconds, side="right")
        for second_ms, rows in zip(seconds.tolist(), np.split(stretch, ends[:-1]), strict=True):
            tracker.ingest(rows)
            states = tracker.frame(second_ms)
            if (second_ms - recording.first_ms) % (every_s * SECOND_MS) == 0:
                yield states
        clock_ms = until_ms + SECOND_MS


def bundles(frames: Iterator[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """The same rows in pieces of at least so many, the last one excepted."""
    bundle: list[np.ndarray] = []
    held = 0
    for frame in frames:
        bundle.append(frame)
        held += len(frame)
        if held >= rows:
            yield np.concatenate(bundle)
            bundle, held = [], 0
    if bundle:
        yield np.concatenate(bundle)


@contextlib.contextmanager
def parquet_file(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A file of this name once all is on the disk; until then, and after an error, what was there before."""
    with draft_of(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd", compression_level=1) as writer:
        yield writer
