"""What the archive lacks is sent again: the truck compares its raw log with the archive, and mends the difference.

The archive answers over the cloud's broker what it has taken, in spans of time. The truck asks only when all that it
compares has crossed the uplink and was given to the archive, so that nothing that is merely under way is sent twice.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from tracking.manifest import digest
from tracking.records import READING
from tracking.service import log
from tracking.transport.journal import Journal
from tracking.transport.spans import DAY_MS, MINUTE_MS, SPAN, coarser, from_rows, keys_of, lacking, to_rows
from tracking.transport.streams import MSG_ID, READINGS, readings_subject
from tracking.transport.wire import Batch, encode_batch

API_TIMEOUT_S = 5.0
LOOK_S = 0.2
DEVICES_AT_ONCE = 8
"""Their minutes of a whole day fit into one message."""
BATCH_READINGS = 600
ATTEMPTS = 3
"""For a span that stays as it is: what is sent again and does not arrive is a matter for people."""

Spans = Callable[[int, int], tuple[int, np.ndarray]]
"""(span_ms, before_ms) -> (run, SPAN rows)."""


def spans_subject(stack: str) -> str:
    """Where the archive of a race is asked."""
    return f"spans.{stack}"


async def tell_spans(client: Client, stack: str, held: Spans) -> None:
    """Answer what is held, for ever; a question that cannot be understood gets no answer."""

    async def answer(message: Msg) -> None:
        try:
            asked = json.loads(message.data)
            devices = None if asked["devices"] is None else np.array(asked["devices"], np.uint16)
            run, spans = held(DAY_MS if devices is None else MINUTE_MS, int(asked["before_ms"]))
            found = spans if devices is None else spans[np.isin(spans["device"], devices)]
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            log("question-refused", subject=message.subject, reason=str(error))
            return
        await message.respond(json.dumps({"run": run, "spans": to_rows(found)}).encode())

    await client.subscribe(spans_subject(stack), cb=answer)
    await asyncio.Event().wait()


@dataclass
class RefetchCounts:
    """Since the recorder's start."""

    compared: int = 0
    """Comparisons that came to an end."""
    equal: bool | None = None
    """Whether the last one found nothing missing."""
    refetched: int = 0
    """Readings that were sent again."""
    unmended: int = 0
    """Spans that are still missing after `ATTEMPTS`."""


class Refetcher:
    """The truck's side."""

    def __init__(self, stack: str, journal: Callable[[], Journal | None], every_s: float) -> None:
        """`journal`: the raw log of the run, once there is one."""
        self.counts = RefetchCounts()
        self._stack, self._journal, self._every_s = stack, journal, every_s
        self._attempts: Counter[tuple[int, int]] = Counter()

    async def work(self, cloud: Client, truck: Client) -> None:
        """Compare now and then, for ever; raises one of `TROUBLE`."""
        while True:
            await asyncio.sleep(self._every_s)
            if journal := self._journal():
                await self._compare(journal, cloud, truck.jetstream(timeout=API_TIMEOUT_S))

    async def _compare(self, journal: Journal, cloud: Client, near: JetStreamContext) -> None:
        here = journal.tally.spans(MINUTE_MS)
        before_ms = _last_whole_minute(here)
        here = here[here["from_ms"] < before_ms]
        far = cloud.jetstream(timeout=API_TIMEOUT_S)
        await _through(near, "forwarder", _acknowledged)
        await _through(far, "archive", _given)
        missing = await self._missing(cloud, journal.run, here, before_ms)
        if missing is None:
            return
        self.counts.compared += 1
        self.counts.equal = not len(missing)
        keys = list(zip(keys_of(missing).tolist(), missing["digest"].tolist(), strict=True))
        due = np.array([self._attempts[key] < ATTEMPTS for key in keys], bool)
        self._attempts = Counter({key: self._attempts[key] + 1 for key in keys})
        self.counts.unmended = int((~due).sum())
        if due.any():
            log("refetching", spans=int(due.sum()), devices=len(np.unique(missing["device"][due])))
            readings = await asyncio.to_thread(_read, journal, missing[due])
            await self._send(far, journal.run, readings)

    async def _missing(self, cloud: Client, run: int, here: np.ndarray, before_ms: int) -> np.ndarray | None:
        """Of these SPAN rows those that the archive lacks; None where it is at another run."""
        archived, days = await self._ask(cloud, before_ms, None)
        if archived != run:
            return None
        devices = np.unique(lacking(coarser(here, DAY_MS), days)["device"])
        missing = [np.zeros(0, SPAN)]
        for start in range(0, len(devices), DEVICES_AT_ONCE):
            some = devices[start : start + DEVICES_AT_ONCE]
            _, there = await self._ask(cloud, before_ms, some.tolist())
            missing.append(lacking(here[np.isin(here["device"], some)], there))
        return np.concatenate(missing)

    async def _ask(self, cloud: Client, before_ms: int, devices: list[int] | None) -> tuple[int, np.ndarray]:
        """(run, SPAN rows): days of all devices, or minutes of these."""
        question = json.dumps({"before_ms": before_ms, "devices": devices}).encode()
        answer = json.loads((await cloud.request(spans_subject(self._stack), question, API_TIMEOUT_S)).data)
        return answer["run"], from_rows(answer["spans"])

    async def _send(self, far: JetStreamContext, run: int, readings: np.ndarray) -> None:
        """One batch after the other: the live lane has the uplink first."""
        subject = readings_subject(self._stack, "refetch")
        began = time.time_ns()
        for number, start in enumerate(range(0, len(readings), BATCH_READINGS)):
            rows = readings[start : start + BATCH_READINGS]
            frame = encode_batch(Batch(run, began // 1_000_000 + number, time.time_ns(), rows))
            await far.publish(subject, frame, headers={MSG_ID: f"refetch-{run}-{began}-{number}"})
            self.counts.refetched += len(rows)


def _last_whole_minute(spans: np.ndarray) -> int:
    """Its end, Unix milliseconds: what comes in now is not compared yet. No single device's clock decides it."""
    last_of_device = np.flatnonzero(np.diff(spans["device"], append=0))
    newest = np.sort(spans["from_ms"][last_of_device])
    return int(newest[-(len(newest) // 10 + 1)]) if len(newest) else 0


async def _through(js: JetStreamContext, durable: str, is_through: Callable[[ConsumerInfo, int], bool]) -> None:
    """Return when a consumer of READINGS is through with all that is in it at this moment."""
    last = (await js.stream_info(READINGS)).state.last_seq
    while True:
        with contextlib.suppress(NotFoundError):  # it is being set up
            if is_through(await js.consumer_info(READINGS, durable), last):
                return
        await asyncio.sleep(LOOK_S)


def _acknowledged(consumer: ConsumerInfo, last: int) -> bool:
    floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
    return floor >= last or not (consumer.num_pending or consumer.num_ack_pending)


def _given(consumer: ConsumerInfo, last: int) -> bool:
    reached = consumer.delivered.stream_seq if consumer.delivered else 0
    return reached >= last or not consumer.num_pending


def _read(journal: Journal, spans: np.ndarray) -> np.ndarray:
    """The readings of these spans of a minute, all that differ, READING (n,)."""
    wanted = keys_of(spans)
    found = [np.zeros(0, READING)]
    for rows, _ in journal.read():
        minutes = rows["time_ms"] - rows["time_ms"] % MINUTE_MS
        keys = (rows["device"].astype(np.uint64) << np.uint64(48)) | minutes.astype(np.uint64)
        found.append(rows[np.isin(keys, wanted)])
    readings = np.concatenate(found)
    return readings[np.unique(digest(readings), return_index=True)[1]]
