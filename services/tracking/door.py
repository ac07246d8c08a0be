"""The door of a service: what one client, one address and all of them together may hold open.

uvicorn parses and answers; this keeps out who sends a head drop by drop, who opens thousands of connections, and who
asks but never reads. It also hands each connection to the application as a `Line`, so that an event goes to thousands
of readers without a task for each of them.
"""

import asyncio
import ipaddress
import resource
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LINE = "etape.line"
"""Extension of an HTTP scope that holds the connection's `Line`."""
MAX_HEAD = 16_384
"""Bytes of a request line and its headers."""
SEND_BUFFER = 131_072
"""Bytes that the kernel holds for a reader of a stream: who does not read is noticed within some events."""
IPV6_SITE = 64
"""Bits of an IPv6 address that belong to one subscriber."""


class DoorConfig(BaseModel):
    """What may be open at the same time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connections: int = Field(default=12_000, ge=1)
    connections_per_address: int = Field(default=300, ge=1)
    head_s: float = Field(default=10.0, gt=0)
    """A request's head has to be complete after this."""
    patience_s: float = Field(default=10.0, gt=0)
    """A client that takes nothing for so long is dropped."""


class Door:
    """The bounds of one listening service, and what is open now."""

    def __init__(self, config: DoorConfig) -> None:
        self.config = config
        self.refused: Counter[str] = Counter()
        """By reason."""
        self._open: Counter[str] = Counter()

    @property
    def connections(self) -> int:
        """Open now."""
        return self._open.total()

    def counts(self) -> dict[str, Any]:
        """What is open now, and what was kept out since the start, by reason."""
        return {"connections": self.connections, "refused": dict(self.refused)}

    def enter(self, address: str) -> bool:
        """Whether one more connection from there may be open; it is counted then."""
        if self.connections >= self.config.connections:
            self.refused["full"] += 1
            return False
        if self._open[address] >= self.config.connections_per_address:
            self.refused["address"] += 1
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection from there is closed."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def protocols(self) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
        """For uvicorn: its HTTP and its WebSocket protocol behind this door."""
        door = self
        http = type("DoorHttp", (_Http,), {"door": door})
        web_socket = type("DoorWebSocket", (_WebSocket,), {"door": door})
        return http, web_socket


def site_of(host: str) -> str:
    """The address that a client answers for: an IPv4 address, or the network of an IPv6 one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, IPV6_SITE), strict=False))


def raise_file_limit() -> int:
    """Let this process hold as many connections as the system allows it; returns how many files that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Line:
    """A connection to which bytes of a running response go straight."""

    def __init__(self, protocol: "_Http") -> None:
        self._protocol = protocol
        self.on_room: Callable[[], None] | None = None
        """Called when a full line takes bytes again."""
        self.on_end: Callable[[], None] | None = None
        """Called when the connection is gone."""

    @property
    def is_full(self) -> bool:
        """Whether the client is not keeping up."""
        return self._protocol.flow.write_paused

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be written any more."""
        return self._protocol.transport.is_closing()

    def hold_little(self) -> None:
        """Do not let the kernel collect megabytes for a reader that is slow."""
        sock = self._protocol.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def write(self, chunk: bytes) -> None:
        """`chunk` has its frame of the chunked encoding already."""
        self._protocol.transport.write(chunk)


class _Http(HttpToolsProtocol):
    """Closes what waits too long, in whichever direction."""

    door: Door

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = _address(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True
        self.line = Line(self)
        self._entered = self.door.enter(self._address)
        if self._entered:
            self._time_head()
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD and not self.transport.is_closing():
                self._refuse("head", "The head of the request is too long; send less than 16 kB.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._time_head()
        cast(dict[str, Any], self.scope)["extensions"] = {LINE: self.line}

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            raise ValueError("head too long")  # the parser's caller answers 400
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._entered = False  # the connection goes over to the other protocol, which counts it down
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_timer()
        self._timer = self.loop.call_later(self.door.config.patience_s, self._drop, "never reads")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer()
        if self.line.on_room:
            self.line.on_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._entered:
            self.door.leave(self._address)
        super().connection_lost(exc)
        if self.line.on_end:
            self.line.on_end()

    def _time_head(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self.door.config.head_s, self._drop, "slow head")

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _drop(self, reason: str) -> None:
        self.door.refused[reason] += 1
        self.transport.abort()

    def _refuse(self, reason: str, sentence: str) -> None:
        self.door.refused[reason] += 1
        self.send_400_response(sentence)


class _WebSocket(WebSocketsSansIOProtocol):
    """Counts down what the HTTP protocol has counted up."""

    door: Door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._address = _address(cast(asyncio.Transport, transport))
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.leave(self._address)
        super().connection_lost(exc)


def _address(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return site_of(str(peer[0])) if peer else ""
