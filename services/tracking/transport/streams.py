"""The JetStream streams of a race, and how a service takes messages from them without waiting or losing any."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StreamConfig, StreamInfo, StreamSource
from nats.js.errors import BadRequestError, NotFoundError

from tracking.transport.broker import TROUBLE

READINGS = "READINGS"
"""Batches of readings, on the truck and again in the cloud; in the cloud with race control's decisions between them."""
STATES = "STATES"
"""State frames, in the cloud."""
EVENTS = "EVENTS"
"""What happens in the race, in the cloud."""
CONTROL = "CONTROL"
"""Race control's decisions, in the cloud. The broker itself copies each into READINGS, once: where it stands there,
between the readings, is where it takes effect, for whoever follows the race, now or later."""
FORECASTS = "FORECASTS"
"""Forecasts as they were logged before the outcome, in the cloud."""
MSG_ID = "Nats-Msg-Id"
"""Header by which a broker knows a message that it already has."""

DAY_S = 86_400.0
DEDUPLICATION_S = 3600.0
"""How long a broker remembers ids. A double after that is still harmless: every consumer knows each reading."""
READINGS_BYTES = 2 * 1024**3
"""600 sensors send 52 million readings in 24 hours, 26 bytes each: 1.4 GB; where two relays hear all of them, this is
enough for 18 hours. A broker that has no more room says so to who publishes, and keeps what it has acknowledged."""
STATES_BYTES = 3 * 1024**3 // 2
"""198 riders' states of 17 hours. They can be had again from the readings, so the oldest make room."""
OTHER_BYTES = 64 * 1024**2
LINGER_S = 5.0
API_TIMEOUT_S = 2.0
ACK_WAIT_S = 600.0
"""Long, because the archive acknowledges a part at a time; see `resume` for what follows a crash."""
MAX_UNACKNOWLEDGED = 5000
FORGOTTEN_AFTER_S = 30.0
"""A broker drops the consumer of a reader that asks for nothing more."""


def readings_subject(stack: str, relay: str) -> str:
    """Where a relay's batches are published."""
    return f"readings.{stack}.{relay}"


def states_subject(stack: str) -> str:
    """Where the state frames of a race are published."""
    return f"states.{stack}"


def revised_subject(stack: str, clock_ms: int | None = None) -> str:
    """Where a second of the race is told again, amended; of all seconds where none is named."""
    return f"{states_subject(stack)}.revised.{'*' if clock_ms is None else clock_ms}"


def all_readings() -> str:
    """Of all batches, without the decisions between them."""
    return readings_subject("*", "*")


def events_subject(stack: str) -> str:
    """Where what happens in a race is told."""
    return f"events.{stack}"


def control_subject(stack: str) -> str:
    """Where race control's decisions are published."""
    return f"control.{stack}"


def forecasts_subject(stack: str) -> str:
    """Where the forecasts of a race are published."""
    return f"forecasts.{stack}"


async def ensure_stream(js: JetStreamContext, name: str) -> StreamInfo:
    """Create a stream where it is missing, bring it up to date where it is not; returns what it is now."""
    sources = None
    if name == READINGS:
        await ensure_stream(js, CONTROL)
        sources = [StreamSource(name=CONTROL, filter_subject=control_subject("*"))]
    limits = {READINGS: (READINGS_BYTES, DiscardPolicy.NEW), STATES: (STATES_BYTES, DiscardPolicy.OLD)}
    max_bytes, discard = limits.get(name, (OTHER_BYTES, DiscardPolicy.OLD))
    config = StreamConfig(
        name=name,
        subjects=[f"{name.lower()}.>"],
        max_age=3 * DAY_S,
        max_bytes=max_bytes,
        discard=discard,
        duplicate_window=DEDUPLICATION_S,
        sources=sources,
    )
    try:
        return await js.add_stream(config)
    except BadRequestError:  # it exists with another configuration
        return await js.update_stream(config)


async def run_of(js: JetStreamContext) -> int:
    """The number of this race day: when this broker's READINGS was created, Unix seconds."""
    created = (await ensure_stream(js, READINGS)).created
    assert created is not None  # a broker always says
    return int(created.timestamp())


async def resume(js: JetStreamContext, stream: str, durable: str, subject: str | None = None) -> None:
    """Make a durable pull consumer ready to give all that was not acknowledged, from the first such message on.

    `subject`: of what it gives; of all where none is named.

    What a killed predecessor had taken is given again at once, not when its time to acknowledge has run out; and
    nothing more goes to a connection of its that the broker takes for alive. So some messages may come again that were
    acknowledged: each consumer here knows what it has.
    """
    start: dict[str, Any] = {"deliver_policy": DeliverPolicy.ALL}
    with contextlib.suppress(NotFoundError):
        left = await js.consumer_info(stream, durable)
        if not (left.num_ack_pending or left.num_waiting):
            return
        await js.delete_consumer(stream, durable)
        floor = left.ack_floor.stream_seq if left.ack_floor else 0
        start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": floor + 1}
    config = ConsumerConfig(
        durable_name=durable,
        filter_subject=subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_ack_pending=MAX_UNACKNOWLEDGED,
        **start,
    )
    await js.add_consumer(stream, config)


async def pull(js: JetStreamContext, stream: str, durable: str, at_once: int = 64) -> AsyncIterator[list[Msg]]:
    """Messages of a durable consumer in groups of at most `at_once`, each group as soon as there is one.

    Messages have to be acknowledged by the caller.
    """
    async for messages in _groups(await js.pull_subscribe_bind(consumer=durable, stream=stream), at_once):
        yield messages


async def read_on(js: JetStreamContext, stream: str, start_seq: int, at_once: int = 64) -> AsyncIterator[list[Msg]]:
    """All messages of a stream from a sequence number on, in groups as of `pull`; nothing is acknowledged."""
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=max(1, start_seq),
        ack_policy=AckPolicy.NONE,
        inactive_threshold=FORGOTTEN_AFTER_S,
        mem_storage=True,
    )
    consumer = (await js.add_consumer(stream, config)).name
    async for messages in _groups(await js.pull_subscribe_bind(consumer=consumer, stream=stream), at_once):
        yield messages


async def _groups(subscription: JetStreamContext.PullSubscription, at_once: int) -> AsyncIterator[list[Msg]]:
    while True:
        try:
            messages = await subscription.fetch(1, timeout=LINGER_S)
        except TimeoutError:
            continue
        waiting = min(messages[0].metadata.num_pending, at_once - 1)
        if waiting:  # ask for exactly what is there: nats-py would wait for more until its timeout
            with contextlib.suppress(TimeoutError):  # of a busy broker; the first is ours all the same
                messages += await subscription.fetch(waiting, timeout=API_TIMEOUT_S)
        yield messages


async def pending(js: JetStreamContext | None, stream: str, durable: str) -> int | None:
    """Messages that a durable consumer has yet to take or to acknowledge; None where the broker does not say."""
    if js is None:
        return None
    try:
        try:
            consumer = await js.consumer_info(stream, durable)
        except NotFoundError:  # nothing was ever taken
            return (await js.stream_info(stream)).state.messages
    except TROUBLE:
        return None
    return (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
