"""Serves one page application: first HTML with the snapshot inside, then the built files beside it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from pages.assets import First, read_assets, read_first
from pages.filters import FILTERS
from pages.headers import ANYWHERE, content_policy, page_middleware
from pages.packing import Html, PackedFiles

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
        self.first: First = read_first(self.static)
        self._rendered: dict[tuple[str, str | None], tuple[Any, Html]] = {}
        """The last of each template and theme, with its version."""
        self.templates = Environment(
            loader=FileSystemLoader([package / "templates", Path(__file__).parent / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters.update(FILTERS, embedded_json=embedded_json)

    def page(
        self, request: Request, template: str, script: str = "index", version: Any = None, **context: Any
    ) -> Response:
        """Render a template that extends base.html; the reader's theme comes from the cookie that the page sets.

        `version`: equal for contexts that say the same, which are rendered once for all their readers.
        """
        html = self._html(template, script, request.cookies.get("theme"), version, {**context, "first": self.first})
        policy = content_policy({"style-src": f"'self' {self.first.source}"})
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy, "Vary": "Cookie, Accept-Encoding"}
        return html.response(request.headers, headers)

    def widget(self, request: Request, template: str, script: str, **context: Any) -> Response:
        """As `page`, for anyone's frame: it has styles of its own, and whoever embeds it chooses its theme."""
        html = self._html(template, script, request.query_params.get("theme"), None, {**context, "first": None})
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": content_policy(ANYWHERE)}
        return html.response(request.headers, {**headers, "Vary": "Accept-Encoding"})

    def _html(self, template: str, script: str, theme: str | None, version: Any, context: dict[str, Any]) -> Html:
        chosen = theme if theme in THEMES else None
        known, html = self._rendered.get((template, chosen), (None, None))
        if html is None or version is None or known != version:
            rendering = self.templates.get_template(template)
            html = Html(rendering.render(assets=self.assets[script], theme=chosen, **context))
            self._rendered[template, chosen] = version, html
        return html

    def mount(self, routes: Sequence[BaseRoute]) -> Mount:
        """The page's own routes together with its files, with headers and compression around them."""
        files = Mount("/static", PackedFiles(directory=self.static))
        return Mount("/", routes=[*routes, files], middleware=page_middleware())
