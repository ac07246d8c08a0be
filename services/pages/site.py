"""Serves one page application: first HTML with the snapshot inside, then the built files beside it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pages.assets import read_assets
from pages.filters import FILTERS
from pages.headers import ANYWHERE, content_policy, page_middleware

THEMES = ("night", "day")
_BREAKS_OUT = str.maketrans(
    {
        "<": "\\u003c",
        ">": "\\u003e",
        "&": "\\u0026",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
    }
)


def embedded_json(value: Any) -> Markup:
    """JSON that can stand inside a <script> element: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.translate(_BREAKS_OUT))


class Site:
    """The pages of one package, which has `templates/` and, once built, `static/`."""

    def __init__(self, package: Path) -> None:
        """Raise AssetsMissing where the application was not built."""
        self.static = package / "static"
        self.assets = read_assets(self.static)
        self.templates = Environment(
            loader=FileSystemLoader([package / "templates", Path(__file__).parent / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters.update(FILTERS, embedded_json=embedded_json)

    def page(self, request: Request, template: str, script: str = "index", **context: Any) -> HTMLResponse:
        """Render a template that extends base.html; the reader's theme comes from the cookie that the page sets."""
        html = self._render(template, script, request.cookies.get("theme"), context)
        return HTMLResponse(html, headers={"Cache-Control": "no-store", "Vary": "Cookie"})

    def widget(self, request: Request, template: str, script: str, **context: Any) -> HTMLResponse:
        """As `page`, for anyone's frame; whoever embeds it chooses its theme in the address."""
        html = self._render(template, script, request.query_params.get("theme"), context)
        return HTMLResponse(
            html, headers={"Cache-Control": "no-store", "Content-Security-Policy": content_policy(ANYWHERE)}
        )

    def _render(self, template: str, script: str, theme: str | None, context: dict[str, Any]) -> str:
        chosen = theme if theme in THEMES else None
        return self.templates.get_template(template).render(assets=self.assets[script], theme=chosen, **context)

    def mount(self, routes: Sequence[BaseRoute]) -> Mount:
        """The page's own routes together with its files, with headers and compression around them."""
        files = Mount("/static", StaticFiles(directory=self.static))
        return Mount("/", routes=[*routes, files], middleware=page_middleware())
