"""Streams of a channel: as server-sent events, plain or compressed, and over a WebSocket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from operator import attrgetter
from typing import Any

from starlette.types import Receive, Send

from tracking.door import LINE, Line
from tracking.feeds.api import CORS, Asked, accepts_gzip
from tracking.feeds.channel import Channel, Reader
from tracking.feeds.gzipped import HEAD, Checksum
from tracking.feeds.messages import RETRY, Message
from tracking.service import log

HEADERS = (
    *CORS,
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept-encoding"),
    (b"x-accel-buffering", b"no"),
)
TOO_MUCH = 1009
GOING_AWAY = 1001


class TaskLine:
    """A line where each write has to be waited for: a WebSocket, or a server without `tracking.door`."""

    def __init__(self, patience_s: float) -> None:
        self.on_room: Callable[[], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self.is_gone = False
        self._patience_s = patience_s
        self._waiting: list[Awaitable[None]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether an earlier write still waits."""
        return self._task is not None

    def write(self, sending: Awaitable[None]) -> None:
        """Write when all before it is written."""
        self._waiting.append(sending)
        if self._task is None:
            self._task = asyncio.ensure_future(self._send())

    def end(self) -> None:
        """The connection is gone."""
        self.is_gone = True
        if self.on_end:
            self.on_end()

    async def settle(self) -> None:
        """Return when all is written, or will never be."""
        if self._task:
            await asyncio.wait({self._task})

    async def _send(self) -> None:
        try:
            while self._waiting:
                async with asyncio.timeout(self._patience_s):
                    await self._waiting.pop(0)
        except (TimeoutError, OSError, RuntimeError) as error:
            log("reader-dropped", reason=type(error).__name__)
            self.end()
        finally:
            for never in self._waiting:
                if asyncio.iscoroutine(never):
                    never.close()
            self._waiting.clear()
            self._task = None
        if self.on_room and not self.is_gone:
            self.on_room()


async def tell_events(asked: Asked[Any], channel: Channel, patience_s: float) -> None:
    """Answer with the channel's messages as server-sent events, until the reader goes or the channel is closed."""
    headers = asked.connection.headers
    packed = accepts_gzip(headers)
    checksum = Checksum()
    encoding = [(b"content-encoding", b"gzip")] if packed else []
    await asked.send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *encoding]})
    if asked.connection.scope["method"] == "HEAD":
        await _body(asked.send, b"", more=False)
        return
    await _body(asked.send, HEAD + RETRY.deflated if packed else RETRY.plain)
    checksum.add(*RETRY.checked)
    seen = headers.get("last-event-id") or getattr(asked.parameters, "last_event_id", None)
    async with _line(asked, patience_s) as (line, write):
        with Reader(channel, line, _packing(write, checksum) if packed else write("plain"), seen) as reader:
            await reader.until_over()
    await _body(asked.send, checksum.tail if packed else b"", more=False)


Writer = Callable[[Message], None]


def _packing(write: Callable[[str], Writer], checksum: Checksum) -> Writer:
    deflated = write("deflated")

    def put(message: Message) -> None:
        deflated(message)
        checksum.add(*message.checked)

    return put


@contextlib.asynccontextmanager
async def _line(asked: Asked[Any], patience_s: float) -> AsyncIterator[tuple[Line | TaskLine, Callable[[str], Writer]]]:
    """The line to a reader, and for each form of a message what writes it there."""
    direct = asked.connection.scope.get("extensions", {}).get(LINE)
    if direct is not None:
        direct.hold_little()
        yield direct, lambda form: _straight(direct, attrgetter(f"{form}_chunk"))
        return
    line = TaskLine(patience_s)
    watching = asyncio.create_task(_watch(asked.receive, line))
    try:
        yield line, lambda form: _in_turn(asked.send, line, attrgetter(form))
        await line.settle()
    finally:
        watching.cancel()


def _straight(line: Line, form: Callable[[Message], bytes]) -> Writer:
    return lambda message: line.write(form(message))


def _in_turn(send: Send, line: TaskLine, form: Callable[[Message], bytes]) -> Writer:
    return lambda message: line.write(_body(send, form(message)))


async def _body(send: Send, data: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def _watch(receive: Receive, line: TaskLine) -> None:
    """Notice when a client goes away."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
    line.end()


async def tell_socket(receive: Receive, send: Send, channel: Channel, seen: str | None, patience_s: float) -> None:
    """Tell the channel's messages over an accepted WebSocket; what the client says is dropped."""
    line = TaskLine(patience_s)

    def write(message: Message) -> None:
        line.write(send({"type": "websocket.send", "text": message.text}))

    watching = asyncio.create_task(_watch(receive, line))
    try:
        with Reader(channel, line, write, seen) as reader:
            await reader.until_over()
        await line.settle()
        if not line.is_gone:
            await send({"type": "websocket.close", "code": GOING_AWAY, "reason": "The feed stops; come back."})
    finally:
        watching.cancel()
