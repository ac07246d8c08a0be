"""A race in hand: frames made up for a feed, without broker or processor."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from tracking.briefing.riders import start_list
from tracking.door import Door
from tracking.feed import Feed, FeedConfig
from tracking.feeds.moments import Moments
from tracking.records import RIDER_STATE
from tracking.transport.wire import RaceStatus, StateFrame, encode_states

from infra.workspace import ROOT

STACK = "2017-s09"
STAGE = {
    "edition": 2017,
    "number": 9,
    "start": "Nantua",
    "finish": "Chambéry",
    "race_start": "2017-07-09T12:35:00+02:00",
    "official_km": 181.5,
    "course": str(ROOT / "stacks/courses/2023-09.geojson"),
}
START_MS = 1_499_596_500_000
"""The race's start, Unix milliseconds."""
SIZES = (6, 3, 180, 9)
"""Of the groups on the road."""


def config(**changes: Any) -> FeedConfig:
    """A feed's, with a broker that is not there."""
    broker = {"url": "nats://127.0.0.1:1", "user": "etape", "password": "x"}
    known = {"stack": STACK, "health_port": 0, "listen": "127.0.0.1", "broker": broker, "stage": STAGE}
    return FeedConfig.model_validate({**known, **changes})


def states(second: int, seed: int = 0) -> np.ndarray:
    """RIDER_STATE (198,) at a second of the race: all fields are filled, each rider has something of its own."""
    luck = np.random.default_rng(seed)
    riders = np.zeros(198, RIDER_STATE)
    group = np.repeat(np.arange(len(SIZES)), SIZES)
    place = np.concatenate([np.arange(size) for size in SIZES])
    behind_s = group * 60.0 + place * 0.3 + luck.random(198) * 0.1
    riders["rider"] = np.roll(start_list(), -7)
    riders["time_ms"] = START_MS + second * 1000
    riders["seen_ms"] = riders["time_ms"] - 400
    riders["distance_m"] = np.maximum(50_000 + 12.0 * (second - behind_s), 0.0)
    riders["to_go_m"] = 181_500 - riders["distance_m"]
    riders["lat"] = 46.1 + riders["distance_m"] * 1e-6
    riders["lon"] = 5.6 + riders["distance_m"] * 1e-6
    riders["elevation_m"] = 400 + group * 10
    riders["heading_deg"] = 135
    riders["gradient"] = 0.04
    riders["speed_ms"] = riders["speed_10s_ms"] = riders["speed_average_ms"] = 12.0 + luck.random(198)
    riders["power_w"] = 250
    riders["head_wind_ms"], riders["cross_wind_ms"] = 3.0, -4.0
    riders["position"] = np.arange(1, 199)
    riders["group"], riders["group_id"] = group + 1, 101 + group
    riders["group_position"] = place + 1
    riders["gap_s"], riders["gap_m"] = behind_s - behind_s[0], (behind_s - behind_s[0]) * 12
    riders["gap_previous_s"] = np.diff(behind_s, prepend=np.nan)
    riders["gap_previous_m"] = riders["gap_previous_s"] * 12
    riders["gap_yellow_s"] = riders["gap_yellow_m"] = np.nan
    riders["virtual_rank"] = riders["position"]
    riders["virtual_gap_s"] = behind_s
    return riders


def frame(second: int, run: int = 1, seed: int = 0, **changes: Any) -> StateFrame:
    """The race at one second."""
    known: Mapping[str, Any] = {
        "run": run,
        "clock_ms": START_MS + second * 1000,
        "ingest_ns": 1_700_000_000_000_000_000 + second * 10**9,
        "published_ns": 1_700_000_000_080_000_000 + second * 10**9,
        "status": RaceStatus.LIVE,
        "speed_factor": 1.0,
        "per_second": 594.0,
        "readings": second * 594,
        "duplicates": 3,
        "late": 2,
        "riders": states(second, seed),
    }
    return StateFrame(**{**known, **changes})


class Kept:
    """Moments from the start to the hundredth second."""

    async def span(self) -> tuple[int, int]:
        return START_MS, START_MS + 100_000

    async def at(self, time_ms: int) -> StateFrame | None:
        second = min((time_ms - START_MS) // 1000, 100)
        return frame(second) if second >= 0 else None


class Served:
    """A feed behind its door on loopback, in a thread of its own."""

    def __init__(self, moments: Moments | None = None, middleware: Sequence[Middleware] = (), **changes: Any) -> None:
        self.config = config(**changes)
        self.feed = Feed(self.config, moments)
        self.door = Door(self.config.door)
        self._app = Starlette(routes=[Mount("/", routes=self.feed.routes, middleware=middleware)])
        self._loop = uvloop.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def show(self, shown: StateFrame) -> None:
        """What the processor would publish."""
        self.call(self.feed._show, encode_states(shown))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call something of the feed in its own thread."""

        async def there() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(10)

    def stop(self) -> None:
        """As on SIGTERM."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        http, web_socket = self.door.protocols()
        served = uvicorn.Config(
            self._app,
            http=http,
            ws=web_socket,
            lifespan="off",
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(served)
        serving = asyncio.create_task(server._serve([self._socket]))
        await self.feed.run(self._stopping)
        server.should_exit = True
        await serving

    @contextlib.contextmanager
    def running(self) -> Iterator["Served"]:
        """While it serves."""
        self._thread.start()
        try:
            yield self
        finally:
            self.stop()
            self._thread.join(timeout=10)


def event(second: int, kind: str = "attack") -> dict[str, Any]:
    """As it comes over EVENTS."""
    return {
        "time_ms": START_MS + second * 1000,
        "kind": kind,
        "group_id": 101,
        "other_group_id": None,
        "riders": [8, 9],
        "km_to_go": 118.4,
        "text": "8 and 9 attack.",
    }


def forecast(second: int) -> dict[str, Any]:
    """As it comes over FORECASTS."""
    return {
        "clock_ms": START_MS + second * 1000,
        "km_to_go": 118.4,
        "catch": {
            "probability": 0.8,
            "at_km_to_go": 12.0,
            "in_s": 7200.0,
            "baselines": {"base_rate": 0.9, "chapatte": 1.0},
        },
        "winner": [{"rider": 8, "probability": 0.2}],
        "finish": {
            "median_ms": START_MS + 16_000_000,
            "p10_ms": START_MS + 15_000_000,
            "p90_ms": START_MS + 17_000_000,
        },
        "model": "kinematic",
        "simulated": True,
    }
