"""Connections to a broker that end quickly when the network does, and begin again on a fresh socket.

A stalled TCP connection comes back only when its retransmission timer fires, tens of seconds after the link has
returned. So a connection is never repaired here: it is dropped at the first sign of trouble and the work that
was done on it starts again on a new one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import Field

from tracking.service import Section, cancel, log

RETRY_S = 0.2
CONNECT_TIMEOUT_S = 5.0
ANOTHER_AFTER_S = 0.4
"""An attempt that hangs is left going on, for a slow link, and another is made beside it, for one that has returned."""
PING_INTERVAL_S = 0.5
PINGS_UNANSWERED = 2
LOOK_S = 0.1

TROUBLE = (NatsError, OSError, asyncio.TimeoutError)
"""What a broker or the way to it can raise; anything else is a mistake in the program."""


class BrokerConfig(Section):
    """Where a broker is and who is asking."""

    url: str = Field(pattern=r"^nats://[^/\s]+:\d+$")
    user: str
    password: str


async def _quiet(error: Exception) -> None:
    """nats-py would print a traceback for each failed attempt; `hold` says it once."""


@contextlib.asynccontextmanager
async def connected(broker: BrokerConfig, name: str) -> AsyncIterator[Client]:
    """A fresh connection; raises one of `TROUBLE` when it cannot be made in time."""
    client = await _first_through(broker, name)
    try:
        yield client
    finally:
        await _drop(client)


async def _first_through(broker: BrokerConfig, name: str) -> Client:
    """The client of the first attempt that comes through; the others are dropped."""
    attempts: dict[asyncio.Task[None], Client] = {}
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            while True:
                client = Client()
                attempts[asyncio.create_task(_connect(client, broker, name))] = client
                done, _ = await asyncio.wait(attempts, timeout=ANOTHER_AFTER_S, return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    attempt.result()
                    return attempts.pop(attempt)
    finally:
        await cancel(*attempts)
        await asyncio.gather(*map(_drop, attempts.values()))


async def _connect(client: Client, broker: BrokerConfig, name: str) -> None:
    await client.connect(
        broker.url,
        user=broker.user,
        password=broker.password,
        name=name,
        connect_timeout=CONNECT_TIMEOUT_S,  # type: ignore[arg-type]  # it waits this long
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]  # it sleeps this long
        ping_interval=PING_INTERVAL_S,  # type: ignore[arg-type]  # so too
        max_outstanding_pings=PINGS_UNANSWERED,
        error_cb=_quiet,
    )


async def _drop(client: Client) -> None:
    """Close, and where a stalled link holds up what is still to be sent, forget that."""
    with contextlib.suppress(*TROUBLE):
        await asyncio.wait_for(client.close(), RETRY_S)
    writer = getattr(client._transport, "_io_writer", None)  # nats-py has no way to give a socket up
    if writer is not None:
        writer.transport.abort()


async def hold(brokers: Sequence[BrokerConfig], name: str, work: Callable[..., Awaitable[None]]) -> None:
    """Run `work(client, ...)` on a connection to each broker, and again on fresh ones whenever one is lost.

    Also begins anew when `work` raises one of `TROUBLE`; ends when `work` returns.
    """
    urls = ", ".join(broker.url for broker in brokers)
    reported = ""
    while True:
        try:
            async with contextlib.AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(connected(broker, name)) for broker in brokers]
                log("connected", brokers=urls, client=name)
                reported = ""
                if await _work_until_lost(clients, work):
                    return
                log("disconnected", brokers=urls, client=name)
        except TROUBLE as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != reported:
                log("interrupted", brokers=urls, client=name, reason=reason)
                reported = reason
        await asyncio.sleep(RETRY_S)


async def _work_until_lost(clients: Sequence[Client], work: Callable[..., Awaitable[None]]) -> bool:
    """Whether `work` came to its own end; False when a connection was lost first."""
    working = asyncio.ensure_future(work(*clients))
    losses = [asyncio.ensure_future(_lost(client)) for client in clients]
    try:
        await asyncio.wait({working, *losses}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done() or working.cancelled():  # nats-py cancels who waits on a connection that closes
            return False
        working.result()
        return True
    finally:
        await cancel(working, *losses)


async def _lost(client: Client) -> None:
    """Return when the connection was closed, or the broker has stopped answering nats-py's pings.

    A `flush` with a timeout does not find that out: its pong may still come, and ends all reading with a traceback.
    """
    while client.is_connected:
        await asyncio.sleep(LOOK_S)
