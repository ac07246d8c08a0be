"""How late the last of thousands of readers is told a second of the race, and how late by a plain peer.

Server and readers are processes of their own. Each reader is a bare connection of one epoll loop, which knows a message
by its length and its last bytes; one of them unpacks what it reads, and so knows when each message was published.
"""

import asyncio
import json
import re
import select
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import numpy as np
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tracking.door import raise_file_limit
from tracking.feed import Feed
from tracking.service import serve
from tracking.transport.wire import StateFrame, encode_states

from tests.bench.figure import Figure
from tests.feeds.races import config, frame
from tests.tracking_transport.harness import free_port

GOAL_MS = 1000.0
READERS = 5_000
AIM = 10_000
MEASURED_S = 20.0
SETTLING_S = 3.0
ADDRESSES = 8
"""Of loopback, from which the readers come: one has not ports enough for all runs."""
AT_ONCE = 200
"""Connections that are opened before their answers are awaited."""
READ_AT_ONCE = 65_536
TAIL = 40
"""Bytes at the end of a message by which, with its length, it is known."""
PEER = "a queue for each reader (Starlette)"


def figures() -> list[Figure]:
    """The 99th percentile from publication to receipt at one message a second, with the peer on the same input."""
    with _server("ours") as port:
        ours = _p99(port, READERS)
    with _server("peer") as port:
        peer = _p99(port, READERS)
    with _server("ours") as port:
        aim = _p99(port, AIM)
    return [
        Figure("tracking.sse_clients_p99", ours, "ms", goal=GOAL_MS, peer=peer, peer_name=PEER),
        Figure("tracking.sse_clients_p99_10000", aim, "ms", goal=GOAL_MS),
    ]


def race() -> Iterator[StateFrame]:
    """Seconds of a race in which no rider has a figure of another."""
    luck = np.random.default_rng(9)
    second = 0
    while True:
        second += 1
        shown = frame(second, seed=second)
        for name in shown.riders.dtype.names:
            if shown.riders.dtype[name].kind == "f":
                shown.riders[name] += luck.normal(0, 0.003 if name in ("lat", "lon") else 1.0, len(shown.riders))
        yield shown


@contextmanager
def _server(which: str) -> Iterator[int]:
    """The port of a server in a process of its own."""
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "tests.bench.readers", which, str(port)])
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        child.kill()
        child.wait()


def _p99(port: int, readers: int) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.readers", "read", str(port), str(readers)],
        capture_output=True,
        text=True,
        timeout=MEASURED_S + 120,
        check=True,
    )
    told = json.loads(done.stdout)
    print(f"readers: {told}", file=sys.stderr)
    return float(told["p99_ms"])


async def _ours(port: int) -> None:
    """The feed as it is deployed, but for a broker."""
    everybody = {"connections": 20_000, "connections_per_address": 20_000}
    gate = {"streams": 20_000, "requests_per_minute": 10**6}
    settings = config(health_port=port, door=everybody, gate=gate)
    feed = Feed(settings)

    async def play() -> None:
        for shown in race():
            await asyncio.sleep(1 - time.time() % 1)
            feed._show(encode_states(_now(shown)))

    playing = asyncio.create_task(play())
    await serve(feed, settings, asyncio.Event())
    playing.cancel()


async def _peer(port: int) -> None:
    """What is written in an hour: the message encoded once, and a queue and a generator for each reader."""
    queues: set[asyncio.Queue[bytes]] = set()
    feed = Feed(config())

    async def play() -> None:
        for shown in race():
            await asyncio.sleep(1 - time.time() % 1)
            feed._show(encode_states(_now(shown)))
            message = b"event: state\ndata: " + feed._moment.answer.body + b"\n\n"
            for queue in queues:
                queue.put_nowait(message)

    async def stream(request: Request) -> Response:
        async def told() -> AsyncIterator[bytes]:
            queue: asyncio.Queue[bytes] = asyncio.Queue()
            queues.add(queue)
            try:
                while True:
                    yield await queue.get()
            finally:
                queues.discard(queue)

        return StreamingResponse(told(), media_type="text/event-stream")

    raise_file_limit()
    app = Starlette(routes=[Route("/api/stream", stream)])
    playing = asyncio.create_task(play())
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False, backlog=4096)).serve()
    playing.cancel()


def _now(shown: StateFrame) -> StateFrame:
    return StateFrame(**{**vars(shown), "published_ns": time.time_ns()})


class _Reader:
    """One connection, and how far it has read into a message."""

    __slots__ = ("left", "pending", "size", "tail", "wire")

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.pending = b""
        """Of what comes before a message."""
        self.left = self.size = 0
        self.tail = b""

    def take(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(length, last bytes) of each message that is whole now."""
        while data:
            if self.left == 0:
                head, found, rest = (self.pending + data).partition(b"\r\n")
                if not found:
                    self.pending = head
                    return
                self.pending, data = b"", rest
                if head:  # nothing stands between the end of a chunk and the length of the next
                    self.left = self.size = int(head, 16)
                    self.tail = b""
                continue
            part, data = data[: self.left], data[self.left :]
            self.left -= len(part)
            self.tail = (self.tail + part[-TAIL:])[-TAIL:]
            if self.left == 0:
                yield self.size, self.tail


class _Readers:
    """All connections, read by one loop."""

    def __init__(self, port: int, count: int) -> None:
        raise_file_limit()
        self._port = port
        self._poll = select.epoll()
        self._readers: dict[int, _Reader] = {}
        self._heard: list[tuple[float, int, bytes]] = []
        for first in range(0, count, AT_ONCE):
            for wire in [self._open(number) for number in range(first, min(first + AT_ONCE, count))]:
                self._admit(wire)
            self._read_until(time.time() + 0.02)

    def _open(self, number: int) -> socket.socket:
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wire.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        wire.bind((f"127.0.0.{2 + number % ADDRESSES}", 0))
        wire.connect(("127.0.0.1", self._port))
        wire.sendall(b"GET /api/stream HTTP/1.1\r\nHost: race\r\nAccept-Encoding: gzip\r\n\r\n")
        return wire

    def _admit(self, wire: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.recv(1)
        assert head.startswith(b"HTTP/1.1 200"), head
        wire.setblocking(False)
        self._readers[wire.fileno()] = _Reader(wire)
        self._poll.register(wire, select.EPOLLIN)

    def _read_until(self, end: float) -> None:
        while (wait := end - time.time()) > 0:
            for number, _ in self._poll.poll(wait, 1024):
                self._read(self._readers[number])

    def _read(self, reader: _Reader) -> None:
        data = reader.wire.recv(READ_AT_ONCE)
        if not data:
            raise RuntimeError("the server has closed a reader's connection")
        for size, tail in reader.take(data):
            self._heard.append((time.time(), size, tail))

    def lags_ms(self, seconds: float) -> tuple[np.ndarray, int]:
        """(milliseconds of each message and reader, messages that were published) over so much time."""
        self._read_until(time.time() + SETTLING_S)
        published = _Witness(self._port)
        published.read_until(time.time() + SETTLING_S, self._read_until)
        self._heard.clear()
        begin = time.time()
        published.read_until(begin + seconds, self._read_until)
        known = {key: at for key, at in published.known.items() if at >= begin}
        self._read_until(time.time() + SETTLING_S)  # who is last is told in this time, or counts as not told
        lags = [heard - known[size, tail] for heard, size, tail in self._heard if (size, tail) in known]
        return np.array(lags) * 1000, len(known)


class _Witness:
    """A reader who understands what it reads, and so knows when it was published."""

    def __init__(self, port: int) -> None:
        self.known: dict[tuple[int, bytes], float] = {}
        """Unix seconds of publication, by length and last bytes."""
        self._wire = socket.create_connection(("127.0.0.1", port))
        self._wire.sendall(b"GET /api/stream HTTP/1.1\r\nHost: race\r\nAccept-Encoding: gzip\r\n\r\n")
        self._head = b""
        while b"\r\n\r\n" not in self._head:
            self._head += self._wire.recv(1)
        self._packed = b"gzip" in self._head
        self._unpack = zlib.decompressobj(31)
        self._data = b""
        self._wire.setblocking(False)

    def read_until(self, end: float, meanwhile: Callable[[float], None]) -> None:
        """Read now and then, while the others read."""
        while time.time() < end:
            meanwhile(min(end, time.time() + 0.25))
            try:
                while data := self._wire.recv(READ_AT_ONCE):
                    self._data += data
            except BlockingIOError:
                self._learn()

    def _learn(self) -> None:
        while b"\r\n" in self._data:
            head, _, rest = self._data.partition(b"\r\n")
            size = int(head, 16)
            if len(rest) < size + 2:
                return
            message, self._data = rest[:size], rest[size + 2 :]
            text = self._unpack.decompress(message) if self._packed else message
            if found := re.search(rb'"published_ms":([\d.]+)', text):
                self.known[size, message[-TAIL:]] = float(found[1]) / 1000


def _read(port: int, count: int) -> None:
    lags, messages = _Readers(port, count).lags_ms(MEASURED_S)
    missing = np.full(max(messages * count - len(lags), 0), SETTLING_S * 1000)  # left out, or later still
    share, lags = len(lags) / max(messages * count, 1), np.concatenate((lags, missing))
    told = {
        "readers": count,
        "messages": messages,
        "told": round(share, 4),
        "p50_ms": round(float(np.percentile(lags, 50)), 1),
        "p99_ms": round(float(np.percentile(lags, 99)), 1),
        "worst_ms": round(float(lags.max()), 1),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    role, numbers = sys.argv[1], [int(argument) for argument in sys.argv[2:]]
    if role == "read":
        _read(*numbers)
    else:
        uvloop.run({"ours": _ours, "peer": _peer}[role](*numbers))
