"""One stage run again from its arrivals and decisions, as the processor went through them, and compared with live."""

import heapq
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

from tracking.live import LiveRace, RaceDay
from tracking.race_control import Decision, decision_of
from tracking.records import READING, RIDER_STATE
from tracking.replay.compaction import by_stream, sorted_once, windows
from tracking.replay.ride import bundles, parquet_file
from tracking.rerun.jobs import Job
from tracking.store.collector import Arrivals, Control, Events, States
from tracking.store.parts import PartStore, Shelf
from tracking.transport.wire import Batch, plausible

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
    decisions: int
    """Of race control, that took effect again."""
    remarks: tuple[str, ...]
    """What of the archive is not as it should be, in sentences; such a rerun may be equal all the same."""
    seconds: float
    worker: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def run_again(store: PartStore, day: RaceDay, job: Job) -> Verdict:
    """Stores states and verdict, the same objects when done twice. Raises one of `STORE_TROUBLE`, or OSError."""
    began = time.monotonic()
    comparison, decided = Comparison(_live(store, job)), decisions_of(store, job)
    with tempfile.TemporaryDirectory(prefix="etape-rerun-") as folder:
        file = Path(folder) / "states.parquet"
        with parquet_file(file, _table(np.zeros(0, RIDER_STATE)).schema) as writer:
            for rows in bundles(comparison.watched(frames_again(store, day, job, decided)), BUNDLE_ROWS):
                writer.write_table(_table(rows))
        store.put_file(f"{job.prefix}states.parquet", file)
    verdict = Verdict(
        job=job,
        equal=comparison.difference is None and comparison.frames > 0,
        live_frames=comparison.frames,
        live_rows=comparison.rows,
        rerun_frames=comparison.rerun_frames,
        difference=comparison.difference,
        decisions=len(decided.all),
        remarks=decided.remarks,
        seconds=round(time.monotonic() - began, 2),
        worker=f"{socket.gethostname()}-{os.getpid()}",
    )
    store.put_json(f"{job.prefix}verdict.json", verdict.to_json())
    return verdict


@dataclass(frozen=True)
class Decided:
    """What race control decided in the streams of a run."""

    all: list[tuple[int, int, Decision]]
    """Each with its place: (when the stream was created, number in it)."""
    remarks: tuple[str, ...]


def decisions_of(store: PartStore, job: Job) -> Decided:
    """As archived, in order of their places; what is missing or cannot be read is counted and said.

    What was told of a decision as an event of the race bears witness of it.
    """
    places, corrupt = [], 0
    streams = _arrivals(store, job)
    shelf = Shelf(Control.kind, job.edition, job.stage, 0)
    for created in streams:
        rows = [np.zeros(0, Control.dtype), *store.read(shelf, Control.dtype, named=f"{created}-")]
        for row in sorted_once(np.concatenate(rows), ("seq",)) if sum(map(len, rows)) else ():
            try:
                places.append((created, int(row["seq"]), decision_of(row["text"].encode())))
            except ValueError:
                corrupt += 1
    known = {text for rows in store.read(shelf, Control.dtype, ("id",)) for text in rows["id"].tolist()}
    events = store.read(Shelf(Events.kind, job.edition, job.stage, 0), Events.dtype, ("id",))
    told = {text for rows in events for text in rows["id"].tolist() if text.startswith("decision-")}
    remarks = (
        (corrupt, f"{corrupt} archived decisions cannot be read; the processor refused them too."),
        (
            len(told - known),
            f"{len(told - known)} decisions were told live and are not in the archive: what follows them can differ.",
        ),
        (
            len(streams) > 1,
            f"READINGS was made anew during this run ({len(streams)} streams); each is run again from its beginning.",
        ),
    )
    return Decided(places, tuple(sentence for said, sentence in remarks if said))


def frames_again(store: PartStore, day: RaceDay, job: Job, decided: Decided) -> Iterator[np.ndarray]:
    """RIDER_STATE (riders,) after each message that brought a new second, in the order in which the messages came.

    A decision takes effect where it stood between the messages; one from before the race, when the race begins.
    """
    race, stream = LiveRace(day, job.run), None
    for created, _, what in heapq.merge(decided.all, _batches(store, job), key=lambda place: place[:2]):
        if created != stream:
            race, stream = LiveRace(day, job.run), created
        if not isinstance(what, Batch):
            race.decide(what)
            continue
        good = what.readings[plausible(what.readings, day.start_ms)]
        race.take(Batch(what.run, what.seq, what.sent_at_ns, good))
        frame = race.frame(what.sent_at_ns)
        if frame is not None:
            yield frame.riders


def _arrivals(store: PartStore, job: Job) -> dict[int, list[str]]:
    """Keys of the parts, by when their stream was created."""
    return by_stream(list(store.keys(Shelf(Arrivals.kind, job.edition, job.stage, job.run).prefix)))


def _batches(store: PartStore, job: Job) -> Iterator[tuple[int, int, Batch]]:
    """Each with its place: (when the stream was created, number in it)."""
    for created, keys in _arrivals(store, job).items():
        for window in windows(store, keys, Arrivals):
            rows = sorted_once(window, ("seq", "row"))
            readings = np.zeros(len(rows), READING)
            for column in READING.names or ():
                readings[column] = rows[column]
            starts = np.flatnonzero(np.diff(rows["seq"], prepend=rows["seq"][:1] - np.uint64(1)))
            for start, message in zip(starts.tolist(), np.split(readings, starts[1:]), strict=True):
                batch = Batch(job.run, int(rows["batch"][start]), int(rows["sent_at_ns"][start]), message)
                yield created, int(rows["seq"][start]), batch


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
