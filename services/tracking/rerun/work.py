"""One stage run again from its arrivals, exactly as the processor went through them, and compared with what it told."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tracking.collector import Arrivals, States
from tracking.live import LiveRace, RaceDay
from tracking.parts import PartStore, Shelf
from tracking.records import READING, RIDER_STATE
from tracking.replay.compaction import sorted_once, windows
from tracking.replay.ride import bundles, parquet_file
from tracking.rerun.jobs import Job
from tracking.wire import Batch, plausible

BUNDLE_ROWS = 100_000


@dataclass(frozen=True)
class Difference:
    """The first place where a rerun is not what was told live."""

    time_ms: int
    rider: int
    column: str
    live: str
    rerun: str


@dataclass(frozen=True)
class Verdict:
    """What came out of a job."""

    job: Job
    equal: bool
    live_frames: int
    """Seconds that were told live ..."""
    live_rows: int
    """... and riders' rows in them, all compared up to the first difference."""
    rerun_frames: int
    """Seconds that the rerun knows: also those that nobody waited for when live."""
    difference: Difference | None
    seconds: float
    worker: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def run_again(store: PartStore, day: RaceDay, job: Job) -> Verdict:
    """Stores states and verdict, the same objects when done twice. Raises one of `STORE_TROUBLE`, or OSError."""
    began = time.monotonic()
    comparison = Comparison(_live(store, job))
    with tempfile.TemporaryDirectory(prefix="etape-rerun-") as folder:
        file = Path(folder) / "states.parquet"
        with parquet_file(file, _table(np.zeros(0, RIDER_STATE)).schema) as writer:
            for rows in bundles(comparison.watched(frames_again(store, day, job)), BUNDLE_ROWS):
                writer.write_table(_table(rows))
        store.put_file(f"{job.prefix}states.parquet", file)
    verdict = Verdict(
        job=job,
        equal=comparison.difference is None and comparison.frames > 0,
        live_frames=comparison.frames,
        live_rows=comparison.rows,
        rerun_frames=comparison.rerun_frames,
        difference=comparison.difference,
        seconds=round(time.monotonic() - began, 2),
        worker=f"{socket.gethostname()}-{os.getpid()}",
    )
    store.put_json(f"{job.prefix}verdict.json", verdict.to_json())
    return verdict


def frames_again(store: PartStore, day: RaceDay, job: Job) -> Iterator[np.ndarray]:
    """RIDER_STATE (riders,) after each message that brought a new second, in the order in which the messages came."""
    race = LiveRace(day, job.run)
    for batch in _batches(store, job):
        good = batch.readings[plausible(batch.readings, day.start_ms)]
        race.take(Batch(batch.run, batch.seq, batch.sent_at_ns, good))
        frame = race.frame(batch.sent_at_ns)
        if frame is not None:
            yield frame.riders


def _batches(store: PartStore, job: Job) -> Iterator[Batch]:
    keys = sorted(store.keys(Shelf(Arrivals.kind, job.edition, job.stage, job.run).prefix))
    for window in windows(store, keys, Arrivals):
        rows = sorted_once(window, ("seq", "row"))
        readings = np.zeros(len(rows), READING)
        for column in READING.names or ():
            readings[column] = rows[column]
        starts = np.flatnonzero(np.diff(rows["seq"], prepend=rows["seq"][:1] - np.uint64(1)))
        for start, message in zip(starts.tolist(), np.split(readings, starts[1:]), strict=True):
            yield Batch(job.run, int(rows["batch"][start]), int(rows["sent_at_ns"][start]), message)


def _live(store: PartStore, job: Job) -> Iterator[np.ndarray]:
    """RIDER_STATE (riders,) of each second as it was first told, in order of time."""
    keys = sorted(store.keys(Shelf(States.kind, job.edition, job.stage, job.run).prefix))
    for window in windows(store, keys, States):
        rows = sorted_once(window[window["revision"] == 0], ("time_ms", "rider"))
        if len(rows):
            yield from np.split(rows, np.flatnonzero(np.diff(rows["time_ms"])) + 1)


class Comparison:
    """Holds the frames of a rerun against the live ones while they go by."""

    def __init__(self, live: Iterator[np.ndarray]) -> None:
        self.frames = self.rows = self.rerun_frames = 0
        self.difference: Difference | None = None
        self._live = live
        self._next = next(live, None)

    def watched(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The same frames; when they are at their end, every live frame has been looked for."""
        for frame in frames:
            self.rerun_frames += 1
            self._meet(frame)
            yield frame
        while self._next is not None:
            self._miss(self._next)
            self._go_on()

    def _meet(self, frame: np.ndarray) -> None:
        clock_ms = frame["time_ms"][0]
        while self._next is not None and self._next["time_ms"][0] < clock_ms:
            self._miss(self._next)
            self._go_on()
        if self._next is not None and self._next["time_ms"][0] == clock_ms:
            self.difference = self.difference or first_difference(self._next, frame)
            self._go_on()

    def _go_on(self) -> None:
        if self._next is not None:
            self.frames += 1
            self.rows += len(self._next)
        self._next = next(self._live, None)

    def _miss(self, live: np.ndarray) -> None:
        told = Difference(int(live["time_ms"][0]), 0, "time_ms", "told", "not there")
        self.difference = self.difference or told


def first_difference(live: np.ndarray, again: np.ndarray) -> Difference | None:
    """Of two frames of the same second; None where every bit of every row is equal."""
    live, again = live[np.argsort(live["rider"])], again[np.argsort(again["rider"])]
    time_ms = int(live["time_ms"][0])
    if not np.array_equal(live["rider"], again["rider"]):
        return Difference(time_ms, 0, "rider", f"{len(live)} riders", f"{len(again)} riders")
    if live.tobytes() == again.tobytes():
        return None
    for column in RIDER_STATE.names or ():
        here, there = (np.ascontiguousarray(rows[column]) for rows in (live, again))
        bits = f"u{here.dtype.itemsize}"
        apart = np.flatnonzero(here.view(bits) != there.view(bits))
        if len(apart):
            rider = int(apart[0])
            return Difference(time_ms, int(live["rider"][rider]), column, str(here[rider]), str(there[rider]))
    return None


def _table(rows: np.ndarray) -> pa.Table:
    return pa.table({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()})
