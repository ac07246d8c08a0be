"""From a stream to parts in the object store: each row once, each message acknowledged when its rows are stored."""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from tracking.manifest import Manifest, Tally
from tracking.records import ARRIVAL, READING, RIDER_STATE, WORD
from tracking.service import log, together
from tracking.store.parts import STORE_TROUBLE, PartStore, Shelf
from tracking.transport.broker import TROUBLE, BrokerConfig, hold
from tracking.transport.spans import SPAN
from tracking.transport.streams import MSG_ID, ensure_stream, pending, pull, resume
from tracking.transport.wire import DecodeError, decode_batch, decode_states, has_begun

A = TypeVar("A")

DURABLE = "archive"
MOST_REVISIONS = 256
RETRY_S = 1.0
LOOK_S = 0.25


class Content(ABC):
    """What is collected: how to read it from a message, and which of it is new. One for each run."""

    kind: str
    dtype: np.dtype
    identity: tuple[str, ...]
    """Columns that are enough to know a row again."""
    durable: str = DURABLE
    """Name of the consumer that gives the messages."""
    of_stream = False
    """Whether a row is known by its number in the stream, which begins anew where the stream does."""

    @classmethod
    def of_message(cls, message: Msg) -> tuple[int, np.ndarray]:
        """As `decode`."""
        return cls.decode(message.data, message.metadata.sequence.stream)

    @staticmethod
    @abstractmethod
    def decode(data: bytes, seq: int) -> tuple[int, np.ndarray]:
        """(run, rows) of the stream's message `seq`; DecodeError."""

    @abstractmethod
    def fresh(self, rows: np.ndarray) -> np.ndarray:
        """The rows that were not here before; from now on they are known."""

    def manifest(self, run: int) -> Manifest:
        """Of all rows that are known; empty where none is kept."""
        return Manifest(run, {})

    def spans(self, span_ms: int, before_ms: int) -> np.ndarray:
        """SPAN rows of all that are known, as of `tracking.manifest.Tally.spans`; none where no manifest is kept."""
        return np.zeros(0, SPAN)


class Readings(Content):
    """Readings, each device's each fix once."""

    kind = "readings"
    dtype = READING
    identity = ("device", "time_ms", "lat", "lon")

    def __init__(self) -> None:
        self._tally = Tally()

    @staticmethod
    def decode(data: bytes, seq: int) -> tuple[int, np.ndarray]:
        batch = decode_batch(data)
        return batch.run, batch.readings

    def fresh(self, rows: np.ndarray) -> np.ndarray:
        return rows[self._tally.add(rows)]

    def manifest(self, run: int) -> Manifest:
        return self._tally.manifest(run)

    def spans(self, span_ms: int, before_ms: int) -> np.ndarray:
        return self._tally.spans(span_ms, before_ms)


class States(Content):
    """Rider states, each revision of a second once: a processor that starts again may repeat the last."""

    kind = "states"
    dtype = RIDER_STATE
    identity = ("time_ms", "revision")

    def __init__(self) -> None:
        self._known: set[int] = set()

    @staticmethod
    def decode(data: bytes, seq: int) -> tuple[int, np.ndarray]:
        frame = decode_states(data)
        return frame.run, frame.riders

    def fresh(self, rows: np.ndarray) -> np.ndarray:
        told = rows["time_ms"] * MOST_REVISIONS + rows["revision"]
        new = [each for each in np.unique(told).tolist() if each not in self._known]
        self._known.update(new)
        return rows[np.isin(told, new)]


class Numbered(Content):
    """What is known by the number of its message."""

    identity = ("seq",)
    of_stream = True

    def __init__(self) -> None:
        self._known: set[int] = set()

    def fresh(self, rows: np.ndarray) -> np.ndarray:
        new = [seq for seq in np.unique(rows["seq"]).tolist() if seq not in self._known]
        self._known.update(new)
        return rows[np.isin(rows["seq"], new)]


class Arrivals(Numbered):
    """Every message of readings as it came, in the stream's order, with what it repeats."""

    kind = "arrivals"
    dtype = ARRIVAL
    durable = f"{DURABLE}-arrivals"

    @staticmethod
    def decode(data: bytes, seq: int) -> tuple[int, np.ndarray]:
        batch = decode_batch(data)
        rows = np.zeros(len(batch.readings), ARRIVAL)
        rows["seq"], rows["row"] = seq, np.arange(len(rows))
        rows["batch"], rows["sent_at_ns"] = batch.seq, batch.sent_at_ns
        for column in READING.names or ():
            rows[column] = batch.readings[column]
        return batch.run, rows


class Words(Numbered):
    """What is said in JSON, of the whole stage: as it was published, also where nobody could read it."""

    dtype = WORD

    @classmethod
    def of_message(cls, message: Msg) -> tuple[int, np.ndarray]:
        run, rows = cls.decode(message.data, message.metadata.sequence.stream)
        rows["at_ns"] = round(message.metadata.timestamp.timestamp() * 1e9)
        rows["id"] = (message.headers or {}).get(MSG_ID, "")
        return run, rows

    @staticmethod
    def decode(data: bytes, seq: int) -> tuple[int, np.ndarray]:
        return 0, np.array([(seq, 0, "", data.decode(errors="replace"))], WORD)


class Control(Words):
    """Race control's decisions, in their places between the readings."""

    kind = "control"
    durable = f"{DURABLE}-control"


class Events(Words):
    """What happened in the race."""

    kind = "events"


class Forecasts(Words):
    """Forecasts, logged before the outcome."""

    kind = "forecasts"


@dataclass(frozen=True)
class PartLimits:
    """When a part is closed."""

    rows: int
    seconds: float
    """From its first message."""
    idle_seconds: float
    """From its last message."""


@dataclass(eq=False)
class Part:
    """Rows on their way into one object, and the messages that they came in."""

    shelf: Shelf
    first_seq: int
    created: int
    """When its stream was, Unix seconds."""
    began: float = field(default_factory=time.monotonic)
    grew: float = 0.0
    last_seq: int = 0
    count: int = 0
    rows: list[np.ndarray] = field(default_factory=list)
    messages: list[Msg] = field(default_factory=list)
    manifest: Manifest | None = None
    """Of the run up to and with this part; set when the part is closed."""

    def add(self, message: Msg, rows: np.ndarray) -> None:
        """A message also without new rows: what it repeats may not be stored yet."""
        self.grew = time.monotonic()
        self.last_seq = message.metadata.sequence.stream
        self.messages.append(message)
        self.rows.append(rows)
        self.count += len(rows)

    def due(self, limits: PartLimits, now: float) -> bool:
        """Whether it is time to store it; `now` as `time.monotonic()`."""
        return self.count >= limits.rows or now - self.began >= limits.seconds or now - self.grew >= limits.idle_seconds


@dataclass
class CollectorCounts:
    """Since the archive's start."""

    rows: int = 0
    repeated: int = 0
    corrupt: int = 0
    anew: int = 0
    """How often the stream was made anew while it was collected."""
    parts: int = 0
    stored_bytes: int = 0


class Collector:
    """Collects one stream. Parts are stored one after the other, in the order in which they were closed."""

    def __init__(
        self,
        store: PartStore,
        content: type[Content],
        stream: str,
        stage: tuple[int, int],
        limits: PartLimits,
        subject: str | None = None,
    ) -> None:
        """`stage`: (edition, number); `subject`: what of the stream is taken, all where none is named."""
        self.counts = CollectorCounts()
        self.trouble: str | None = None
        """Why the object store does not take the parts, while it does not."""
        self.manifest = Manifest(0, {})
        """Of the run's stored parts."""
        self._store, self._kind, self._stream, self._stage, self._limits = store, content, stream, stage, limits
        self._subject = subject
        self._content = content()
        self.taken_at = time.monotonic()
        """When the last message came, as `time.monotonic()`."""
        self._run: int | None = None
        self._created = 0
        self._open: Part | None = None
        self._closed: asyncio.Queue[Part] = asyncio.Queue()
        self._js: JetStreamContext | None = None

    @property
    def kind(self) -> str:
        """What it collects."""
        return self._kind.kind

    async def run(self, broker: BrokerConfig) -> None:
        """Collect for ever; what is under way to the store outlives a connection to the broker."""
        name = f"{DURABLE}-{self._kind.kind}"
        await together(hold([broker], name, self._take_in), self._close_when_due(), self._put_away())

    async def pending(self) -> int | None:
        """Messages that are not yet in the store; None while the broker is away."""
        return await pending(self._js, self._stream, self._kind.durable)

    def taken(self, span_ms: int, before_ms: int) -> tuple[int, np.ndarray]:
        """(run, SPAN rows) of all that is stored or on its way into the store."""
        return self._run or 0, self._content.spans(span_ms, before_ms)

    def close_part(self) -> None:
        """Let what was taken so far go to the store now."""
        part, self._open = self._open, None
        if part is not None:
            part.manifest = self._content.manifest(part.shelf.run)
            self._closed.put_nowait(part)

    async def _take_in(self, client: Client) -> None:
        js = client.jetstream()
        created = (await ensure_stream(js, self._stream)).created
        before, self._created = self._created, int(created.timestamp()) if created else 0
        if self._kind.of_stream and self._run is not None and before != self._created:
            log("stream-anew", stream=self._stream, kind=self._kind.kind, run=self._run)
            self.counts.anew += 1
            self.close_part()
            await self._closed.join()
            await self._turn_to(self._run)
        if self._run is None:
            await self._ask(self._store.ensure_bucket)
            last = await self._ask(partial(self._store.newest_run, self._kind.kind, *self._stage))
            if last is not None:
                await self._turn_to(last)
        await resume(js, self._stream, self._kind.durable, self._subject)
        self._js = js
        try:
            async for messages in pull(js, self._stream, self._kind.durable):
                for message in messages:
                    await self._take(message)
        finally:
            self._js = None

    async def _take(self, message: Msg) -> None:
        self.taken_at = time.monotonic()
        try:
            run, rows = self._content.of_message(message)
            if not has_begun(run, time.time()):
                raise DecodeError(f"run {run} has not begun")
        except DecodeError as error:
            self.counts.corrupt += 1
            log("corrupt-message", stream=self._stream, reason=str(error))
            await message.ack()
            return
        if run != self._run:
            self.close_part()
            await self._closed.join()
            await self._turn_to(run)
        fresh = self._content.fresh(rows)
        self.counts.repeated += len(rows) - len(fresh)
        self._open = self._open or Part(self._shelf(run), message.metadata.sequence.stream, self._created)
        self._open.add(message, fresh)
        if self._open.count >= self._limits.rows:
            self.close_part()

    async def _close_when_due(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self._open is not None and self._open.due(self._limits, time.monotonic()):
                self.close_part()

    async def _put_away(self) -> None:
        while True:
            part = await self._closed.get()
            if part.count:
                rows = np.concatenate(part.rows)
                name = f"{part.created}-{part.first_seq:012d}-{part.last_seq:012d}"
                self.counts.stored_bytes += await self._ask(partial(self._store.put, part.shelf, name, rows))
                self.counts.parts += 1
                self.counts.rows += len(rows)
            if part.manifest is not None:
                self.manifest = part.manifest
            for message in part.messages:  # also those of a connection that is lost, beside those of the present one
                with contextlib.suppress(*TROUBLE):  # the broker gives it again, and it is known then
                    await message.ack()
            self._closed.task_done()

    async def _turn_to(self, run: int) -> None:
        """Know again what the store has of this run."""
        content = self._kind()

        def recall() -> None:
            named = f"{self._created}-" if content.of_stream else ""
            for rows in self._store.read(self._shelf(run), content.dtype, content.identity, named):
                content.fresh(rows)

        await self._ask(recall)
        self._run, self._content, self.manifest = run, content, content.manifest(run)

    def _shelf(self, run: int) -> Shelf:
        return Shelf(self._kind.kind, *self._stage, run)

    async def _ask(self, question: Callable[[], A]) -> A:
        """The object store's answer, asked in a thread, again and again until it gives one."""
        while True:
            try:
                answer = await asyncio.to_thread(question)
                self.trouble = None
                return answer
            except STORE_TROUBLE as error:
                if self.trouble is None:
                    log("object-store-trouble", stream=self._stream, reason=str(error))
                self.trouble = str(error)
                await asyncio.sleep(RETRY_S)
