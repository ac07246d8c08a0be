"""A TCP link that can be cut as links are: by a pulled cable, a router that forgets, a far end that says no."""

import asyncio
import threading
from enum import Enum
from typing import Any


class Cut(Enum):
    """What becomes of connections while the link is cut."""

    SILENT = "silent"
    """Those open stay silent for ever, as if they waited for their retransmission timer; handshakes come through, but
    nothing after them. Only fresh connections get through after the mend."""
    LATE = "late"
    """As SILENT, but what was sent meanwhile arrives after the mend, all at once."""
    CLOSED = "closed"
    """Those open are closed, and those that are tried too, at once."""


class Link:
    """A link to one port."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut: Cut | None = None
        self._loop = asyncio.new_event_loop()
        self._pumps: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._stuck: list[asyncio.StreamWriter] = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server = self._in_loop(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self, way: Cut = Cut.SILENT) -> None:
        async def end() -> None:
            self._cut = way
            for pump, sink in self._pumps.items():
                if way is not Cut.LATE:
                    pump.cancel()
                if way is Cut.CLOSED:
                    sink.transport.abort()

        self._in_loop(end())

    def mend(self) -> None:
        """What was tried meanwhile stays as it is."""
        self._cut = None

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _in_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut is Cut.CLOSED:
            writer.transport.abort()
            return
        if self._cut:  # the handshake was the kernel's, the silence is ours
            self._stuck.append(writer)
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps[pump] = sink
            pump.add_done_callback(lambda done: self._pumps.pop(done))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                while self._cut:  # only of those that are cut to be late
                    await asyncio.sleep(0.01)
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        sink.close()
