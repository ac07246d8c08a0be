"""The amender: when readings have come too late to change what was told, tells those seconds again, marked as revised.

It follows all readings of the race. When the late ones have settled, the race is replayed with and without them, and
every second that they change is published with the next revision. The archive keeps all, readers show the last.
"""

import asyncio
import contextlib
import time
import zlib
from dataclasses import replace

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from pydantic import Field
from starlette.routing import BaseRoute

from tracking.briefing.briefing import BriefingConfig
from tracking.briefing.race_day import race_day
from tracking.race_control import Decision, decision_of
from tracking.replay.amending import Heard, amended
from tracking.service import Health, ServiceConfig, StageConfig, log, main, together, until
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.streams import (
    MSG_ID,
    READINGS,
    STATES,
    control_subject,
    ensure_stream,
    read_on,
    revised_subject,
)
from tracking.transport.wire import (
    DecodeError,
    StateFrame,
    decode_batch,
    decode_states,
    encode_states,
    has_begun,
    plausible,
)

LOOK_S = 0.25
PUBLISH_TIMEOUT_S = 5.0
AT_ONCE = 256
FETCH_S = 2.0
MOST_REVISIONS = 255


class AmenderConfig(ServiceConfig):
    """amender.json"""

    broker: BrokerConfig
    stage: StageConfig
    speed: float = Field(default=1.0, gt=0)
    """As the processor has it."""
    briefing: BriefingConfig = BriefingConfig()
    """As the processor has it."""
    settle_s: float = Field(default=20.0, gt=0)
    """Late readings have settled when none came for so long."""


class Amender:
    """One race."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: AmenderConfig) -> None:
        """Raises `Mistakes` for what of the race day cannot be used."""
        self._config = config
        self._day = race_day(config.stage, config.speed, config.briefing)
        self._heard = Heard(0)
        self._decisions: list[Decision] = []
        self._next_seq = 1
        self._created = ""
        self._told: dict[int, tuple[int, int]] = {}
        self._amended = 0
        self._late_at = 0.0
        self._counts = {"late": 0, "amendments": 0, "revised": 0, "corrupt": 0, "decisions_refused": 0}
        self._state = f"the broker at {config.broker.url} is away"

    async def health(self) -> Health:
        """Healthy while it follows the readings."""
        return Health(
            self._state == "following",
            self._state,
            {**self._counts, "decisions": len(self._decisions), "pending": self._pending()},
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Amend until stopped."""
        await until(stopping, hold([self._config.broker], "amender", self._follow))

    async def _follow(self, client: Client) -> None:
        js = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        stream = await ensure_stream(js, READINGS)
        await ensure_stream(js, STATES)
        if str(stream.created) != self._created:
            self._created, self._next_seq = str(stream.created), 1
            self._decisions.clear()
            self._turn_to(0)
        away, self._state = self._state, "following"
        try:
            await together(self._listen(js), self._amend_when_settled(js))
        finally:
            self._state = away

    async def _listen(self, js: JetStreamContext) -> None:
        async for messages in read_on(js, READINGS, self._next_seq):
            for message in messages:
                self._take(message)

    def _take(self, message: Msg) -> None:
        self._next_seq = message.metadata.sequence.stream + 1
        if message.subject.startswith(control_subject("")):
            self._decide(message)
            return
        try:
            batch = decode_batch(message.data)
        except DecodeError:
            self._counts["corrupt"] += 1
            return
        if batch.run < self._heard.run or not has_begun(batch.run, time.time()):
            return
        if batch.run != self._heard.run:
            self._turn_to(batch.run)
        late = self._heard.hear(batch.readings[plausible(batch.readings, self._day.start_ms)])
        if late:
            self._counts["late"] += late
            self._late_at = time.monotonic()

    def _decide(self, message: Msg) -> None:
        """A decision takes effect behind the frame that the processor had told when it came."""
        if message.subject != control_subject(self._config.stack):
            return
        try:
            decision = decision_of(message.data)
        except ValueError as error:
            self._counts["decisions_refused"] += 1
            log("decision-refused", number=message.metadata.sequence.stream, reason=str(error))
            return
        self._decisions.append(decision)
        self._heard.decided.append((self._heard.clock_ms, decision))

    def _turn_to(self, run: int) -> None:
        self._heard, self._amended = Heard(run, decided=[(0, decision) for decision in self._decisions]), 0
        self._told.clear()

    def _pending(self) -> int:
        """Late readings that no amendment has seen yet."""
        return sum(map(len, self._heard.late[self._amended :]))

    async def _amend_when_settled(self, js: JetStreamContext) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self._pending() and time.monotonic() - self._late_at >= self._config.settle_s:
                await self._amend(js)

    async def _amend(self, js: JetStreamContext) -> None:
        heard, seen = self._heard, len(self._heard.late)
        punctual, late = list(heard.punctual), heard.late[:seen]
        await self._recall(js)
        frames = await asyncio.to_thread(self._revised, heard.run, punctual, late, list(heard.decided))
        for frame in frames:
            revision = int(frame.riders["revision"][0])
            headers = {MSG_ID: f"{frame.run}-{frame.clock_ms}-{revision}"}
            now_ns = time.time_ns()
            data = encode_states(replace(frame, published_ns=now_ns))
            await js.publish(revised_subject(self._config.stack, frame.clock_ms), data, headers=headers)
            self._note(frame)
        if heard is self._heard:
            self._amended = seen
        self._counts["amendments"] += 1
        self._counts["revised"] += len(frames)
        log("amended", run=heard.run, late=sum(map(len, late)), seconds=len(frames))

    def _revised(
        self, run: int, punctual: list[np.ndarray], late: list[np.ndarray], decided: list[tuple[int, Decision]]
    ) -> list[StateFrame]:
        """The frames that nobody has been told yet, with their revisions."""
        revised = []
        for frame in amended(self._day, run, punctual, late, decided):
            revision, told = self._told.get(frame.clock_ms, (0, 0))
            if told != _content(frame) and revision < MOST_REVISIONS:
                frame.riders["revision"] = revision + 1
                revised.append(frame)
        return revised

    def _note(self, frame: StateFrame) -> None:
        self._told[frame.clock_ms] = (int(frame.riders["revision"][0]), _content(frame))

    async def _recall(self, js: JetStreamContext) -> None:
        """Know what an earlier amender has told of this run."""
        if self._told:
            return
        subject = revised_subject(self._config.stack)
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, filter_subject=subject, inactive_threshold=60
        )
        consumer = await js.add_consumer(STATES, config)
        left = consumer.num_pending or 0
        subscription = await js.pull_subscribe_bind(consumer=consumer.name, stream=STATES)
        while left:
            messages = await subscription.fetch(min(left, AT_ONCE), timeout=FETCH_S)
            left -= len(messages)
            for message in messages:
                with contextlib.suppress(DecodeError):  # not one of ours
                    frame = decode_states(message.data)
                    if frame.run == self._heard.run:
                        self._note(frame)


def _content(frame: StateFrame) -> int:
    """The same for two frames that tell the same, whatever their revision."""
    rows = frame.riders.copy()
    rows["revision"] = 0
    return zlib.crc32(rows.tobytes())


if __name__ == "__main__":
    main(AmenderConfig, Amender)
