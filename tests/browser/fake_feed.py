"""A feed that plays a plausible race by the contract of `tracking.feed`, without broker or lab.

python -m tests.browser.fake_feed [PORT]
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from race_centre.page import race_page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from tracking.course import Course, read_course
from tracking.records import RIDER_STATE
from tracking.riders import start_list
from tracking.service import StageConfig
from tracking.snapshot import course_document, snapshot_document
from tracking.wire import RaceStatus, StateFrame

COURSES = Path(__file__).resolve().parents[2] / "stacks/courses"
STAGE = StageConfig.model_validate(
    {
        "edition": 2017,
        "number": 9,
        "start": "Nantua",
        "finish": "Chambéry",
        "race_start": "2017-07-09T11:15:00+02:00",
        "official_km": 181.5,
        "course": COURSES / "2023-09.geojson",
    }
)
HEAD_MS = 11.7
"""Speed of the play, metres a second."""
LOST_RIDER = 219


@dataclass(frozen=True)
class Bunch:
    """A group of the script: how far behind the head it is at the start of the play, and how that changes."""

    size: int
    gap_s: float
    drift: float


SCRIPT = (
    Bunch(6, 0.0, 0.0),
    Bunch(3, 48.0, 0.05),
    Bunch(158, 214.0, -0.2),
    Bunch(22, 331.0, 0.1),
    Bunch(8, 552.0, 0.2),
    Bunch(1, 580.0, 0.2),
)


class FakeFeed:
    """Plays the script from a moment of the race on; silence and an end can be ordered."""

    def __init__(self, course: Course, status: RaceStatus = RaceStatus.LIVE, head_m: float = 118_000.0) -> None:
        self._course = course
        self._status = status
        self._head_m = head_m
        self.silent = False
        """Refuse all streams and end those that run."""
        self.frozen = False
        """Keep the streams open and the race where it is."""
        self.seconds = 0.0
        self.routes = [
            Route("/api/course", lambda request: JSONResponse(self.course())),
            Route("/api/snapshot", lambda request: JSONResponse(self.snapshot())),
            Route("/api/stream", self._stream),
        ]

    def course(self) -> dict[str, Any]:
        """What /api/course answers."""
        return course_document(self._course, STAGE)

    def snapshot(self) -> dict[str, Any]:
        """What /api/snapshot answers at the present second of the play; nothing is known before the start."""
        frame = None if self._status is RaceStatus.WAITING else self._frame()
        return snapshot_document(frame, STAGE, "2017-s09")

    def _frame(self) -> StateFrame:
        clock = STAGE.race_start + timedelta(hours=2.9, seconds=self.seconds)
        now = time.time_ns()
        clock_ms = round(clock.timestamp() * 1000)
        return StateFrame(
            run=1,
            clock_ms=clock_ms,
            ingest_ns=now - 84_000_000,
            published_ns=now,
            status=self._status,
            speed_factor=1.0,
            per_second=594.0,
            readings=120_000,
            duplicates=12,
            late=31,
            riders=self._riders(clock_ms),
        )

    def _riders(self, clock_ms: int) -> np.ndarray:
        """RIDER_STATE (198,) in race order."""
        course = self._course
        group = np.repeat(np.arange(len(SCRIPT)), [bunch.size for bunch in SCRIPT])
        place = np.concatenate([np.arange(bunch.size) for bunch in SCRIPT])
        behind = (
            np.array([max(0.0, bunch.gap_s + bunch.drift * self.seconds) for bunch in SCRIPT])[group] + place * 0.17
        )
        states = np.zeros(len(group), RIDER_STATE)
        states["rider"] = np.roll(start_list(), -7)
        states["time_ms"] = clock_ms
        states["distance_m"] = self._head_m + (self.seconds - behind) * HEAD_MS
        states["to_go_m"] = course.length_m - states["distance_m"]
        for name, column in (("lat", course.lat), ("lon", course.lon), ("gradient", course.gradient)):
            states[name] = np.interp(states["distance_m"], course.distance, column)
        states["speed_ms"] = HEAD_MS + np.sin(group + self.seconds / 20)
        states["position"] = np.arange(1, len(group) + 1)
        states["group"] = group + 1
        states["gap_s"] = behind
        states["gap_m"] = behind * HEAD_MS
        lost = states["rider"] == LOST_RIDER
        states["quality"] = np.where(lost, 2, 0)
        states["seen_ms"] = clock_ms - np.where(lost, 95_000, 400)
        states["gap_s"][lost] = np.nan
        states["lat"][lost] = np.nan
        return states

    async def _stream(self, request: Request) -> Response:
        if self.silent:
            return PlainTextResponse("silent", 503)

        async def events() -> AsyncIterator[str]:
            while not self.silent:
                snapshot = self.snapshot()
                yield f"event: state\nid: {snapshot['race']['clock_ms']}\ndata: {json.dumps(snapshot)}\n\n"
                await asyncio.sleep(0.2)
                self.seconds += not self.frozen

        return StreamingResponse(events(), media_type="text/event-stream")


class Served:
    """The Race Centre over a fake feed, on a port that the kernel chooses."""

    def __init__(self, feed: FakeFeed, port: int = 0) -> None:
        app = Starlette(routes=[race_page(feed)])
        self.feed = feed
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("The server of the fake feed ended before it could serve.")
            time.sleep(0.02)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *error: object) -> None:
        self.feed.silent = True
        self._server.should_exit = True
        self._thread.join(timeout=5)


def the_course() -> Course:
    """The mountain stage that stands in for Nantua → Chambéry."""
    return read_course(STAGE.course)


if __name__ == "__main__":
    with Served(FakeFeed(the_course()), int(sys.argv[1]) if len(sys.argv) > 1 else 8320) as served:
        print(served.address)
        threading.Event().wait()
