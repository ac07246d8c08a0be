"""Keys, quotas, and clients that mean harm or make no sense."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking.feeds.keys import LOOK_S, KeyRing, add_key, hash_of
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.feeds.races import Kept, Served, frame

CLIENT = httpx.Client()
DOOR = {"connections": 100, "connections_per_address": 20, "head_s": 0.5, "patience_s": 1.0}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served(Kept(), door=DOOR, gate={"requests_per_minute": 10**6}).running() as it:
        it.show(frame(1))
        yield it


def new_key(file: Path, name: str, **changes: Any) -> str:
    return add_key(file, name, **{"requests_per_minute": 600, "streams": 2, "expires": None, **changes})


def test_a_quota_that_is_used_up_says_when_it_is_not() -> None:
    """Guards: one address that takes the feed from all others, and clients that do not know when to come back."""
    with Served(gate={"requests_per_minute": 3}).running() as it:
        answers = [httpx.get(f"{it.address}/api/snapshot") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 20
        assert re.fullmatch(
            r"3 requests a minute are used up; wait \d+ s, or ask for a key.", answers[3].json()["detail"]
        )
        assert answers[3].headers["access-control-allow-origin"] == "*"
        assert it.feed._gate.counts()["refused"] == {"quota": 1}


def test_a_partner_has_a_quota_of_its_own_in_header_and_query(keys: Path) -> None:
    """Guards: a broadcaster that shares its quota with everybody in its building."""
    key = new_key(keys, "broadcaster")
    with Served(gate={"requests_per_minute": 1, "keys": str(keys)}).running() as it:
        url = f"{it.address}/api/events"
        assert [httpx.get(url).status_code for _ in range(2)] == [200, 429]
        assert httpx.get(url, headers={"X-Api-Key": key}).status_code == 200
        assert httpx.get(url, params={"key": key}).status_code == 200
        assert it.feed._gate.counts()["requests"] == {"anonymous": 1, "broadcaster": 2}


def test_an_unknown_key_is_refused_and_guessing_costs(keys: Path) -> None:
    """Guards: keys that are found by trying."""
    new_key(keys, "broadcaster")
    with Served(gate={"requests_per_minute": 2, "keys": str(keys)}).running() as it:
        tried = [httpx.get(f"{it.address}/api/events", params={"key": f"etape-{n}"}).status_code for n in range(3)]
        assert tried == [401, 401, 429]


def test_streams_at_once_are_bounded_and_freed(keys: Path) -> None:
    """Guards: one client that opens streams without end; a quota that a broken connection keeps."""
    key = new_key(keys, "broadcaster", streams=2)
    with Served(gate={"keys": str(keys)}).running() as it:
        url, headers = f"{it.address}/api/stream", {"X-Api-Key": key}
        with httpx.stream("GET", url, headers=headers), httpx.stream("GET", url, headers=headers):
            refused = httpx.get(url, headers=headers)
            assert refused.status_code == 429
            assert refused.json()["detail"] == "2 streams are open already; close one, or ask for a key."
            assert it.feed._gate.counts()["streams"] == {"anonymous": 0, "broadcaster": 2}
            with pytest.raises(InvalidStatus, match="403"):
                connect(f"ws://127.0.0.1:{it.port}/api/ws?key={key}")
        deadline = time.monotonic() + 5
        while it.feed._gate.streams and time.monotonic() < deadline:
            time.sleep(0.02)
        assert it.feed._gate.streams == 0


def test_keys_are_read_again_when_the_file_changes(keys: Path) -> None:
    """Guards: a restart in the middle of the race to let one more newspaper in, or to shut one out."""
    first = new_key(keys, "first")
    ring = KeyRing(keys)
    assert ring.find(first)
    second = new_key(keys, "second")
    first_again = new_key(keys, "first")
    time.sleep(LOOK_S + 0.05)
    assert [bool(ring.find(key)) for key in (first, second, first_again)] == [False, True, True]


def test_a_broken_file_of_keys_leaves_those_that_were(keys: Path) -> None:
    """Guards: a slip in an editor that locks all partners out."""
    key = new_key(keys, "broadcaster")
    ring = KeyRing(keys)
    assert ring.find(key)
    keys.write_text("{")
    time.sleep(LOOK_S + 0.05)
    assert ring.find(key)
    assert "cannot be read" in ring.trouble


def test_an_expired_key_is_refused(keys: Path) -> None:
    """Guards: last year's partner."""
    key = new_key(keys, "broadcaster", expires=datetime(2017, 7, 24, tzinfo=UTC))
    assert KeyRing(keys).find(key) is None


def test_the_command_prints_a_key_once_and_keeps_only_its_hash(keys: Path) -> None:
    """Guards: keys in a file that is in every backup."""
    command = [sys.executable, "-m", "tracking.feeds.keys", "new", "newspaper", "--file", str(keys), "--streams", "5"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    key = made.stdout.strip()
    document = json.loads(keys.read_text())
    assert key not in keys.read_text()
    assert document["partners"][0]["key_blake2b"] == hash_of(key)
    assert document["partners"][0]["streams"] == 5
    assert os.stat(keys).st_mode & 0o007 == 0
    refused = subprocess.run([*command[:4], "No Name", *command[5:]], capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.startswith("name: string should match pattern")


def test_other_sites_may_read_the_feed(served: Served) -> None:
    """Guards: a partner's page that its readers' browsers do not let in."""
    asked = {"Origin": "https://paper.example", "Access-Control-Request-Headers": "x-api-key"}
    allowed = httpx.options(f"{served.address}/api/snapshot", headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "x-api-key" in allowed.headers["access-control-allow-headers"]


def test_what_is_not_a_question_is_refused_with_a_sentence(served: Served) -> None:
    """Guards: a method that does something nobody has thought of."""
    refused = httpx.post(f"{served.address}/api/snapshot", content=b"x" * 1000)
    assert refused.status_code == 405
    assert refused.json() == {"detail": "POST means nothing here; use GET."}
    assert httpx.head(f"{served.address}/api/snapshot").headers["content-type"] == "application/json"
    assert httpx.head(f"{served.address}/api/stream").headers["content-type"].startswith("text/event-stream")


ABSURD = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(str),
    st.text(max_size=30),
    st.sampled_from(
        ["", "null", "NaN", "1e999", "-0", "0x10", "١٢", "true", "[]", "%00", "../../etc/passwd", "9" * 500]
    ),
)
PATHS = (
    "/api/events",
    "/api/forecasts",
    "/api/timeline",
    "/api/moments/{}",
    "/api/replay",
    "/api/snapshot",
    "/race/stages/{}/route",
    "/race/stages/{}/riderclassification",
    "/api/telemetryCompetitor-{}",
    "/api/pack-{}-9",
    "/api/pack-2017-{}",
    "/api/stage-{}",
    "/api/stage-2017/{}",
    "/api/{}",
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    inside=ABSURD,
    query=st.dictionaries(st.sampled_from(["limit", "from_ms", "to_ms", "speed", "deltas", "key", "x"]), ABSURD),
)
def test_absurd_questions_are_refused_in_words(served: Served, path: str, inside: str, query: dict[str, str]) -> None:
    """Guards: a parameter that nobody has thought of, and a traceback for an answer."""
    answer = CLIENT.get(served.address + path.format(quote(inside, safe="")), params=query)
    assert answer.status_code < 500
    if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
        assert answer.json()["detail"].endswith(".")


def asked(served: Served, data: bytes, within_s: float = 3.0) -> bytes:
    """What a bare connection is answered before it is closed."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=within_s) as wire:
        wire.sendall(data)
        answer = b""
        try:
            while part := wire.recv(65536):
                answer += part
        except ConnectionError:
            pass
        return answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 300_000,
        b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"GET /api/snapshot?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 1000,
    ],
)
def test_a_head_that_is_too_long_or_no_http_is_refused(served: Served, head: bytes) -> None:
    """Guards: memory that a stranger fills with headers."""
    assert asked(served, head)[:10] in (b"HTTP/1.1 4", b"")
    assert httpx.get(f"{served.address}/api/events").status_code == 200


def test_a_long_query_is_refused_with_a_sentence(served: Served) -> None:
    """Guards: parsing what nobody means."""
    refused = httpx.get(f"{served.address}/api/events?x={'y' * 3000}")
    assert refused.status_code == 414
    assert refused.json()["detail"].startswith("The query is longer")


def test_a_head_that_comes_drop_by_drop_is_cut_off(served: Served) -> None:
    """Guards: thousands of connections that never ask (slow loris)."""
    before = served.door.refused["slow head"]
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.port), timeout=0.05) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nX-Drops: ")
        while time.monotonic() - began < 4 and is_open(wire):
            wire.sendall(b"x")
    assert time.monotonic() - began < 3
    assert served.door.refused["slow head"] == before + 1


def is_open(wire: socket.socket) -> bool:
    """Whether the other side has not closed a connection on which it says nothing."""
    try:
        return bool(wire.recv(1))
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_an_address_that_opens_too_many_connections_is_left_outside(served: Served) -> None:
    """Guards: one machine that takes every place."""
    before = served.door.refused["address"]
    wires = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(40)]
    deadline = time.monotonic() + 3
    while served.door.refused["address"] < before + 15 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert served.door.refused["address"] >= before + 15
    assert served.door.connections <= 20
    for wire in wires:
        wire.close()
    while served.door.connections and time.monotonic() < deadline + 3:
        time.sleep(0.02)
    assert httpx.get(f"{served.address}/api/events").status_code == 200
