"""Against a real NATS server: the stream is made, what it kept comes, and the hub may go and come back."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest
from manage_centre.hub import Heard, HubAccess, listen

from tests.tracking_transport.harness import free_port, nats_server


@contextmanager
def running(port: int, store: Path) -> Iterator[None]:
    """A hub with JetStream on that port."""
    config = store / "hub.conf"
    access = "authorization: {user: etape, password: secret}"
    settings = f"listen: 127.0.0.1:{port}", f"jetstream: {{store_dir: {store}}}", access
    config.write_text("\n".join(settings))
    server = subprocess.Popen([nats_server(), "-c", config], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def port() -> int:
    return free_port()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


async def publish(port: int, subject: str, document: dict) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{port}", user="etape", password="secret")
    if subject.startswith("facts"):
        await client.publish(subject, json.dumps(document).encode())
        await client.flush()
    else:
        await client.jetstream().publish(subject, json.dumps(document).encode())
    await client.close()


def test_what_the_stream_kept_comes_again_after_the_hub_was_away(port: int, tmp_path: Path) -> None:
    """Guards: the Manage Centre that was restarted, or whose hub was, knows no estate and no day."""
    heard: list[Heard] = []
    presence: list[bool] = []

    async def story() -> None:
        access = HubAccess(url=f"nats://127.0.0.1:{port}", user="etape", password="secret")
        listening = asyncio.create_task(listen(access, heard.append, presence.append))
        with running(port, tmp_path):
            await until(lambda: True in presence)
            await publish(port, "estate.2017-s09", {"graph": 1})
            await publish(port, "estate.2017-s09", {"graph": 2})
            await publish(port, "day.2017-s09", {"phase": "rigging"})
            await publish(port, "day.2017-s09", {"phase": "live"})
            await publish(port, "facts.2017-s09.edge-2", {"node": "edge-2"})
            await until(lambda: len(heard) == 5)
        await until(lambda: presence[-1] is False)
        first = list(heard)
        heard.clear()
        with running(port, tmp_path):
            await until(lambda: len(heard) == 3)
        listening.cancel()
        assert {(one.kind, one.stack) for one in first} == {
            ("estate", "2017-s09"),
            ("day", "2017-s09"),
            ("facts", "2017-s09"),
        }

    asyncio.run(story())
    assert sorted((one.kind, one.sequence, one.payload) for one in heard) == [
        ("day", 3, b'{"phase": "rigging"}'),
        ("day", 4, b'{"phase": "live"}'),
        ("estate", 2, b'{"graph": 2}'),
    ]
