"""Any moment of a stage from the archive: the frame of a second, in its last revision, also while the stage goes on.

What is asked for is found by the time ranges in the parts' footers; of a part only the rows of about a minute are
fetched, and kept for the next question.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tracking.records import FINISHED, LOST, RIDER_STATE
from tracking.store.parts import STORE_TROUBLE, PartStore, Shelf, rows_of
from tracking.transport.wire import RaceStatus, StateFrame

KEPT_GROUPS = 24
"""Row groups in memory, each of some MB at most."""
RECENT_FRAMES = 2000
"""More than the archive's longest part lasts: what is not stored yet is told from here."""
LOOK_AGAIN_S = 2.0


@dataclass(frozen=True)
class Group:
    """A row group of a part."""

    key: str
    number: int
    from_ms: int
    to_ms: int


class ArchivedMoments:
    """The states of one stage: its newest run, or the one that is named. Frames of now are added by `note`."""

    def __init__(
        self, store: PartStore, edition: int, stage: int, start_ms: int, run: int | None = None, speed: float = 1.0
    ) -> None:
        """`start_ms`: of the race, Unix milliseconds."""
        self._store, self._stage, self._start_ms = store, (edition, stage), start_ms
        self._run, self._asked_run, self._speed = run, run, speed
        self._groups: dict[str, list[Group]] = {}
        self._files: dict[str, pq.ParquetFile] = {}
        self._rows: OrderedDict[Group, np.ndarray] = OrderedDict()
        self._recent: OrderedDict[int, StateFrame] = OrderedDict()
        self._looked = 0.0
        self._lock = Lock()

    def note(self, frame: StateFrame) -> None:
        """A frame that was just published, also one that amends: known at once, before it is stored."""
        told = self._recent.get(frame.clock_ms)
        if told is None or _revision(frame.riders) >= _revision(told.riders):
            self._recent[frame.clock_ms] = frame
        while len(self._recent) > RECENT_FRAMES:
            self._recent.popitem(last=False)

    async def span(self) -> tuple[int, int] | None:
        """Race clock of the first and of the last moment, Unix milliseconds; None where there is none."""
        await asyncio.to_thread(self._locked, self._look)
        ranges = [(group.from_ms, group.to_ms) for groups in self._groups.values() for group in groups]
        ranges += [(clock_ms, clock_ms) for clock_ms in self._recent]
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    async def at(self, time_ms: int) -> StateFrame | None:
        """The state at the last second up to this moment; None before the first. Raises one of `STORE_TROUBLE`."""
        stored = await asyncio.to_thread(self._locked, lambda: self._stored_at(time_ms))
        recent = max((clock_ms for clock_ms in self._recent if clock_ms <= time_ms), default=None)
        if recent is None or (stored is not None and _newer(stored, self._recent[recent].riders)):
            return None if stored is None else self._frame(stored)
        return self._recent[recent]

    def _locked(self, work: Callable[[], np.ndarray | None]) -> np.ndarray | None:
        with self._lock:
            return work()

    def _look(self) -> None:
        """Learn of parts that are new, and that others have taken their place."""
        if time.monotonic() - self._looked < LOOK_AGAIN_S:
            return
        if self._asked_run is None:
            run = self._store.newest_run("states", *self._stage)
            if run != self._run:
                self._run = run
                self._forget(set(self._groups))
        if self._run is not None:
            keys = set(self._store.keys(Shelf("states", *self._stage, self._run).prefix))
            self._forget(set(self._groups) - keys)
            for key in sorted(keys - set(self._groups)):
                self._groups[key] = self._groups_of(key)
        self._looked = time.monotonic()

    def _forget(self, keys: set[str]) -> None:
        for key in keys:
            for group in self._groups.pop(key):
                self._rows.pop(group, None)
            self._files.pop(key, None)

    def _groups_of(self, key: str) -> list[Group]:
        self._files[key] = self._store.open(key)
        footer = self._files[key].metadata
        column = next(i for i in range(footer.num_columns) if footer.schema.column(i).name == "time_ms")
        ranges = [footer.row_group(number).column(column).statistics for number in range(footer.num_row_groups)]
        return [Group(key, number, each.min, each.max) for number, each in enumerate(ranges) if each is not None]

    def _stored_at(self, time_ms: int) -> np.ndarray | None:
        """RIDER_STATE of the last stored second up to a moment, of its last revision."""
        self._look()
        try:
            return self._newest(time_ms)
        except (
            pa.ArrowException,
            OSError,
            KeyError,
            *STORE_TROUBLE,
        ):  # a compacted part has taken the place of those that were known
            self._looked = 0.0
            self._look()
            return self._newest(time_ms)

    def _newest(self, time_ms: int) -> np.ndarray | None:
        begun = [group for groups in self._groups.values() for group in groups if group.from_ms <= time_ms]
        if not begun:
            return None
        surely_ms = max(group.to_ms if group.to_ms <= time_ms else group.from_ms for group in begun)
        found: np.ndarray | None = None
        for group in begun:
            if group.to_ms < surely_ms:
                continue
            rows = self._fetch(group)
            times = rows["time_ms"]
            until = times[times <= time_ms].max()
            rows = rows[times == until]
            rows = rows[rows["revision"] == rows["revision"].max()]
            if found is None or _newer(rows, found):
                found = rows
        return found

    def _fetch(self, group: Group) -> np.ndarray:
        if group not in self._rows:
            self._rows[group] = rows_of(self._files[group.key].read_row_group(group.number), RIDER_STATE)
        self._rows.move_to_end(group)
        while len(self._rows) > KEPT_GROUPS:
            self._rows.popitem(last=False)
        return self._rows[group]

    def _frame(self, riders: np.ndarray) -> StateFrame:
        clock_ms = int(riders["time_ms"][0])
        over = (riders["quality"] == FINISHED).any() and (riders["quality"] >= LOST).all()
        running = RaceStatus.FINISHED if over else RaceStatus.LIVE
        return StateFrame(
            run=self._run or 0,
            clock_ms=clock_ms,
            ingest_ns=0,
            published_ns=0,
            status=RaceStatus.WAITING if clock_ms < self._start_ms else running,
            speed_factor=self._speed,
            per_second=0.0,
            readings=0,
            duplicates=0,
            late=0,
            riders=riders,
        )


def _revision(riders: np.ndarray) -> int:
    return int(riders["revision"].max(initial=0))


def _newer(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the first state is of a later second, or of the same and of a later revision."""
    return (one["time_ms"][0], _revision(one)) > (other["time_ms"][0], _revision(other))
