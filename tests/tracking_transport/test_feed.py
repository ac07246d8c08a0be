"""The feed's stream at its end."""

import asyncio

from starlette.applications import Starlette
from starlette.types import Message
from tracking.feed import Feed, FeedConfig

from infra.workspace import ROOT
from tests.tracking_transport.harness import free_port

STAGE = {
    "edition": 2017,
    "number": 9,
    "start": "Nantua",
    "finish": "Chambéry",
    "race_start": "2017-07-09T12:35+02:00",
    "official_km": 181.5,
    "course": str(ROOT / "stacks/courses/2022-01.geojson"),
}
STREAM = {"type": "http", "method": "GET", "path": "/api/stream", "query_string": b"", "headers": []}


def test_a_stream_ends_in_order_when_the_feed_is_stopped() -> None:
    """Guards against a client that is cut off in the middle of a response, and takes it for a fault."""
    broker = {"url": f"nats://127.0.0.1:{free_port()}", "user": "etape", "password": "x"}
    feed = Feed(FeedConfig.model_validate({"stack": "2017-s09", "health_port": 1, "broker": broker, "stage": STAGE}))
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def watch_and_stop() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(feed.run(stopping))
        watching = asyncio.create_task(Starlette(routes=feed.routes)(dict(STREAM), receive, send))
        while len(sent) < 2:
            await asyncio.sleep(0.01)
        stopping.set()
        await asyncio.gather(running, watching)

    asyncio.run(asyncio.wait_for(watch_and_stop(), 10))
    assert sent[1]["body"].startswith(b"retry: ")
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
