"""Connections to a broker that hangs, falls silent, or answers behind its time; the broker is made up."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client
from tracking.transport.broker import BrokerConfig, connected, hold

INFO = b'INFO {"server_id": "x", "version": "2.15.0", "max_payload": 1048576, "headers": true}\r\n'
LOST_WITHIN_S = 2.0


class Server:
    """Says nothing at all to the first `deaf` connections; answers `pongs` pings of each other one."""

    def __init__(self, deaf: int = 0, pongs: int = 10**6) -> None:
        self.greeted = self.held_back = 0
        self._deaf, self._pongs = deaf, pongs
        self._lines: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[BrokerConfig]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield BrokerConfig(url=f"nats://127.0.0.1:{port}", user="etape", password="x")
        finally:
            server.close()
            for line in self._lines:
                line.close()

    async def catch_up(self) -> None:
        """Answer what was held back."""
        for line in self._lines:
            line.write(b"PONG\r\n" * self.held_back)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.append(writer)
        if len(self._lines) <= self._deaf:
            return
        writer.write(INFO)
        pings = 0
        while line := await reader.readline():
            if line != b"PING\r\n":
                continue
            pings += 1
            if pings <= self._pongs:
                writer.write(b"PONG\r\n")
            else:
                self.held_back += 1
            self.greeted += pings == 1


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


@pytest.mark.parametrize("deaf", [0, 1, 3])
def test_an_attempt_that_hangs_holds_up_no_other(deaf: int) -> None:
    """Guards against a link that is there again while everybody waits for an attempt from before."""
    server = Server(deaf)

    async def scenario() -> None:
        async with server.listening() as broker:
            began = time.monotonic()
            async with connected(broker, "test") as client:
                assert client.is_connected
            assert time.monotonic() - began < 0.4 * deaf + 1.0

    run(scenario)
    assert server.greeted == 1


def test_a_broker_that_falls_silent_is_left_and_asked_anew(caplog: pytest.LogCaptureFixture) -> None:
    """Guards against waiting for a dead connection, and a late pong that ends as a traceback."""
    server, began = Server(pongs=2), []

    async def work(client: Client) -> None:
        began.append(time.monotonic())
        if len(began) < 3:
            try:
                await asyncio.Event().wait()
            finally:
                await server.catch_up()
                await asyncio.sleep(0.05)

    async def scenario() -> None:
        async with server.listening() as broker:
            await hold([broker], "test", work)
        gc.collect()
        await asyncio.sleep(0)

    run(scenario)
    assert server.held_back > 2
    assert max(later - earlier for earlier, later in zip(began, began[1:], strict=False)) < LOST_WITHIN_S + 1.0
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
