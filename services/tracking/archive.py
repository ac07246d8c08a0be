"""The archive: keeps all readings, as they arrived and each once, all rider states, and what was decided, told and
forecast, as Parquet in the object store.

While the object store is away the cloud's broker keeps the messages: each is acknowledged when it is stored.
"""

import asyncio
import contextlib
import time
from typing import Any

from nats.aio.client import Client
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tracking.replay.compaction import CompactionError, compact_stage
from tracking.service import Health, ServiceConfig, StageConfig, log, main, together, until
from tracking.store.collector import Arrivals, Collector, Control, Events, Forecasts, PartLimits, Readings, States
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import STORE_TROUBLE, PartStore
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.refetch import tell_spans
from tracking.transport.streams import (
    EVENTS,
    FORECASTS,
    READINGS,
    STATES,
    all_readings,
    control_subject,
    events_subject,
    forecasts_subject,
)

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
    quiet_seconds: float = Field(default=10.0, gt=0)
    """When nothing has come for so long, the stage's parts are made one."""


class Archive:
    """The collectors, and the manifest of what is stored."""

    def __init__(self, config: ArchiveConfig) -> None:
        self._config = config
        store = PartStore(config.object_store)
        stage = (config.stage.edition, config.stage.number)
        limits = PartLimits(config.part_rows, config.part_seconds, config.idle_seconds)
        word_limits = PartLimits(config.part_rows, config.part_seconds, config.part_seconds)
        stack = config.stack
        self._store, self._stage = store, stage
        self._readings = Collector(store, Readings, READINGS, stage, limits, all_readings())
        self._states = Collector(store, States, STATES, stage, limits)
        self._arrivals = Collector(store, Arrivals, READINGS, stage, limits, all_readings())
        self._words = (
            Collector(store, Control, READINGS, stage, word_limits, control_subject(stack)),
            Collector(store, Events, EVENTS, stage, word_limits, events_subject(stack)),
            Collector(store, Forecasts, FORECASTS, stage, word_limits, forecasts_subject(stack)),
        )
        self._collectors = (self._readings, self._states, self._arrivals, *self._words)
        self._compact_through = 0.0
        self._not_compact: str | None = None
        self.routes = [Route("/manifest", self._manifest), Route("/flush", self._flush, methods=["POST"])]

    async def health(self) -> Health:
        """Healthy while messages come from the broker and parts go to the store."""
        pending = await self._pending()
        counts: dict[str, Any] = {
            "pending": None if None in pending else sum(filter(None, pending)),
            "readings": vars(self._readings.counts),
            "states": vars(self._states.counts),
            "arrivals": vars(self._arrivals.counts),
            "words": {collector.kind: vars(collector.counts) for collector in self._words},
            "compact": self._compact_through >= self._taken_at(),
            "not_compact": self._not_compact,
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
        collecting = (each.run(broker) for each in self._collectors)
        await until(stored, together(*collecting, answering, self._compact_when_quiet(), stop()))

    async def _pending(self) -> list[int | None]:
        """As of each collector, asked at once: a slow broker's answers do not add up."""
        return await asyncio.gather(*(collector.pending() for collector in self._collectors))

    def _taken_at(self) -> float:
        """When the last message came, as `time.monotonic()`."""
        return max(collector.taken_at for collector in self._collectors)

    async def _compact_when_quiet(self) -> None:
        """In the evening, or in any pause that is long enough, one part instead of many; again where more came."""
        while True:
            await asyncio.sleep(LOOK_S)
            through = self._taken_at()
            if through <= self._compact_through or time.monotonic() - through < self._config.quiet_seconds:
                continue
            if any(await self._pending()):
                continue
            try:
                for done in await asyncio.to_thread(compact_stage, self._store, *self._stage):
                    log("compacted", **vars(done))
                self._compact_through, self._not_compact = through, None
            except (CompactionError, *STORE_TROUBLE) as error:
                self._not_compact = str(error)
                log("compaction-failed", reason=str(error))
                await asyncio.sleep(self._config.quiet_seconds)

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
