"""The relay on the truck: takes readings in by UDP and hands them to the truck's broker in batches.

A batch is forgotten only after the broker has acknowledged it. While the broker is away, or does not take any more,
batches wait in memory; when more wait than `max_waiting`, the oldest go to a bounded folder on the disk. Only when
that is full too, or missing, is the oldest given up, and its readings are counted as dropped.
"""

import asyncio
import contextlib
import time
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET

import numpy as np
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError
from pydantic import AwareDatetime, Field
from starlette.routing import BaseRoute

from tracking.records import READING
from tracking.service import Health, Mistakes, ServiceConfig, cancel, log, main, together
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.repeats import Repeats
from tracking.transport.seal import Forged, Gate, RadioKey, Replayed
from tracking.transport.spill import Spill
from tracking.transport.streams import MSG_ID, readings_subject, run_of
from tracking.transport.wire import Batch, DecodeError, decode_datagram, defects, encode_batch

PUBLISH_TIMEOUT_S = 2.0
AT_ONCE = 32
"""Batches under way to the broker: it syncs them one after the other, without the way there and back between."""
LOOK_S = 0.2
FLUSH_TIMEOUT_S = 20.0
"""How long a stopping relay tries to hand over what still waits."""
RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
"""What the kernel keeps for a relay that is busy; it gives what it allows."""


class RelayConfig(ServiceConfig):
    """relay.json"""

    broker: BrokerConfig
    relay: str = Field(pattern=r"^[a-z0-9-]+$")
    """This relay's name in the subject of its batches."""
    port: int = Field(ge=0, le=65535)
    """UDP port for datagrams of readings."""
    window_ms: int = Field(default=200, ge=10, le=1000)
    """A batch is closed this long after its first reading: receivers fix at the full second, so that the
    readings of a second arrive close together and make one batch."""
    batch_readings: int = Field(default=600, ge=1, le=10_000)
    max_waiting: int = Field(default=7200, ge=1)
    """Batches kept in memory while the broker is away."""
    state_dir: Path | None = None
    """Where batches go that no longer fit into memory."""
    spill_bytes: int = Field(default=2 * 1024**3, ge=0)
    """Of these on the disk at most; 600 sensors send 1.4 GB in 24 hours."""
    radio_key: RadioKey | None = None
    """Only datagrams sealed with it are taken."""
    race_start: AwareDatetime | None = None
    """Fixes of more than a day before or after it are refused."""


@dataclass
class RelayCounts:
    """Since the relay's start."""

    readings: int = 0
    batches: int = 0
    corrupt: int = 0
    """Datagrams that could not be decoded."""
    forged: int = 0
    """Datagrams without this race's seal."""
    replayed: int = 0
    """Datagrams that came again, or much too late."""
    repeated: int = 0
    """Readings heard before, by this path or another."""
    refused: int = 0
    """Readings that no device on Earth can have sent on this day."""
    reasons: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("device", "position", "clock"), 0))
    """Of these, for each reason; a reading can have several."""
    spilled: int = 0
    """Batches that went to the disk because too many waited in memory."""
    dropped: int = 0
    """Readings given up because neither memory nor the disk took them."""


class Relay(asyncio.DatagramProtocol):
    """One relay; also the receiver of its datagrams."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: RelayConfig) -> None:
        """Raises `Mistakes` for a folder that cannot be used."""
        self.counts = RelayCounts()
        self.address: tuple[str, int] | None = None
        """Where it listens, once it does."""
        self._config = config
        self._gate = Gate(config.radio_key) if config.radio_key else None
        self._repeats = Repeats()
        self._race_start_ms = round(config.race_start.timestamp() * 1000) if config.race_start else None
        self._open: list[np.ndarray] = []
        self._closing: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[int, np.ndarray]] = deque()
        self._arrived = asyncio.Event()
        self._booted_ns = time.time_ns() - time.monotonic_ns()
        self._seq = time.time_ns() // 1_000_000  # starts from the clock, so it also rises over restarts
        self._spill = _spill_of(config)
        self._full: str | None = None
        self._connected = False
        self._refusal: str | None = None

    async def health(self) -> Health:
        """Healthy while the truck's broker takes what comes in, and nothing waits on the disk."""
        waiting = len(self._waiting) + bool(self._open)
        spilled = self._spill.bytes if self._spill else 0
        counts = {**vars(self.counts), "waiting": waiting, "waiting_bytes_on_disk": spilled}
        trouble = self._trouble(spilled)
        return Health(trouble is None, trouble or "batches go to the broker", counts)

    def _trouble(self, spilled: int) -> str | None:
        url = self._config.broker.url
        if self._full:
            return f"readings are given up: no room for what waits ({self._full}); bring {url} back or make room"
        if self._refusal:
            return f"the broker at {url} does not take batches ({self._refusal}); make room on its disk"
        if not self._connected:
            return f"the broker at {url} is away"
        return f"{spilled} bytes of batches that waited on the disk go to the broker" if spilled else None

    async def run(self, stopping: asyncio.Event) -> None:
        """Receive and publish until stopped; then hand over what waits, for at most `FLUSH_TIMEOUT_S`."""
        loop = asyncio.get_running_loop()
        local = (self._config.listen, self._config.port)
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=local)
        receiver = transport.get_extra_info("socket")
        receiver.setsockopt(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.address = transport.get_extra_info("sockname")
        publishing = asyncio.create_task(hold([self._config.broker], "relay", self._publish))
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({publishing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if publishing.done():
                publishing.result()
        finally:
            transport.close()
            await self._hand_over()
            await cancel(publishing, stopped)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take the readings of a datagram into the open batch."""
        try:
            readings = decode_datagram(self._opened(data))
        except Forged as error:
            self.counts.forged = self._counted(self.counts.forged, "forged-datagram", addr, error)
        except Replayed as error:
            self.counts.replayed = self._counted(self.counts.replayed, "replayed-datagram", addr, error)
        except DecodeError as error:
            self.counts.corrupt = self._counted(self.counts.corrupt, "corrupt-datagram", addr, error)
        else:
            self._take(readings)

    def _opened(self, data: bytes) -> bytes:
        """The datagram under its seal; a clock that is set while we run was right before, or is right now."""
        if self._gate is None:
            return data
        return self._gate.open(data, time.time_ns(), self._booted_ns + time.monotonic_ns())

    def _counted(self, before: int, event: str, addr: tuple[str, int], reason: Exception) -> int:
        """One more; only the first is told, a flood of them must not fill the journal."""
        if not before:
            log(event, sender=addr[0], reason=str(reason))
        return before + 1

    def _take(self, readings: np.ndarray) -> None:
        good = self._repeats.fresh(sound := self._sound(readings))
        self.counts.repeated += len(sound) - len(good)
        if not len(good):
            return
        self.counts.readings += len(good)
        self._open.append(good)
        if sum(map(len, self._open)) >= self._config.batch_readings:
            self._close_batch()
        elif self._closing is None:
            self._closing = asyncio.get_running_loop().call_later(self._config.window_ms / 1000, self._close_batch)

    def _sound(self, readings: np.ndarray) -> np.ndarray:
        """Those that can be a fix of this day; the others are counted by reason."""
        found = defects(readings, self._race_start_ms)
        for reason, rows in found.items():
            self.counts.reasons[reason] += int(rows.sum())
        bad = np.logical_or.reduce(tuple(found.values()))
        self.counts.refused += int(bad.sum())
        return readings[~bad]

    def _close_batch(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if not self._open:
            return
        self._seq += 1
        self._waiting.append((self._seq, np.concatenate(self._open, dtype=READING)))
        self._open = []
        if len(self._waiting) > self._config.max_waiting:
            self._put_aside(*self._waiting.popleft())
        self._arrived.set()

    def _put_aside(self, seq: int, readings: np.ndarray) -> None:
        """To the disk, or to nowhere."""
        try:
            if self._spill is None:
                raise OSError("no state_dir is configured")
            self._spill.put(Batch(0, seq, 0, readings))  # its run is known when the broker is back
            self.counts.spilled += 1
            self._full = None
        except OSError as error:
            self._full = error.strerror or str(error)
            self.counts.dropped += len(readings)

    async def _publish(self, client: Client) -> None:
        """Publish what waits, the disk's beside the memory's; never returns."""
        js = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        try:
            run = await run_of(js)
            self._connected = True
            await together(self._send_waiting(js, run), self._send_spilled(js, run))
        except APIError as error:  # it is there and says no
            self._refusal = error.description
            raise
        finally:
            self._connected = False

    async def _send_waiting(self, js: JetStreamContext, run: int) -> None:
        while True:
            self._arrived.clear()
            while self._waiting:
                group = list(islice(self._waiting, AT_ONCE))
                await self._send(js, run, group)
                while self._waiting and self._waiting[0][0] <= group[-1][0]:  # some may have been put aside meanwhile
                    self._waiting.popleft()
            await self._arrived.wait()

    async def _send_spilled(self, js: JetStreamContext, run: int) -> None:
        while True:
            while self._spill and (batches := self._spill.oldest()) is not None:
                for start in range(0, len(batches), AT_ONCE):
                    group = [(batch.seq, batch.readings) for batch in batches[start : start + AT_ONCE]]
                    await self._send(js, run, group)
                self._spill.forget_oldest()
            await asyncio.sleep(LOOK_S)

    async def _send(self, js: JetStreamContext, run: int, group: Sequence[tuple[int, np.ndarray]]) -> None:
        """Return when the broker has all of these; they leave in order.

        A relay that starts after its clock was set back numbers some again: the id also says what is in them.
        """
        subject = readings_subject(self._config.stack, self._config.relay)
        acks = [
            js.publish(
                subject,
                encode_batch(Batch(run, seq, time.time_ns(), readings)),
                headers={MSG_ID: f"{self._config.relay}-{run}-{seq}-{zlib.crc32(readings.tobytes()):08x}"},
            )
            for seq, readings in group
        ]
        for result in await asyncio.gather(*acks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        self._refusal = self._full = None
        self.counts.batches += len(group)

    async def _hand_over(self) -> None:
        self._close_batch()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                while self._waiting or (self._spill and self._spill.bytes):
                    await asyncio.sleep(0.01)
        while self._waiting:
            self._put_aside(*self._waiting.popleft())
        if self._spill:
            self._spill.close()


def _spill_of(config: RelayConfig) -> Spill | None:
    if config.state_dir is None:
        return None
    try:
        return Spill(config.state_dir / "waiting", config.spill_bytes)
    except OSError as error:
        raise Mistakes([f"state_dir: {config.state_dir} cannot be used ({error.strerror}); correct it."]) from None


if __name__ == "__main__":
    main(RelayConfig, Relay)
