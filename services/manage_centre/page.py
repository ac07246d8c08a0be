"""The page and its data."""

from pathlib import Path

from pages.site import Site
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from manage_centre.centre import Centre


def manage_page(centre: Centre) -> Mount:
    """All routes of the Manage Centre; raise AssetsMissing where its application was not built."""
    site = Site(Path(__file__).parent)

    async def page(request: Request) -> Response:
        return site.page(request, "manage.html", snapshot=centre.snapshot)

    async def snapshot(request: Request) -> JSONResponse:
        return JSONResponse(centre.snapshot)

    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(centre.events(), media_type="text/event-stream")

    return site.mount([Route("/", page), Route("/api/snapshot", snapshot), Route("/api/stream", stream)])
