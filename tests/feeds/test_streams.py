"""Streams: who reads them has exactly what the snapshot says, whatever is lost, slow or cut on the way."""

import asyncio
import gzip
import json
import socket
import time
import zlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages.headers import page_middleware
from starlette.applications import Starlette
from starlette.types import Message
from tracking.feed import Feed
from tracking.feeds.channel import RING, Channel, Reader
from tracking.feeds.deltas import applied, delta_of
from tracking.feeds.gzipped import HEAD, Checksum, deflate, following
from tracking.feeds.messages import Message as Told
from tracking.feeds.snapshot import Beside, snapshot_document
from tracking.feeds.views import VIEWS, View, small
from tracking.service import StageConfig
from tracking.transport.wire import encode_states
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.feeds.races import STACK, STAGE, START_MS, Served, config, event, frame

Event = tuple[str, str, Any]


def events(lines: Iterator[str]) -> Iterator[Event]:
    """(event, id, data) of server-sent events."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"])
            fields = {}


@pytest.fixture
def served() -> Iterator[Served]:
    with Served(
        heartbeat_s=0.3, door={"connections_per_address": 60, "head_s": 0.5, "patience_s": 1.0}
    ).running() as it:
        it.show(frame(1))
        yield it


def document(second: int, seed: int, with_event: bool = False) -> Any:
    told = Beside(events=(event(second),) if with_event else ())  # type: ignore[arg-type]
    return snapshot_document(frame(second, seed=seed), StageConfig.model_validate(STAGE), STACK, told)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9999), st.integers(0, 99), st.booleans()), min_size=2, max_size=5))
def test_a_client_that_applies_deltas_has_exactly_the_snapshot(moments: list[tuple[int, int, bool]]) -> None:
    """Guards: a page that drifts away from the race, and is right again only after a reload."""
    documents = [document(*moment) for moment in moments]
    held = documents[0]
    for before, after in zip(documents, documents[1:], strict=False):
        held = applied(held, json.loads(orjson.dumps(delta_of(before, after))))
        assert held == after
        assert orjson.dumps(held, option=orjson.OPT_SORT_KEYS) == orjson.dumps(after, option=orjson.OPT_SORT_KEYS)


def test_a_delta_that_does_not_follow_is_refused() -> None:
    """Guards: a client that applies what it should not, and shows a race that never was."""
    one, two, three = (document(second, 0) for second in (1, 2, 3))
    with pytest.raises(ValueError, match="the delta follows"):
        applied(one, delta_of(two, three))


def test_a_delta_says_only_what_changed() -> None:
    """Guards: deltas that save nothing."""
    one, two = document(1, 0), document(2, 0)
    delta = delta_of(one, two)
    assert "stack" not in delta["race"]
    assert "power_w" not in delta["riders"][0]
    assert "riders_order" not in delta
    assert len(orjson.dumps(delta)) < len(orjson.dumps(two)) / 2


def test_deltas_over_the_wire_give_the_snapshot(served: Served) -> None:
    """Guards: a law that holds in memory and not on the wire."""
    with httpx.stream("GET", f"{served.address}/api/stream?deltas=1", timeout=5) as stream:
        told = events(stream.iter_lines())
        name, _, held = next(told)
        assert name == "snapshot"
        for second in range(2, 6):
            served.show(frame(second, seed=second))
            name, ident, delta = next(told)
            assert (name, ident) == ("delta", str(START_MS + second * 1000))
            held = applied(held, delta)
        assert held == httpx.get(f"{served.address}/api/snapshot").json()


VIEW_LIMIT = 500
"""Bytes a second that a widget may cost its reader, once it has the first second."""


@pytest.mark.parametrize("view", VIEWS)
def test_a_small_page_is_told_little_and_has_all_that_it_shows(served: Served, view: View) -> None:
    """Guards: a widget in a newspaper's page that fetches 198 riders a second; one that is not where the race is."""
    with httpx.stream("GET", f"{served.address}/api/stream?view={view}", timeout=5) as stream:
        told = events(stream.iter_lines())
        name, _, held = next(told)
        assert name == "snapshot"
        for second in range(2, 12):
            served.show(frame(second, seed=second))
            name, ident, delta = next(told)
            assert (name, ident) == ("delta", str(START_MS + second * 1000))
            held = applied(held, delta)
            assert len(deflate(orjson.dumps(delta))) < VIEW_LIMIT
    snapshot = httpx.get(f"{served.address}/api/snapshot").json()
    assert held == json.loads(orjson.dumps(small(snapshot, view)))
    assert [group["name"] for group in held["groups"]] == (
        [group["name"] for group in snapshot["groups"]] if view == "groups" else []
    )
    assert [rider["rider"] for rider in held["riders"]] == (
        [rider["rider"] for rider in snapshot["riders"][:20]] if view == "riders" else []
    )


def test_a_small_page_that_comes_back_is_told_what_it_missed(served: Served) -> None:
    """Guards: a widget that loses its connection and with it some seconds of the race."""
    for second in range(2, 5):
        served.show(frame(second, seed=second))
    headers = {"Last-Event-ID": str(START_MS + 2000)}
    with httpx.stream("GET", f"{served.address}/api/stream?view=groups", headers=headers, timeout=5) as stream:
        told = list(islice(events(stream.iter_lines()), 2))
    assert [(name, data["since_ms"]) for name, _, data in told] == [
        ("delta", START_MS + 2000),
        ("delta", START_MS + 3000),
    ]


def test_a_view_that_nobody_has_is_refused(served: Served) -> None:
    """Guards: a misspelt view that is answered with the whole race."""
    refused = httpx.get(f"{served.address}/api/stream?view=everything")
    assert refused.status_code == 400
    assert "view" in refused.json()["detail"]


def test_who_comes_back_is_told_what_it_missed(served: Served) -> None:
    """Guards: a client that loses its connection and with it some seconds of the race."""
    for second in range(2, 10):
        served.show(frame(second, seed=second))
    headers = {"Last-Event-ID": str(START_MS + 5000)}
    with httpx.stream("GET", f"{served.address}/api/stream?deltas=1", headers=headers, timeout=5) as stream:
        told = list(islice(events(stream.iter_lines()), 4))
    assert [(name, data["since_ms"]) for name, _, data in told] == [
        ("delta", START_MS + second * 1000) for second in (5, 6, 7, 8)
    ]


@pytest.mark.parametrize("seen", ["1", "never", str(START_MS - 10**9)])
def test_who_comes_back_too_late_begins_with_a_snapshot(served: Served, seen: str) -> None:
    """Guards: deltas for a client that has nothing to apply them to."""
    for second in range(2, RING + 10):
        served.show(frame(second))
    with httpx.stream(
        "GET", f"{served.address}/api/stream?deltas=1", headers={"Last-Event-ID": seen}, timeout=5
    ) as stream:
        assert next(events(stream.iter_lines()))[0] == "snapshot"


def test_a_new_run_of_the_race_begins_with_a_snapshot(served: Served) -> None:
    """Guards: deltas across a restart of the race, whose clock may go back."""
    with httpx.stream("GET", f"{served.address}/api/stream?deltas=1", timeout=5) as stream:
        told = events(stream.iter_lines())
        next(told)
        served.show(frame(1, run=2))
        assert next(told)[0] == "snapshot"


def test_who_has_the_newest_waits_for_the_next(served: Served) -> None:
    """Guards: a page that draws the same second again at each reconnection."""
    headers = {"Last-Event-ID": str(START_MS + 1000)}
    with httpx.stream("GET", f"{served.address}/api/stream", headers=headers, timeout=5) as stream:
        told = events(stream.iter_lines())
        served.show(frame(2))
        assert next(told)[1] == str(START_MS + 2000)


def test_a_compressed_stream_is_whole_gzip_to_its_last_byte(served: Served) -> None:
    """Guards: a strict client that takes the end of the feed for a torn stream."""
    with httpx.stream("GET", f"{served.address}/api/stream", headers={"Accept-Encoding": "gzip"}, timeout=5) as stream:
        assert stream.headers["content-encoding"] == "gzip"
        raw = stream.iter_raw()
        packed = [next(raw)]
        for second in (2, 3):
            served.show(frame(second))
            packed.append(next(raw))
        served.stop()
        packed += list(raw)
    text = gzip.decompress(b"".join(packed)).decode()
    idents = [ident for _, ident, _ in events(iter(text.split("\n")))]
    assert idents == [str(START_MS + second * 1000) for second in (1, 2, 3)]


@given(st.lists(st.binary(max_size=3000), max_size=6))
def test_any_messages_make_one_gzip_stream(parts: list[bytes]) -> None:
    """Guards: a checksum that is right only for the sizes that were tried."""
    checksum = Checksum()
    stream = HEAD
    for part in parts:
        stream += deflate(part)
        checksum.add(zlib.crc32(part), len(part), following(len(part)))
    assert gzip.decompress(stream + checksum.tail) == b"".join(parts)


def test_a_plain_stream_ends_in_order_and_beats_while_silent(served: Served) -> None:
    """Guards: a client that is cut off in the middle, and one that waits on a dead line."""
    with httpx.stream(
        "GET", f"{served.address}/api/stream", headers={"Accept-Encoding": "identity"}, timeout=5
    ) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        assert ": alive" in lines
        served.stop()
        assert all(not line or line == ": alive" for line in lines)


def test_who_never_reads_is_dropped_and_the_others_are_told(served: Served) -> None:
    """Guards: memory held for ever by a phone in a tunnel, and a reader that holds up the others."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        deaf.sendall(b"GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        with httpx.stream("GET", f"{served.address}/api/stream", timeout=5) as stream:
            told = events(stream.iter_lines())
            next(told)
            for second in range(2, 30):
                served.show(frame(second, seed=second))
                assert next(told)[1] == str(START_MS + second * 1000)
            deadline = time.monotonic() + 5
            while not served.door.refused["never reads"] and time.monotonic() < deadline:
                time.sleep(0.05)
    assert served.door.refused["never reads"] == 1


def test_who_is_slow_is_told_the_newest_next() -> None:
    """Guards: a slow client that is shown a race of minutes ago, second by second."""

    class Full:
        on_room = on_end = None
        is_full = True
        is_gone = False

    channel, line, told = Channel(10.0), Full(), []
    with Reader(channel, line, lambda message: told.append(message.ident), None) as reader:
        for ident in ("1", "2", "3"):
            channel.publish(Told("state", ident, lambda: (b"{}",)))
            reader.catch_up()
        line.is_full = False
        line.on_room()  # type: ignore[misc]
        reader.catch_up()
    assert told == ["3"]


def test_a_web_socket_tells_the_same(served: Served) -> None:
    """Guards: two ways to follow the race that do not agree."""
    with connect(f"ws://127.0.0.1:{served.port}/api/ws?deltas=1", max_size=None) as wire:
        first = json.loads(wire.recv(5))
        assert first["event"] == "snapshot"
        held = first["data"]
        for second in (2, 3):
            served.show(frame(second, seed=second))
            told = {"event": "alive"}
            while told["event"] == "alive":
                told = json.loads(wire.recv(5))
            assert (told["event"], told["id"]) == ("delta", str(START_MS + second * 1000))
            held = applied(held, told["data"])
        assert held == httpx.get(f"{served.address}/api/snapshot").json()
        served.stop()
        deque(wire, maxlen=0)  # ends without an error where the close was in order
        with pytest.raises(ConnectionClosed, match="1001|1012"):
            wire.recv(5)


def test_a_web_socket_that_talks_too_much_is_closed(served: Served) -> None:
    """Guards: a client that fills the memory with what nobody asked for."""
    with connect(f"ws://127.0.0.1:{served.port}/api/ws", max_size=None) as wire:
        wire.recv(5)
        for _ in range(200):
            wire.send("x" * 1000)
        served.show(frame(2))
        while json.loads(wire.recv(5))["event"] != "state":
            pass


def test_a_page_in_front_of_the_feed_changes_nothing_of_its_streams() -> None:
    """Guards: a page's compression or headers around the feed's own, and streams that wait in a buffer."""
    with Served(middleware=page_middleware()).running() as it:
        it.show(frame(1))
        for encoding in ("gzip", "identity"):
            with httpx.stream(
                "GET", f"{it.address}/api/stream?deltas=1", headers={"Accept-Encoding": encoding}, timeout=5
            ) as stream:
                assert stream.headers.get("content-encoding", "identity") == encoding
                assert stream.headers["x-content-type-options"] == "nosniff"
                told = events(stream.iter_lines())
                next(told)
                it.show(frame(2 if encoding == "gzip" else 3))
                assert next(told)[0] == "delta"
        answer = httpx.get(f"{it.address}/api/snapshot", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.json()["race"]["status"] == "live"


def test_another_server_than_ours_is_told_the_same() -> None:
    """Guards: a feed that works only behind its own door."""

    async def scenario() -> list[bytes]:
        feed = Feed(config(heartbeat_s=0.05))
        app, sent, stopping = Starlette(routes=feed.routes), [], asyncio.Event()

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/api/stream", "query_string": b"", "headers": []}
        running = asyncio.create_task(feed.run(stopping))
        watching = asyncio.create_task(app(scope, receive, send))
        for second in (1, 2):
            feed._show(encode_states(frame(second)))
            await asyncio.sleep(0.2)
        stopping.set()
        await asyncio.gather(running, watching)
        assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        return [message.get("body", b"") for message in sent]

    text = b"".join(asyncio.run(asyncio.wait_for(scenario(), 10))).decode()
    assert [ident for _, ident, _ in events(iter(text.split("\n")))] == [str(START_MS + 1000), str(START_MS + 2000)]
    assert ": alive" in text
