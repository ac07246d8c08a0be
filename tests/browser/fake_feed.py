"""A feed that plays a plausible race by the contract of `tracking.feed`, without broker or lab.

python -m tests.browser.fake_feed [PORT]
"""

import asyncio
import json
import math
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
from tracking.briefing.riders import start_list
from tracking.course import Course, read_course
from tracking.feeds.deltas import DeltaDocument, delta_of
from tracking.feeds.documents import (
    EventDocument,
    ForecastDocument,
    Jersey,
    SmallDocument,
    SnapshotDocument,
    StartListDocument,
    TimelineDocument,
)
from tracking.feeds.snapshot import Beside, course_document, snapshot_document
from tracking.feeds.views import View, small
from tracking.records import RIDER_STATE
from tracking.service import StageConfig
from tracking.transport.wire import RaceStatus, StateFrame

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
STACK = "2017-s09"
HEAD_MS = 11.7
"""Speed of the play, metres a second."""
LOST_RIDER = 219


@dataclass(frozen=True)
class Bunch:
    """A group of the script: how far behind the head it is at the start of the play, and how that changes."""

    identity: int
    size: int
    gap_s: float
    drift: float


SCRIPT = (
    Bunch(7, 6, 0.0, 0.0),
    Bunch(12, 3, 48.0, 0.05),
    Bunch(1, 158, 214.0, -0.2),
    Bunch(15, 22, 331.0, 0.1),
    Bunch(18, 8, 552.0, 0.2),
    Bunch(19, 1, 580.0, 0.2),
)
PELOTON = 2
"""Its place in the script."""
SHOWN_AT_S = 2.9 * 3600
"""Second of the race at which the play begins."""
TOGETHER_UNTIL_S, APART_FROM_S = 1500.0, 5400.0
"""The bunches leave the field one after the other between these seconds of the race."""
SPLIT_FROM_S = 8.0
JERSEYS: dict[Jersey, int] = {"yellow": 1, "green": 111, "polka_dot": 13, "white": 61}
REVISED_RIDER = 52
FAVOURITE = 13
"""Of the forecasts."""
WIND_FROM_DEG, WIND_MS = 300.0, 5.6
TICK_S = 0.2
"""Of a real second, between two events of a stream."""

EVENTS = (
    (1500, "attack", 7, None, (11, 12, 13, 14, 15, 16), "Six riders go."),
    (1740, "split", 7, 1, (), "The breakaway is away."),
    (3300, "attack", 12, None, (17, 18, 19), "Three riders go after them."),
    (4860, "split", 15, 1, (), "22 riders lose the peloton on Climb 4."),
    (6120, "split", 18, 15, (), "Eight riders lose the dropped."),
    (7320, "jersey", 1, None, (13,), "No. 13 is first on Climb 5 and takes the polka-dot jersey."),
    (8040, "merge", 15, 16, (), "A puncture's victims are back among the dropped."),
    (9240, "catch", 1, 20, (21, 22), "Two riders are caught by the peloton."),
    (9900, "withdrawal", 19, None, (198,), "No. 198 has left the race."),
)
"""Second of the race, kind, group, other group, riders, words."""


class FakeFeed:
    """Plays the script from a moment of the race on; silence and an end can be ordered."""

    def __init__(self, course: Course, status: RaceStatus = RaceStatus.LIVE, named: bool = False) -> None:
        self._course = course
        self._status = status
        self._named = named
        self.silent = False
        """Refuse all streams and end those that run."""
        self.frozen = False
        """Keep the streams open and the race where it is."""
        self.seconds = 0.0
        self.routes = [
            Route("/api/course", lambda request: JSONResponse(self.course())),
            Route("/api/startlist", lambda request: JSONResponse(self.start_list())),
            Route("/api/snapshot", lambda request: JSONResponse(self.snapshot())),
            Route("/api/stream", self._stream),
            Route("/api/timeline", lambda request: JSONResponse(self._timeline())),
            Route("/api/forecasts", lambda request: JSONResponse(self._forecasts())),
            Route("/api/moments/{time_ms:int}", self._moment),
            Route("/api/replay", self._replay),
        ]

    def course(self) -> dict[str, Any]:
        """What /api/course answers, with a sprint on the road."""
        return {**course_document(self._course, STAGE), "sprints": [{"name": None, "km": 96.5}]}

    def start_list(self) -> StartListDocument:
        """What /api/startlist answers: numbers, and on request names that are no one's."""
        wears = {number: jersey for jersey, number in JERSEYS.items()}
        riders = [
            {
                "rider": number,
                "name": _name(number) if self._named else None,
                "team": f"Team {number // 10 + 1}" if self._named else None,
                "nationality": None,
                "jerseys": [wears[number]] if number in wears else [],
                "withdrawn_at": None,
            }
            for number in start_list().tolist()
        ]
        return {"riders": riders, "teams": []}

    def snapshot(self) -> SnapshotDocument:
        """What /api/snapshot answers at the present second of the play; nothing is known before the start."""
        if self._status is RaceStatus.WAITING:
            return snapshot_document(None, STAGE, STACK)
        return self._document(SHOWN_AT_S + self.seconds)

    def _document(self, second: float, replay: bool = False) -> SnapshotDocument:
        told = [event for event in self._events() if event["time_ms"] <= _ms(second)]
        forecasts = [_forecast(said) for said in _said_until(second)]
        beside = Beside(
            events=told[::-1],
            forecast=forecasts[-1] if forecasts else None,
            jerseys=JERSEYS,
            since_ms={bunch.identity: _ms(TOGETHER_UNTIL_S) for bunch in SCRIPT},
            replay=replay,
        )
        return snapshot_document(self._frame(second), STAGE, STACK, beside)

    def _frame(self, second: float) -> StateFrame:
        now = time.time_ns()
        return StateFrame(
            run=1,
            clock_ms=_ms(second),
            ingest_ns=now - 84_000_000,
            published_ns=now,
            status=self._status,
            speed_factor=1.0,
            per_second=594.0,
            readings=120_000,
            duplicates=12,
            late=31,
            riders=self._riders(second),
        )

    def _riders(self, second: float) -> np.ndarray:
        """RIDER_STATE (198,) in race order."""
        course = self._course
        bunch = np.repeat(np.arange(len(SCRIPT)), [one.size for one in SCRIPT])
        place = np.concatenate([np.arange(one.size) for one in SCRIPT])
        apart = np.clip((second - TOGETHER_UNTIL_S) / (APART_FROM_S - TOGETHER_UNTIL_S), 0, 1)
        drifted = max(second - SHOWN_AT_S, -600)
        gaps = np.maximum.accumulate([apart * max(0.0, one.gap_s + one.drift * drifted) for one in SCRIPT])
        group = np.concatenate([[0], np.cumsum(np.diff(gaps) > SPLIT_FROM_S)])[bunch]
        behind = gaps[bunch] + place * np.where(bunch == PELOTON, 0.17, 0.6)
        order = np.argsort(behind, kind="stable")
        bunch, group, behind = bunch[order], group[order], behind[order]

        states = np.zeros(len(bunch), RIDER_STATE)
        states["rider"] = np.roll(start_list(), -7)[order]
        states["time_ms"] = _ms(second)
        states["distance_m"] = np.clip((second - behind) * HEAD_MS, 0, course.length_m)
        states["to_go_m"] = course.length_m - states["distance_m"]
        for name, column in (
            ("lat", course.lat),
            ("lon", course.lon),
            ("gradient", course.gradient),
            ("elevation_m", course.elevation),
            ("heading_deg", _headings(course)),
        ):
            states[name] = np.interp(states["distance_m"], course.distance, column)
        speed = HEAD_MS + np.sin(group + second / 20) - 12 * states["gradient"]
        states["speed_ms"], states["speed_10s_ms"] = speed, speed - 0.2
        states["speed_average_ms"] = states["distance_m"] / max(1, second)
        states["power_w"] = np.maximum(0, 150 + 5400 * states["gradient"] + 4 * (speed - HEAD_MS))
        from_deg = np.radians(WIND_FROM_DEG - states["heading_deg"])
        states["head_wind_ms"], states["cross_wind_ms"] = WIND_MS * np.cos(from_deg), -WIND_MS * np.sin(from_deg)
        states["position"] = np.arange(1, len(bunch) + 1)
        states["group"] = group + 1
        leads = [PELOTON if PELOTON in bunch[group == own] else int(np.min(bunch[group == own])) for own in group]
        states["group_id"] = np.array([one.identity for one in SCRIPT])[leads]
        states["group_position"] = [np.sum(group[: index + 1] == own) for index, own in enumerate(group)]
        states["gap_s"], states["gap_m"] = behind, behind * HEAD_MS
        states["gap_previous_s"] = np.diff(behind, prepend=np.nan)
        yellow = states["gap_s"][states["rider"] == JERSEYS["yellow"]]
        states["gap_yellow_s"] = states["gap_s"] - yellow
        lost = states["rider"] == LOST_RIDER
        states["quality"] = np.where(lost, 2, 0)
        states["seen_ms"] = _ms(second) - np.where(lost, 95_000, 400)
        for name in ("gap_s", "lat", "gap_previous_s", "gap_yellow_s", "power_w", "head_wind_ms"):
            states[name][lost] = np.nan
        for name in ("gap_previous", "gap_yellow"):
            states[f"{name}_m"] = states[f"{name}_s"] * HEAD_MS
        classified = np.nan_to_num(states["gap_s"], nan=9999.0) + 30.0 * (states["rider"] * 37 % 199)
        states["virtual_rank"][np.argsort(classified)] = np.arange(1, len(bunch) + 1)
        states["virtual_gap_s"] = classified - classified.min()
        states["revision"] = states["rider"] == REVISED_RIDER
        return states

    def _events(self) -> list[EventDocument]:
        """Oldest first."""
        return [
            {
                "time_ms": _ms(second),
                "kind": kind,
                "group_id": group,
                "other_group_id": other,
                "riders": list(riders),
                "km_to_go": round((self._course.length_m - second * HEAD_MS) / 1000, 1),
                "text": text,
            }
            for second, kind, group, other, riders, text in EVENTS
        ]

    def _timeline(self) -> TimelineDocument:
        return {"from_ms": _ms(0), "to_ms": _ms(SHOWN_AT_S + self.seconds), "events": self._events()}

    def _forecasts(self) -> dict[str, Any]:
        bins = ((0.05, 0.04, 310), (0.25, 0.22, 190), (0.5, 0.53, 170), (0.75, 0.79, 240), (0.95, 0.96, 490))
        scores = {
            "stages": 200,
            "forecasts": 1400,
            "brier": 0.118,
            "skill_over_base_rate": 0.41,
            "skill_over_chapatte": 0.23,
            "log_loss": 0.37,
        }
        reliability = [{"forecast": said, "observed": came, "forecasts": count} for said, came, count in bins]
        said = [_forecast(second) for second in _said_until(SHOWN_AT_S + self.seconds)]
        return {"forecasts": said[::-1], "record": {"catch": {"overall": scores, "reliability": reliability}}}

    async def _moment(self, request: Request) -> Response:
        second = request.path_params["time_ms"] / 1000 - STAGE.race_start.timestamp()
        if not 0 <= second <= SHOWN_AT_S + self.seconds:
            return JSONResponse({"error": "That moment is not kept."}, 404)
        return JSONResponse(self._document(second, replay=True))

    async def _replay(self, request: Request) -> Response:
        speed = float(request.query_params["speed"])
        begin = int(request.query_params["from_ms"]) / 1000 - STAGE.race_start.timestamp()

        async def events() -> AsyncIterator[str]:
            second = begin
            while not self.silent and second <= SHOWN_AT_S + self.seconds:
                yield _event(self._document(second, replay=True))
                await asyncio.sleep(TICK_S)
                second += max(1.0, speed * TICK_S)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _stream(self, request: Request) -> Response:
        if self.silent:
            return PlainTextResponse("silent", 503)

        view: View | None = request.query_params.get("view")  # type: ignore[assignment]

        async def events() -> AsyncIterator[str]:
            told = None
            while not self.silent:
                snapshot = self.snapshot()
                if view is None:
                    yield _event(snapshot)
                else:
                    before, told = told, small(snapshot, view)
                    yield _event(told, "snapshot") if before is None else _event(delta_of(before, told), "delta")
                await asyncio.sleep(TICK_S)
                self.seconds += not self.frozen

        return StreamingResponse(events(), media_type="text/event-stream")


def _name(number: int) -> str:
    """No one's; the favourite's is longer than any column."""
    return f"Rider {number}" + (" of a name that no column of any page was made for" if number == FAVOURITE else "")


def _ms(second: float) -> int:
    """The race clock at that second of the race."""
    return round((STAGE.race_start + timedelta(seconds=round(second))).timestamp() * 1000)


def _event(document: SnapshotDocument | SmallDocument | DeltaDocument, name: str = "state") -> str:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n"


def _headings(course: Course) -> np.ndarray:
    """Of the road at each of its points, degrees clockwise from north."""
    east = np.gradient(course.lon) * np.cos(np.radians(course.lat))
    return np.degrees(np.unwrap(np.arctan2(east, np.gradient(course.lat))))


def _said_until(second: float) -> range:
    """The seconds of the race at which a forecast was made."""
    return range(2400, round(second) + 1, 180)


def _forecast(second: int) -> ForecastDocument:
    """The longer the breakaway is away, the less likely it stays there."""
    wave = 0.06 * math.sin(second / 700)
    favourites = ((FAVOURITE, 0.19), (1, 0.14), (61, 0.11), (16, 0.08), (32, 0.06), (111, 0.03))
    return {
        "clock_ms": _ms(second),
        "km_to_go": round(STAGE.official_km - second * HEAD_MS / 1000, 1),
        "catch": {
            "probability": round(1 / (1 + math.exp((9000 - second) / 2200)) + wave, 3),
            "at_km_to_go": 11.4,
            "in_s": max(0, 14_500 - second),
            "baselines": {"base_rate": 0.74, "chapatte": float(second > 8000)},
        },
        "winner": [{"rider": rider, "probability": chance} for rider, chance in favourites],
        "finish": {"median_ms": _ms(15_500), "p10_ms": _ms(15_270), "p90_ms": _ms(15_800)},
        "model": "made up for this play",
        "simulated": True,
    }


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
