"""The recorder on the truck's storage: a raw log of all readings that does not depend on any broker.

It acknowledges a batch after the disk has it, so the truck's broker keeps what the disk does not take. Where it knows
the cloud's broker, it also brings there again what the archive lacks (`tracking.transport.refetch`).
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tracking.manifest import Manifest
from tracking.service import Health, ServiceConfig, log, main, together, until
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.journal import Journal, newest_run
from tracking.transport.refetch import Refetcher
from tracking.transport.streams import READINGS, pending, pull, resume, run_of
from tracking.transport.wire import Batch, DecodeError, decode_batch

DURABLE = "recorder"


class RecorderConfig(ServiceConfig):
    """recorder.json"""

    broker: BrokerConfig
    state_dir: Path
    """Folder of the raw log."""
    cloud: BrokerConfig | None = None
    """The cloud's broker, where what the archive lacks is sent again."""
    compare_s: float = Field(default=30.0, gt=0)
    """Between comparisons with the archive."""


class Recorder:
    """The raw log and the manifest of the truck."""

    def __init__(self, config: RecorderConfig) -> None:
        self._config = config
        self._journal: Journal | None = None
        self._js: JetStreamContext | None = None
        self._full: str | None = None
        self._batches = self._corrupt = self._foreign = 0
        self._refetcher = Refetcher(config.stack, lambda: self._journal, config.compare_s)
        self.routes = [Route("/manifest", self._manifest)]

    async def health(self) -> Health:
        """Healthy while the broker is there and the disk takes what it sends."""
        counts = {
            "batches": self._batches,
            "corrupt": self._corrupt,
            "foreign": self._foreign,
            "readings": self._held().readings,
            "damaged_bytes": self._journal.damaged if self._journal else 0,
            "pending": await pending(self._js, READINGS, DURABLE),
            "archive": vars(self._refetcher.counts),
        }
        if self._full:
            return Health(False, f"{self._config.state_dir} does not take the log ({self._full}); make room", counts)
        if counts["pending"] is None:
            return Health(False, f"the broker at {self._config.broker.url} is away", counts)
        return Health(True, "the log is written", counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Record until stopped; what is not on the disk then is not acknowledged either."""
        self._config.state_dir.mkdir(parents=True, exist_ok=True)
        last = newest_run(self._config.state_dir)
        if last is not None:
            self._journal = Journal(self._config.state_dir, last)
        try:
            await until(stopping, together(hold([self._config.broker], "recorder", self._record), *self._refetching()))
        finally:
            if self._journal:
                self._journal.close()

    def _refetching(self) -> list[Awaitable[None]]:
        if self._config.cloud is None:
            return []
        return [hold([self._config.cloud, self._config.broker], "refetch", self._refetcher.work)]

    async def _record(self, client: Client) -> None:
        self._js = client.jetstream()
        try:
            self._turn_to(await run_of(self._js))
            await resume(self._js, READINGS, DURABLE)
            async for messages in pull(self._js, READINGS, DURABLE):
                self._write(self._decode(messages))
                for message in messages:
                    await message.ack()
        finally:
            self._js = None

    def _decode(self, messages: list[Msg]) -> list[Batch]:
        batches = []
        for message in messages:
            try:
                batches.append(decode_batch(message.data))
            except DecodeError as error:
                self._corrupt += 1
                log("corrupt-batch", subject=message.subject, reason=str(error))
        return batches

    def _write(self, batches: list[Batch]) -> None:
        """On disk when it returns; raises OSError where the disk does not take it."""
        for run in sorted({batch.run for batch in batches}):
            try:
                self._append(run, [batch for batch in batches if batch.run == run])
                self._full = None
            except OSError as error:
                self._full = error.strerror or str(error)
                raise
        self._batches += len(batches)

    def _append(self, run: int, batches: list[Batch]) -> None:
        if self._journal is not None and self._journal.run == run:
            self._journal.append(batches)
            return
        self._foreign += len(batches)  # kept all the same, but it is not this day's race
        foreign = Journal(self._config.state_dir, run)
        foreign.append(batches)
        foreign.close()

    def _turn_to(self, run: int) -> None:
        """The race of this broker, whatever runs the log has."""
        if self._journal is None or self._journal.run != run:
            if self._journal is not None:
                self._journal.close()
            self._journal = Journal(self._config.state_dir, run)

    def _held(self, by_minutes: bool = False) -> Manifest:
        return self._journal.manifest(by_minutes) if self._journal else Manifest(0, {})

    async def _manifest(self, request: Request) -> JSONResponse:
        return JSONResponse(self._held("minutes" in request.query_params).to_json())


if __name__ == "__main__":
    main(RecorderConfig, Recorder)
