"""The pages of the race: their first HTML holds the snapshot, so that they say something before and without scripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pages.site import Site
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from tracking.feeds.documents import SnapshotDocument
from tracking.feeds.views import small

SHOWN = ("groups", "profile", "riders")
"""What a widget can show; the first where its address does not say."""


class Feed(Protocol):
    """Where the race comes from."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """/api/course, /api/snapshot and /api/stream, served beside the page."""
        ...

    def course(self) -> Mapping[str, Any]:
        """What /api/course answers."""
        ...

    def start_list(self) -> Mapping[str, Any]:
        """What /api/startlist answers; names are null where riders are numbers."""
        ...

    def snapshot(self) -> SnapshotDocument:
        """What /api/snapshot answers; its status is `waiting` until a state has come."""
        ...


def race_page(feed: Feed) -> Mount:
    """All routes of the Race Centre; raise AssetsMissing where its application was not built."""
    site = Site(Path(__file__).parent)

    def page(request: Request, name: str, script: str) -> Response:
        told = {"startlist": feed.start_list(), "snapshot": feed.snapshot()}
        return site.page(request, name, script, version=told, course=feed.course(), **told)

    async def race(request: Request) -> Response:
        return page(request, "race.html", "index")

    async def commentator(request: Request) -> Response:
        return page(request, "commentator.html", "commentator")

    async def widget(request: Request) -> Response:
        show = request.query_params.get("show", SHOWN[0])
        if show not in SHOWN:
            return PlainTextResponse(f"show={show}: this widget shows {', '.join(SHOWN)}.\n", 400)
        snapshot = feed.snapshot()
        told = small(snapshot, "riders" if show == "riders" else "groups")
        course = feed.course() if show == "profile" else None
        return site.widget(
            request, "widget.html", "widget", show=show, course=course, race=snapshot["race"], snapshot=told
        )

    routes = [Route("/", race), Route("/commentator", commentator), Route("/widget", widget)]
    return site.mount([*routes, *feed.routes])
