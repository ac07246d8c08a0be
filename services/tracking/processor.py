"""The processor: turns the cloud's readings into rider states, and publishes them the moment they are known.

It keeps everything in memory. Two of them can follow a race: both compute, the one that holds the lease publishes, and
the other goes on where it leaves off. Now and then the holder stores a checkpoint that names the last message in it; a
processor that starts goes on from there, and what it tells is bit for bit what it would have told without the stop.
"""

import asyncio
import json
import time
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import StreamInfo
from nats.js.errors import NotFoundError
from pydantic import Field
from starlette.routing import BaseRoute

from tracking.briefing.briefing import BriefingConfig
from tracking.briefing.race_day import race_day
from tracking.kernel.checkpoint import CheckpointError
from tracking.live import LiveRace
from tracking.race_desk import RaceDesk
from tracking.records import READING
from tracking.service import Health, ServiceConfig, StageConfig, log, main, together, until
from tracking.time_trial import trial_of
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.lease import Lease, bucket_of
from tracking.transport.outlet import Outlet
from tracking.transport.streams import READINGS, STATES, control_subject, ensure_stream, read_on, states_subject
from tracking.transport.wire import Batch, DecodeError, StateFrame, decode_batch, has_begun, plausible
from tracking.watch.proposals import BUCKET, Proposal, as_json

CHECKPOINTS = "CHECKPOINTS"
KEPT_FRAMES = 10
"""What a standby has ready for when it takes over: the seconds that nobody may have told yet."""
SILENT_S = 60.0
"""A race that nothing was heard of for so long may be followed by one that began earlier, by a truck's wrong clock."""
TELL_EVERY_S = 0.25
"""While more messages wait, as behind an outage. No two machines' clocks decide what somebody still wants to see."""
PUBLISH_TIMEOUT_S = 5.0


class ProcessorConfig(ServiceConfig):
    """processor.json"""

    broker: BrokerConfig
    stage: StageConfig
    speed: float = Field(default=1.0, gt=0)
    """Race seconds in a second; above 1 only for a simulated race."""
    checkpoint_s: float = Field(default=10.0, gt=0)
    """Between checkpoints; what a processor that starts has to go through again."""
    briefing: BriefingConfig = BriefingConfig()


class Processor:
    """One race."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: ProcessorConfig) -> None:
        """Raises `Mistakes` for a course or another file that cannot be used."""
        self._config = config
        self._day = race_day(config.stage, config.speed, config.briefing)
        self._race: LiveRace | None = None
        self._lease = Lease(f"processor.{config.stack}")
        day = self._day
        trial = trial_of(config.stage.kind, day.course, day.roster, day.starts, day.start_ms)
        self._desk = RaceDesk(config.stack, config.speed, trial)
        self._next_seq = 1
        self._created = ""
        self._heard_s = 0.0
        self._untold: deque[tuple[StateFrame, int]] = deque(maxlen=KEPT_FRAMES)
        self._counts = {"frames": 0, "corrupt": 0, "refused": 0, "foreign": 0, "fenced": 0, "checkpoints": 0}
        self._asked: tuple[Proposal, ...] | None = None
        self._state = "compiling the kernel"
        self._last: StateFrame | None = None

    async def health(self) -> Health:
        """Healthy while the broker is there; before the first reading there is nothing to do."""
        last = self._last
        counts: dict[str, Any] = {
            **self._counts,
            "decisions": len(self._desk.decisions),
            "decisions_refused": self._desk.refused,
            "proposals": len(self._race.proposals) if self._race else 0,
            "role": "active" if self._lease.epoch else "standby",
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
        await self._desk.open(js)
        if str(stream.created) != self._created:
            self._created, self._next_seq, self._race = str(stream.created), 1, None
            self._untold.clear()
            self._desk.forget()
            await self._restore(js, stream)
        away, self._state = self._state, "processing"
        try:
            await together(self._lease.keep(js), self._follow(js), self._save_now_and_then(js))
        finally:
            self._state = away

    async def _follow(self, js: JetStreamContext) -> None:
        outlet = Outlet(js, states_subject(self._config.stack), self._day.start_ms)
        told_at = 0.0
        async for messages in read_on(js, READINGS, self._next_seq):
            for message in messages:
                self._take(message)
            if messages[-1].metadata.num_pending == 0 or time.monotonic() - told_at >= TELL_EVERY_S:
                told_at = time.monotonic()
                await self._tell(outlet)
                if self._lease.epoch:
                    await self._desk.tell(js)
                await self._ask(js)

    async def _ask(self, js: JetStreamContext) -> None:
        """Lay before race control what is open, whenever that has changed."""
        proposals = self._race.proposals if self._race else ()
        if not self._lease.epoch:
            self._asked = None
        elif proposals != self._asked:
            await (await bucket_of(js, BUCKET)).put(self._config.stack, as_json(proposals))
            self._asked = proposals

    def _take(self, message: Msg) -> None:
        self._next_seq = message.metadata.sequence.stream + 1
        if message.subject.startswith(control_subject("")):
            self._decide(message)
            return
        try:
            batch = decode_batch(message.data)
        except DecodeError as error:
            self._counts["corrupt"] += 1
            log("corrupt-batch", subject=message.subject, reason=str(error))
            return
        if not self._is_of_this_race(batch.run, message.metadata.timestamp.timestamp()):
            self._counts["foreign"] += 1
            return
        if self._race is None or batch.run != self._race.run:
            log("race", run=batch.run)
            self._race = LiveRace(self._day, batch.run)
            for decision in self._desk.decisions:
                self._race.decide(decision)
        good = batch.readings[plausible(batch.readings, self._day.start_ms)]
        self._counts["refused"] += len(batch.readings) - len(good)
        self._race.take(Batch(batch.run, batch.seq, batch.sent_at_ns, good))
        frame = self._race.frame(time.time_ns())
        if frame is not None:
            self._untold.append((frame, self._next_seq - 1))
            self._desk.see(frame.run, frame.riders, self._race.noticed())

    def _decide(self, message: Msg) -> None:
        """A decision takes effect in its place between the readings."""
        if message.subject == control_subject(self._config.stack):
            decision = self._desk.hear(message)
            if decision is not None and self._race is not None:
                self._race.decide(decision)

    def _is_of_this_race(self, run: int, at_s: float) -> bool:
        """Not of one that no truck can have begun yet, nor of an earlier one while this one goes on."""
        if not has_begun(run, time.time()):
            return False
        if self._race is None or run >= self._race.run or at_s > self._heard_s + SILENT_S:
            self._heard_s = at_s
            return True
        return False

    async def _tell(self, outlet: Outlet) -> None:
        """Publish what nobody has told, in order, as long as this is the processor to do it."""
        while self._untold and (epoch := self._lease.epoch):
            frame, through = self._untold[0]
            now_ns = time.time_ns()
            if await outlet.publish(frame, now_ns, through, epoch):
                self._last = replace(frame, published_ns=now_ns)
                self._counts["frames"] += 1
            else:
                self._counts["fenced"] += 1
            self._untold.popleft()

    async def _save_now_and_then(self, js: JetStreamContext) -> None:
        bucket = await bucket_of(js, CHECKPOINTS)
        while True:
            await asyncio.sleep(self._config.checkpoint_s)
            if self._lease.epoch and self._race is not None:
                describes = {
                    "created": self._created,
                    "through": self._next_seq - 1,
                    "heard_s": self._heard_s,
                    "desk": self._desk.memory(),
                }
                line = json.dumps(describes).encode() + b"\n"
                data = line + await asyncio.to_thread(self._race.snapshot())
                try:
                    await bucket.put(self._config.stack, data)
                    self._counts["checkpoints"] += 1
                except MaxPayloadError:  # a longer way to go on from, not a reason to stop
                    log("checkpoint-too-large", bytes=len(data), remedy="raise max_payload of the broker")

    async def _restore(self, js: JetStreamContext, stream: StreamInfo) -> None:
        """Go on behind the last checkpoint, if it was made from this stream; else from the first message."""
        try:
            stored = (await (await bucket_of(js, CHECKPOINTS)).get(self._config.stack)).value or b""
            line, _, data = stored.partition(b"\n")
            describes = json.loads(line)
            if describes["created"] != self._created or describes["through"] > stream.state.last_seq:
                return
            self._race = LiveRace.restored(self._day, data)
            self._next_seq, self._heard_s = describes["through"] + 1, describes["heard_s"]
            self._desk.remember(describes.get("desk", {}))
        except NotFoundError:
            return
        except (CheckpointError, ValueError, KeyError, TypeError) as error:
            log("checkpoint-refused", reason=str(error))
            return
        log("restored", run=self._race.run, clock_ms=self._race.clock_ms, through=self._next_seq - 1)


if __name__ == "__main__":
    main(ProcessorConfig, Processor)
