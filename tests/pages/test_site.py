"""What both pages share on the server: data inside HTML, built files, headers, figures."""

import asyncio
import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pages.assets import AssetsMissing, read_assets
from pages.filters import ahead_or_behind, clock, duration, gradient, metres, zone_name
from pages.site import Site, embedded_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A page package with one template and what Vite leaves behind."""
    assets = tmp_path / "static/assets"
    assets.mkdir(parents=True)
    (assets / "index-1.js").write_text("export {}")
    (assets / "index-1.js.br").write_bytes(b"packed with brotli")
    (assets / "index-1.js.gz").write_bytes(gzip.compress(b"export {}"))
    (assets / "first-1.css").write_text("body > p { color: red }\n")
    entry = {"file": "assets/index-1.js", "isEntry": True, "css": ["assets/index-2.css"]}
    widget = {"file": "assets/widget-1.js", "isEntry": True, "imports": ["_a.js", "_b.js"], "dynamicImports": ["_c.js"]}
    shared = {"file": "assets/a-1.js", "css": ["assets/a-2.css"]}
    chunks = {
        "src/parts/first.css": {"file": "assets/first-1.css", "isEntry": True},
        "a.woff2": {"file": "assets/a.woff2"},
        "src/x/index.ts": entry,
        "src/x/widget.ts": widget,
        "_a.js": shared,
        "_b.js": {"file": "assets/b-1.js", "imports": ["_a.js"]},
        "_c.js": {"file": "assets/c-1.js", "css": ["assets/c-2.css"]},
    }
    (tmp_path / "static/manifest.json").write_text(json.dumps(chunks))
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/x.html").write_text(
        '{% extends "base.html" %}{% block first %}{{ name }}{% endblock %}'
        '{% block data %}<script type="application/json">{{ name | embedded_json }}</script>{% endblock %}'
    )
    return tmp_path


Get = Callable[..., httpx.Response]
"""`get(path, **headers)` of the page."""


@pytest.fixture
def get(package: Path) -> Get:
    site = Site(package)

    async def page(request: Request) -> Response:
        return site.page(request, "x.html", name="</script><b>")

    async def widget(request: Request) -> Response:
        return site.widget(request, "x.html", "widget", name="")

    transport = httpx.ASGITransport(Starlette(routes=[site.mount([Route("/", page), Route("/widget", widget)])]))

    async def asked(path: str, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://race") as client:
            return await client.get(path, headers=headers)

    return lambda path, **headers: asyncio.run(asked(path, headers))


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--", "a & b", "\u2028", "Chambéry"])
def test_embedded_data_cannot_end_its_element_and_reads_back_the_same(text: str):
    """Guards: a name from outside that becomes markup in everyone's page."""
    embedded = embedded_json({"name": text})
    assert not set("<>&\u2028") & set(embedded)
    assert json.loads(embedded) == {"name": text}


def test_what_is_shown_is_escaped_as_well(get: Get):
    """Guards: the same name in the tables of the first HTML."""
    html = get("/").text
    assert "<b>" not in html
    assert "&lt;/script&gt;&lt;b&gt;" in html


def test_first_html_names_the_hashed_files(get: Get):
    """Guards: a page that loads the files of an older build."""
    html = get("/").text
    assert '<script type="module" src="/static/assets/index-1.js">' in html
    assert '<link rel="stylesheet" href="/static/assets/index-2.css">' in html
    assert '<link rel="preload" href="/static/assets/a.woff2" as="font"' in html


def test_the_styles_of_the_first_html_stand_in_it_and_are_the_only_ones_that_may(get: Get):
    """Guards: a first paint that waits for another answer; a policy that lets anyone's styles in, or not our own."""
    page, widget = get("/"), get("/widget")
    assert "<style>body > p { color: red }</style>" in page.text
    digest = base64.b64encode(hashlib.sha256(b"body > p { color: red }").digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}';" in page.headers["content-security-policy"]
    assert "<style>" not in widget.text
    assert "style-src 'self';" in widget.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("offered", "encoding", "suffix"), [("gzip, br", "br", ".br"), ("gzip, br;q=0", "gzip", ".gz"), ("*", None, "")]
)
def test_built_files_are_sent_as_the_build_packed_them(
    package: Path, get: Get, offered: str, encoding: str | None, suffix: str
):
    """Guards: a megabyte that is packed anew for each reader, while all others wait."""
    path = "/static/assets/index-1.js"
    sent = get(path, **{"accept-encoding": offered}).headers
    assert sent.get("content-encoding") == encoding
    assert int(sent["content-length"]) == (package / f"{path[1:]}{suffix}").stat().st_size
    assert sent["content-type"].startswith("text/javascript")
    assert "immutable" in sent["cache-control"]


def test_what_says_the_same_is_rendered_once(package: Path):
    """Guards: the same second of the race, rendered and packed for each of a thousand readers."""
    site = Site(package)
    rendered = []

    class Name:
        def __str__(self) -> str:
            rendered.append(1)
            return "someone"

    def page(version: object, cookie: str = "") -> Response:
        scope = {"type": "http", "headers": [(b"accept-encoding", b"gzip"), (b"cookie", cookie.encode())]}
        return site.page(Request(scope), "name.html", version=version, name=Name())

    (package / "templates/name.html").write_text("{{ theme }} {{ name }}")
    assert gzip.decompress(page((1, {"a": 2})).body) == b"None someone"
    assert page((1, {"a": 2})).headers["content-encoding"] == "gzip"
    assert len(rendered) == 1
    assert gzip.decompress(page((1, {"a": 2}), "theme=day").body) == b"day someone"
    page((2, {"a": 2}))
    assert len(rendered) == 3
    page(None), page(None)
    assert len(rendered) == 5


def test_first_html_names_all_that_its_script_imports_at_once(get: Get):
    """Guards: a page without the styles that two pages share; one that fetches what it may never need."""
    html = get("/widget").text
    assert '<script type="module" src="/static/assets/widget-1.js">' in html
    assert [html.count(f'<link rel="modulepreload" href="/static/assets/{name}-1.js">') for name in "abc"] == [1, 1, 0]
    assert '<link rel="stylesheet" href="/static/assets/a-2.css">' in html
    assert "c-2.css" not in html


def test_only_a_widget_stands_in_foreign_frames(get: Get):
    """Guards: a click on our page that somebody else's page leads; a widget that no one can embed."""
    page, widget = (get(at).headers["content-security-policy"] for at in ("/", "/widget?theme=day"))
    assert "frame-ancestors 'none'" in page
    assert widget.endswith("frame-ancestors *")
    assert all("script-src 'self';" in policy for policy in (page, widget))
    assert 'data-theme="day"' in get("/widget?theme=day").text


def test_every_answer_is_guarded_and_only_hashed_files_are_kept(get: Get):
    """Guards: a refusal without the security headers; a missing file that browsers remember for a year."""
    page, file, missing = (get(at) for at in ("/", "/static/assets/index-1.js", "/static/assets/gone.js"))
    assert all("default-src 'none'" in answer.headers["content-security-policy"] for answer in (page, file, missing))
    assert [answer.status_code for answer in (page, file, missing)] == [200, 200, 404]
    assert "immutable" in file.headers["cache-control"]
    assert [answer.headers["cache-control"] for answer in (page, missing)] == ["no-store", "no-cache"]


@pytest.mark.parametrize(("cookie", "shown"), [("day", True), ('"><script>', False), ("", False)])
def test_only_known_themes_reach_the_html(get: Get, cookie: str, shown: bool):
    """Guards: a cookie that writes into the page."""
    html = get("/", cookie=f"theme={cookie}").text
    assert ("data-theme" in html) == shown
    assert "><script>" not in html.partition("<head>")[0]


@pytest.mark.parametrize("manifest", [None, "", "{}", '{"x": {"isEntry": true}}'])
def test_a_page_that_was_not_built_says_how_to_build_it(tmp_path: Path, manifest: str | None):
    """Guards: a KeyError at start instead of a remedy."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(AssetsMissing, match=r"manifest\.json: names no built page application; run `npm install"):
        read_assets(tmp_path)


def test_figures_read_as_they_do_once_the_page_is_live():
    """Guards: values that change their form when scripts take over (see format.test.ts for the same cases)."""
    assert [duration(value) for value in (None, 0, 59.6, 61, 3599, 3661)] == [
        "–",
        "0:00",
        "1:00",
        "1:01",
        "59:59",
        "1:01:01",
    ]
    assert [metres(value) for value in (None, 842.4, 9999, 12_340)] == ["– m", "842 m", "9999 m", "12.3 km"]
    assert [ahead_or_behind(value) for value in (None, -80, 45)] == ["–", "−1:20", "+0:45"]
    assert [gradient(value) for value in (None, -0.052, -0.0001, 0.081)] == ["–", "−5.2", "0.0", "8.1"]
    assert clock("2017-07-09T12:32:05+00:00", "2017-07-09T11:15:00+02:00") == "14:32:05 UTC+2"
    assert [zone_name(timedelta(minutes=offset)) for offset in (0, 120, -330)] == ["UTC", "UTC+2", "UTC−5:30"]
