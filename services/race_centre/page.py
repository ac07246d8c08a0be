"""The race's page: its first HTML holds the whole snapshot, so that it says something before and without scripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pages.site import Site
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount, Route


class Feed(Protocol):
    """Where the race comes from."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """/api/course, /api/snapshot and /api/stream, served beside the page."""
        ...

    def course(self) -> Mapping[str, Any]:
        """What /api/course answers."""
        ...

    def snapshot(self) -> Mapping[str, Any]:
        """What /api/snapshot answers; its status is `waiting` until a state has come."""
        ...


def race_page(feed: Feed) -> Mount:
    """All routes of the Race Centre; raise AssetsMissing where its application was not built."""
    site = Site(Path(__file__).parent)

    async def race(request: Request) -> HTMLResponse:
        return site.page(request, "race.html", course=feed.course(), snapshot=feed.snapshot())

    return site.mount([Route("/", race), *feed.routes])
