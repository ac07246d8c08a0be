"""The processor: turns the cloud's readings into rider states, and publishes them the moment they are known.

It keeps everything in memory. Each published frame names the last message that is in it, so a processor that
starts again resumes from the last frame and reads on behind that message: nothing twice, nothing left out.
"""

import asyncio
import time

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import Field
from starlette.routing import BaseRoute

from tracking.broker import BrokerConfig, hold
from tracking.live import LiveRace, RaceDay
from tracking.records import READING
from tracking.service import Health, ServiceConfig, StageConfig, log, main, until
from tracking.stage import stage_course
from tracking.streams import MSG_ID, READINGS, STATES, ensure_stream, read_on, states_subject
from tracking.wire import Batch, DecodeError, StateFrame, decode_batch, decode_states, encode_states

THROUGH = "Etape-Through"
"""Header of a state frame: sequence number of the last message of READINGS that is in it."""
PUBLISH_TIMEOUT_S = 2.0


class ProcessorConfig(ServiceConfig):
    """processor.json"""

    broker: BrokerConfig
    stage: StageConfig
    speed: float = Field(default=1.0, gt=0)
    """Race seconds in a second; above 1 only for a simulated race."""


class Processor:
    """One race."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: ProcessorConfig) -> None:
        """Raises `Mistakes` for a course that cannot be used."""
        course = stage_course(config.stage)
        self._config = config
        self._day = RaceDay(course, round(config.stage.race_start.timestamp() * 1000), config.speed)
        self._race: LiveRace | None = None
        self._next_seq = 1
        self._created: object = None
        self._frames = self._corrupt = 0
        self._state = "compiling the kernel"
        self._published: StateFrame | None = None

    async def health(self) -> Health:
        """Healthy while the broker is there; before the first reading there is nothing to do."""
        last = self._published
        counts = {
            "frames": self._frames,
            "corrupt": self._corrupt,
            "readings": last.readings if last else 0,
            "clock_ms": last.clock_ms if last else None,
            "lag_ms": (last.published_ns - last.ingest_ns) / 1e6 if last else None,
        }
        return Health(self._state == "processing", self._state, counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Process until stopped."""
        await asyncio.to_thread(self._compile)
        self._state = f"the broker at {self._config.broker.url} is away"
        await until(stopping, hold([self._config.broker], "processor", self._process))

    def _compile(self) -> None:
        """The first reading of the day must not wait for the compiler."""
        rehearsal = LiveRace(self._day, 0)
        fix = np.array([(1, self._day.start_ms, self._day.course.lat[0], self._day.course.lon[0])], READING)
        rehearsal.take(Batch(0, 0, 0, fix))

    async def _process(self, client: Client) -> None:
        js = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        stream = await ensure_stream(js, READINGS)
        await ensure_stream(js, STATES)
        if stream.created != self._created:
            self._created, self._next_seq = stream.created, 1
            await self._resume(js, stream.state.last_seq)
        away, self._state = self._state, "processing"
        try:
            async for messages in read_on(js, READINGS, self._next_seq):
                for message in messages:
                    self._take(message)
                if messages[-1].metadata.num_pending == 0:  # nobody wants to see what has already passed
                    await self._publish(js)
        finally:
            self._state = away

    async def _resume(self, js: JetStreamContext, last_seq: int) -> None:
        """Go on behind the last frame that any processor published, if it was made from this stream."""
        try:
            last = await js.get_last_msg(STATES, states_subject(self._config.stack))
            frame = decode_states(last.data or b"")
            through = int((last.headers or {})[THROUGH])
        except (NotFoundError, DecodeError, KeyError, ValueError):
            return
        if through > last_seq:
            return
        self._race = LiveRace.resumed(self._day, frame)
        self._next_seq = through + 1
        log("resumed", run=frame.run, clock_ms=frame.clock_ms, through=through)

    def _take(self, message: Msg) -> None:
        self._next_seq = message.metadata.sequence.stream + 1
        try:
            batch = decode_batch(message.data)
        except DecodeError as error:
            self._corrupt += 1
            log("corrupt-batch", subject=message.subject, reason=str(error))
            return
        if self._race is None or batch.run != self._race.run:
            log("race", run=batch.run)
            self._race = LiveRace(self._day, batch.run)
        self._race.take(batch)

    async def _publish(self, js: JetStreamContext) -> None:
        frame = self._race.frame(time.time_ns()) if self._race else None
        if frame is None:
            return
        headers = {MSG_ID: f"{frame.run}-{frame.clock_ms}", THROUGH: str(self._next_seq - 1)}
        await js.publish(states_subject(self._config.stack), encode_states(frame), headers=headers)
        self._published = frame
        self._frames += 1


if __name__ == "__main__":
    main(ProcessorConfig, Processor)
