"""The archive: keeps all readings, as they arrived and each once, and all rider states as Parquet in the object store.

While the object store is away the cloud's broker keeps the messages: each is acknowledged when it is stored.
"""

import asyncio
import contextlib
from typing import Any

from nats.aio.client import Client
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tracking.broker import BrokerConfig, hold
from tracking.collector import Arrivals, Collector, PartLimits, Readings, States
from tracking.object_store import ObjectStoreConfig
from tracking.parts import PartStore
from tracking.refetch import tell_spans
from tracking.service import Health, ServiceConfig, StageConfig, main, together, until
from tracking.streams import READINGS, STATES

FLUSH_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
LOOK_S = 0.05


class ArchiveConfig(ServiceConfig):
    """archive.json"""

    broker: BrokerConfig
    stage: StageConfig
    object_store: ObjectStoreConfig
    part_rows: int = Field(default=200_000, ge=1)
    part_seconds: float = Field(default=60.0, gt=0)
    idle_seconds: float = Field(default=2.0, gt=0)
    """A part is stored when it has so many rows, so long after its first message, or when no more messages come."""


class Archive:
    """The collectors, and the manifest of what is stored."""

    def __init__(self, config: ArchiveConfig) -> None:
        self._config = config
        store = PartStore(config.object_store)
        stage = (config.stage.edition, config.stage.number)
        limits = PartLimits(config.part_rows, config.part_seconds, config.idle_seconds)
        self._readings = Collector(store, Readings, READINGS, stage, limits)
        self._states = Collector(store, States, STATES, stage, limits)
        self._arrivals = Collector(store, Arrivals, READINGS, stage, limits)
        self._collectors = (self._readings, self._states, self._arrivals)
        self.routes = [Route("/manifest", self._manifest), Route("/flush", self._flush, methods=["POST"])]

    async def health(self) -> Health:
        """Healthy while messages come from the broker and parts go to the store."""
        pending = [await collector.pending() for collector in self._collectors]
        counts: dict[str, Any] = {
            "pending": None if None in pending else sum(filter(None, pending)),
            "readings": vars(self._readings.counts),
            "states": vars(self._states.counts),
            "arrivals": vars(self._arrivals.counts),
        }
        trouble = next((collector.trouble for collector in self._collectors if collector.trouble), None)
        if trouble:
            return Health(
                False, f"the object store at {self._config.object_store.endpoint} is away ({trouble})", counts
            )
        if counts["pending"] is None:
            return Health(False, f"the broker at {self._config.broker.url} is away", counts)
        return Health(True, "what arrives is stored", counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Collect until stopped; then store what was taken, for at most `STOP_TIMEOUT_S`."""
        broker = self._config.broker

        async def stop() -> None:
            await stopping.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._store_all(), STOP_TIMEOUT_S)
            stored.set()

        stored = asyncio.Event()
        answering = hold([broker], "archive-spans", self._tell_spans)
        await until(stored, together(*(each.run(broker) for each in self._collectors), answering, stop()))

    async def _tell_spans(self, client: Client) -> None:
        await tell_spans(client, self._config.stack, self._readings.taken)

    async def _store_all(self) -> None:
        """Return when the broker has nothing that is not stored."""
        for collector in self._collectors:
            while await collector.pending() != 0:
                collector.close_part()
                await asyncio.sleep(LOOK_S)

    async def _flush(self, request: Request) -> JSONResponse:
        try:
            await asyncio.wait_for(self._store_all(), FLUSH_TIMEOUT_S)
        except TimeoutError:
            health = await self.health()
            return JSONResponse({"status": "failing", "detail": health.detail, **health.counts}, 503)
        return await self._manifest(request)

    async def _manifest(self, request: Request) -> JSONResponse:
        return JSONResponse(self._readings.manifest.to_json())


if __name__ == "__main__":
    main(ArchiveConfig, Archive)
