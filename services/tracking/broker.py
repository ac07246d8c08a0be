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
CONNECT_TIMEOUT_S = 1.0
PING_INTERVAL_S = 1.0
PING_TIMEOUT_S = 2

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
async def connected(broker: BrokerConfig, name: str) -> AsyncIterator[tuple[Client, asyncio.Event]]:
    """A fresh connection and the event of its loss; raises one of `TROUBLE` when it cannot be made in time."""
    lost = asyncio.Event()

    async def closed() -> None:
        lost.set()

    client = Client()
    try:
        connecting = client.connect(
            broker.url,
            user=broker.user,
            password=broker.password,
            name=name,
            allow_reconnect=False,
            reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]  # it sleeps this long
            error_cb=_quiet,
            closed_cb=closed,
        )
        await asyncio.wait_for(connecting, CONNECT_TIMEOUT_S)
        yield client, lost
    finally:
        with contextlib.suppress(*TROUBLE):  # closing flushes, which a stalled link never finishes
            await asyncio.wait_for(client.close(), RETRY_S)


async def hold(brokers: Sequence[BrokerConfig], name: str, work: Callable[..., Awaitable[None]]) -> None:
    """Run `work(client, ...)` on a connection to each broker, and again on fresh ones whenever one is lost.

    Also begins anew when `work` raises one of `TROUBLE`; ends when `work` returns.
    """
    urls = ", ".join(broker.url for broker in brokers)
    reported = ""
    while True:
        try:
            async with contextlib.AsyncExitStack() as stack:
                links = [await stack.enter_async_context(connected(broker, name)) for broker in brokers]
                log("connected", brokers=urls, client=name)
                reported = ""
                if await _work_until_lost(links, work):
                    return
                log("disconnected", brokers=urls, client=name)
        except TROUBLE as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != reported:
                log("interrupted", brokers=urls, client=name, reason=reason)
                reported = reason
        await asyncio.sleep(RETRY_S)


async def _work_until_lost(links: Sequence[tuple[Client, asyncio.Event]], work: Callable[..., Awaitable[None]]) -> bool:
    """Whether `work` came to its own end; False when a connection was lost first."""
    working = asyncio.ensure_future(work(*(client for client, _ in links)))
    signs = [asyncio.ensure_future(sign) for client, lost in links for sign in (_watch(client), lost.wait())]
    try:
        await asyncio.wait({working, *signs}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done() or working.cancelled():  # nats-py cancels who waits on a connection that closes
            return False
        working.result()
        return True
    finally:
        await cancel(working, *signs)


async def _watch(client: Client) -> None:
    """Return when the broker stops answering pings."""
    with contextlib.suppress(*TROUBLE):
        while True:
            await asyncio.sleep(PING_INTERVAL_S)
            await client.flush(PING_TIMEOUT_S)
