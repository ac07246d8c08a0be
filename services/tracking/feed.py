"""The feed: the race as JSON and as server-sent events, for pages and for whoever else watches."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Send

from tracking.broker import BrokerConfig, hold
from tracking.service import Health, ServiceConfig, StageConfig, log, main, until
from tracking.snapshot import course_document, snapshot_document
from tracking.stage import stage_course
from tracking.streams import STATES, ensure_stream, states_subject
from tracking.wire import DecodeError, StateFrame, decode_states

RECONNECT_MS = 1000


class FeedConfig(ServiceConfig):
    """feed.json"""

    broker: BrokerConfig
    stage: StageConfig
    heartbeat_s: float = Field(default=10.0, gt=0)
    """A comment is sent to a silent client this often, so that it knows the line is alive."""
    patience_s: float = Field(default=10.0, gt=0)
    """A client that does not take an event for so long is dropped."""


class Feed:
    """The newest state of one race; its routes can be served beside a page's."""

    def __init__(self, config: FeedConfig) -> None:
        """Raises `Mistakes` for a course that cannot be used."""
        course = stage_course(config.stage)
        self._config = config
        self._course = course_document(course, config.stage)
        self._frame: StateFrame | None = None
        self._event: bytes | None = None
        self._changed = asyncio.Event()
        self._connected = self._over = False
        self._corrupt = self._clients = 0
        self.routes = (
            Route("/api/course", self._get_course),
            Route("/api/snapshot", self._get_snapshot),
            Route("/api/stream", self._get_stream),
        )

    def course(self) -> dict[str, Any]:
        """What /api/course answers."""
        return self._course

    def snapshot(self) -> dict[str, Any]:
        """What /api/snapshot answers; its status is `waiting` until a state has come."""
        return snapshot_document(self._frame, self._config.stage, self._config.stack)

    async def health(self) -> Health:
        """Healthy while the broker is there."""
        counts = {
            "clients": self._clients,
            "corrupt": self._corrupt,
            "clock_ms": self._frame.clock_ms if self._frame else None,
        }
        away = f"the broker at {self._config.broker.url} is away"
        return Health(self._connected, "states are served" if self._connected else away, counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the race until stopped; then every stream ends in order, and its client goes elsewhere."""
        await until(stopping, hold([self._config.broker], "feed", self._follow))
        self._over = True
        self._changed.set()

    async def _follow(self, client: Client) -> None:
        js = client.jetstream()
        await ensure_stream(js, STATES)
        subject = states_subject(self._config.stack)
        await client.subscribe(subject, cb=self._hear)
        try:
            last = await js.get_last_msg(STATES, subject)
            self._show(last.data or b"")
        except NotFoundError:
            log("no-state-yet", subject=subject)
        self._connected = True
        try:
            await asyncio.Event().wait()
        finally:
            self._connected = False

    async def _hear(self, message: Msg) -> None:
        self._show(message.data)

    def _show(self, data: bytes) -> None:
        try:
            frame = decode_states(data)
        except DecodeError as error:
            self._corrupt += 1
            log("corrupt-state", reason=str(error))
            return
        shown = self._frame
        if shown and (frame.run, frame.clock_ms) <= (shown.run, shown.clock_ms):
            return
        self._frame, self._event = frame, None
        self._changed.set()
        self._changed = asyncio.Event()

    async def _get_course(self, request: Request) -> Response:
        return Response(json.dumps(self._course), media_type="application/json")

    async def _get_snapshot(self, request: Request) -> Response:
        return Response(json.dumps(self.snapshot()), media_type="application/json")

    async def _get_stream(self, request: Request) -> Response:
        return EventStream(self._events(request.headers.get("last-event-id")), self._config.patience_s)

    async def _events(self, seen: str | None) -> AsyncIterator[bytes]:
        """Each new state as one event, encoded once for all clients; who is slow gets the newest next."""
        self._clients += 1
        try:
            yield f"retry: {RECONNECT_MS}\n\n".encode()
            while not self._over:
                changed, frame = self._changed, self._frame
                if frame is not None and str(frame.clock_ms) != seen:
                    seen = str(frame.clock_ms)
                    yield self._encoded(frame)
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), self._config.heartbeat_s)
                except TimeoutError:
                    yield b": alive\n\n"
        finally:
            self._clients -= 1

    def _encoded(self, frame: StateFrame) -> bytes:
        if self._event is None:
            document = json.dumps(self.snapshot(), separators=(",", ":"))
            self._event = f"id: {frame.clock_ms}\nevent: state\ndata: {document}\n\n".encode()
        return self._event


class EventStream(StreamingResponse):
    """Server-sent events to a client that has to keep up."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], patience_s: float) -> None:
        super().__init__(events, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self._patience_s = patience_s

    async def stream_response(self, send: Send) -> None:
        """End the response when the client does not take what was sent."""

        async def send_in_time(message: Message) -> None:
            await asyncio.wait_for(send(message), self._patience_s)

        try:
            await super().stream_response(send_in_time)
        except TimeoutError:
            log("slow-client-dropped", patience_s=self._patience_s)


if __name__ == "__main__":
    main(FeedConfig, Feed)
