"""What a browser may do with our pages: run our own files and nothing else."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.assets import URL

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
ANYWHERE = {"frame-ancestors": "*"}
"""For a page that is made to stand inside other people's pages."""


def content_policy(changes: Mapping[str, str] | None = None) -> str:
    """The value of Content-Security-Policy, with what one page has otherwise."""
    return "; ".join(f"{what} {whence}" for what, whence in (POLICY | dict(changes or {})).items())


HEADERS = {
    "Content-Security-Policy": content_policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
A_YEAR = "public, max-age=31536000, immutable"


class PageHeaders:
    """ASGI middleware: security headers on every answer that has none of its own; hashed assets are kept a year."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add headers to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        hashed = scope["path"].startswith(f"{URL}assets/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                found = message["status"] in (200, 206, 304)
                headers.setdefault("Cache-Control", A_YEAR if hashed and found else "no-cache")
            await send(message)

        await self.app(scope, receive, send_with_headers)


def page_middleware() -> list[Middleware]:
    """For the Mount that holds a page's routes: refusals get the headers too, server-sent events stay uncompressed."""
    return [Middleware(PageHeaders), Middleware(GZipMiddleware, minimum_size=1024), Middleware(ExceptionMiddleware)]
