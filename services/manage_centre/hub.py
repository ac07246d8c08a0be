"""Listens to the hub: facts of the agents as they come, graphs and steps of the day from the stream that keeps them."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, DeliverPolicy, StreamConfig
from nats.js.errors import BadRequestError
from pydantic import Field
from tracking.service import Section

_STREAM = StreamConfig(name="DAY", subjects=["estate.*", "day.*"], max_msgs_per_subject=500)
_PATIENCE_S = 2
_RETRY_S = 0.5


class HubAccess(Section):
    """Where the hub is."""

    url: str = Field(pattern=r"^nats://.+:\d+$")
    user: str = Field(min_length=1)
    password: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message: `kind` is facts, estate or day; `sequence` counts those that the stream keeps, else 0."""

    kind: str
    stack: str
    payload: bytes
    sequence: int


async def listen(access: HubAccess, hear: Callable[[Heard], None], present: Callable[[bool], None]) -> None:
    """Run until cancelled; `present` is told when the hub comes and goes. What the stream keeps comes again then."""
    while True:
        closed = asyncio.Event()
        client = Client()
        try:
            await _connect(client, access, closed)
            await _subscribe(client, hear)
            present(True)
            await closed.wait()
        except (NatsError, OSError, TimeoutError):
            pass
        finally:
            present(False)
            await _close(client)
        await asyncio.sleep(_RETRY_S)


async def _connect(client: Client, access: HubAccess, closed: asyncio.Event) -> None:
    async def is_closed() -> None:
        closed.set()

    async def quiet(_: Exception) -> None:
        """What went wrong is known from the connection's end."""

    opening = client.connect(
        access.url,
        user=access.user,
        password=access.password,
        name="manage_centre",
        allow_reconnect=False,
        connect_timeout=_PATIENCE_S,
        ping_interval=5,
        closed_cb=is_closed,
        error_cb=quiet,
    )
    await asyncio.wait_for(opening, 2 * _PATIENCE_S)


async def _subscribe(client: Client, hear: Callable[[Heard], None]) -> None:
    async def on_message(message: Msg) -> None:
        kind, stack = message.subject.split(".")[:2]
        sequence = 0 if kind == "facts" else message.metadata.sequence.stream
        hear(Heard(kind, stack, message.data, sequence))

    stream = client.jetstream(timeout=_PATIENCE_S)
    try:
        await stream.add_stream(_STREAM)
    except BadRequestError:  # there with other limits, from an earlier release
        await stream.update_stream(_STREAM)
    for subject, policy in (("estate.*", DeliverPolicy.LAST_PER_SUBJECT), ("day.*", DeliverPolicy.ALL)):
        await stream.subscribe(
            subject, cb=on_message, ordered_consumer=True, config=ConsumerConfig(deliver_policy=policy)
        )
    await client.subscribe("facts.>", cb=on_message)
    await client.flush(_PATIENCE_S)


async def _close(client: Client) -> None:
    with contextlib.suppress(NatsError, OSError, TimeoutError):
        await asyncio.wait_for(client.close(), _PATIENCE_S)
