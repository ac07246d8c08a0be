"""The relay on the truck: takes readings in by UDP and hands them to the truck's broker in batches.

A batch is forgotten only after the broker has acknowledged it. While the broker is away batches wait in memory,
in order; when more wait than `max_waiting`, the oldest is given up and its readings are counted as dropped.
"""

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from nats.aio.client import Client
from pydantic import Field
from starlette.routing import BaseRoute

from tracking.broker import BrokerConfig, hold
from tracking.records import READING
from tracking.service import Health, ServiceConfig, cancel, log, main
from tracking.streams import MSG_ID, readings_subject, run_of
from tracking.wire import Batch, DecodeError, decode_datagram, encode_batch, plausible

PUBLISH_TIMEOUT_S = 2.0
FLUSH_TIMEOUT_S = 20.0
"""How long a stopping relay tries to hand over what still waits."""


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
    """Batches kept while the broker is away."""


@dataclass
class RelayCounts:
    """Since the relay's start."""

    readings: int = 0
    batches: int = 0
    corrupt: int = 0
    """Datagrams that could not be decoded."""
    refused: int = 0
    """Readings that no device on Earth can have sent."""
    dropped: int = 0
    """Readings given up because too many batches waited for the broker."""


class Relay(asyncio.DatagramProtocol):
    """One relay; also the receiver of its datagrams."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: RelayConfig) -> None:
        self.counts = RelayCounts()
        self.address: tuple[str, int] | None = None
        """Where it listens, once it does."""
        self._config = config
        self._open: list[np.ndarray] = []
        self._closing: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[int, np.ndarray]] = deque()
        self._arrived = asyncio.Event()
        self._seq = time.time_ns() // 1_000_000  # starts from the clock, so it also rises over restarts
        self._connected = False

    async def health(self) -> Health:
        """Healthy while the truck's broker takes what comes in."""
        detail = "batches go to the broker" if self._connected else f"the broker at {self._config.broker.url} is away"
        counts = {**vars(self.counts), "waiting": len(self._waiting) + bool(self._open)}
        return Health(self._connected, detail, counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Receive and publish until stopped; then hand over what waits, for at most `FLUSH_TIMEOUT_S`."""
        loop = asyncio.get_running_loop()
        local = (self._config.listen, self._config.port)
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=local)
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
            readings = decode_datagram(data)
        except DecodeError as error:
            self.counts.corrupt += 1
            if self.counts.corrupt == 1:
                log("corrupt-datagram", sender=addr[0], reason=str(error))
            return
        good = readings[plausible(readings)]
        self.counts.refused += len(readings) - len(good)
        if not len(good):
            return
        self.counts.readings += len(good)
        self._open.append(good)
        if sum(map(len, self._open)) >= self._config.batch_readings:
            self._close_batch()
        elif self._closing is None:
            self._closing = asyncio.get_running_loop().call_later(self._config.window_ms / 1000, self._close_batch)

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
            self.counts.dropped += len(self._waiting.popleft()[1])
        self._arrived.set()

    async def _publish(self, client: Client) -> None:
        """Publish what waits, in order, one at a time; never returns."""
        js = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        run = await run_of(js)
        subject = readings_subject(self._config.stack, self._config.relay)
        self._connected = True
        try:
            while True:
                self._arrived.clear()
                while self._waiting:
                    seq, readings = self._waiting[0]
                    frame = encode_batch(Batch(run, seq, time.time_ns(), readings))
                    await js.publish(subject, frame, headers={MSG_ID: f"{self._config.relay}-{run}-{seq}"})
                    if self._waiting and self._waiting[0][0] == seq:  # it may have been dropped meanwhile
                        self._waiting.popleft()
                    self.counts.batches += 1
                await self._arrived.wait()
        finally:
            self._connected = False

    async def _hand_over(self) -> None:
        self._close_batch()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                while self._waiting:
                    await asyncio.sleep(0.01)
        for _, readings in self._waiting:
            self.counts.dropped += len(readings)


if __name__ == "__main__":
    main(RelayConfig, Relay)
