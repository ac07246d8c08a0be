"""The hub over NATS: a message counts as delivered when the hub has answered after it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client
from nats.errors import Error as NatsError

from edge_agent.config import HubAddress
from edge_agent.teller import Away

_PATIENCE_S = 2


class HubConnection:
    """One connection. It never reconnects by itself: after a cut uplink TCP's own retries come up to a minute late."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def publish(self, subject: str, payload: bytes) -> None:
        """Deliver, or raise Away within two seconds."""
        if not self._client.is_connected:
            raise Away("it closed the connection")
        try:
            await self._client.publish(subject, payload)
            await self._client.flush(timeout=_PATIENCE_S)
        except (NatsError, OSError, TimeoutError) as error:
            raise Away(str(error) or type(error).__name__) from None


@asynccontextmanager
async def connect(hub: HubAddress, name: str, on_closed: Callable[[], None]) -> AsyncIterator[HubConnection]:
    """A connection to the hub; `on_closed` is called when it ends from the other side. Raises Away."""

    async def closed() -> None:
        on_closed()

    async def quiet(_: Exception) -> None:
        """Errors come back from the calls themselves."""

    client = Client()
    opening = client.connect(
        hub.url,
        user=hub.user,
        password=hub.password,
        name=name,
        allow_reconnect=False,
        connect_timeout=_PATIENCE_S,
        closed_cb=closed,
        error_cb=quiet,
    )
    try:
        await asyncio.wait_for(opening, 2 * _PATIENCE_S)
        yield HubConnection(client)
    except (NatsError, OSError, TimeoutError) as error:
        raise Away(str(error) or type(error).__name__) from None
    finally:
        await _close(client)


async def _close(client: Client) -> None:
    with suppress(NatsError, OSError, TimeoutError):
        await asyncio.wait_for(client.close(), _PATIENCE_S)
