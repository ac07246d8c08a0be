"""The widget, in a real browser and in other people's pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import Served
from tests.browser.race_pages import transferred

WIDGET_LIMIT = 60_000
ROW_PX = 28


@contextmanager
def broadcaster(folder: Path) -> Iterator[str]:
    """Somebody else's site, which is the folder."""
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}/index.html"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def send_error(self, *refused: Any) -> None:
        """A browser asks for an icon too; an empty answer is no error on its console."""
        self.send_response(204)
        self.end_headers()


def test_a_widget_is_small_and_stands_in_other_peoples_pages(
    race: Served, space: Browser, open_page: OpenPage, tmp_path: Path
):
    """Guards: an empty frame at a broadcaster; a widget as heavy as the page; the page itself in a hostile frame."""
    for show in ("groups", "profile", "riders"):
        fetched = transferred(space, f"{race.address}/widget?show={show}")
        assert sum(size for _, size in fetched) <= WIDGET_LIMIT, fetched
    (tmp_path / "index.html").write_text(
        f'<iframe src="{race.address}/widget?show=groups&theme=day" width="360" height="300"></iframe>'
    )
    with broadcaster(tmp_path) as address:
        frame = open_page(address).frame_locator("iframe")
        rows = frame.get_by_role("table", name="Groups on the road").locator("tbody tr")
        expect(rows).to_have_count(6)
        clock = frame.get_by_role("status")
        expect(clock).not_to_have_text(clock.inner_text())
    policy = httpx.get(f"{race.address}/widget").headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "script-src 'self'" in policy
    refused = httpx.get(f"{race.address}/widget?show=everything")
    assert (refused.status_code, "groups, profile, riders" in refused.text) == (400, True)


@pytest.mark.parametrize("show", ["groups", "riders"])
def test_the_smallest_widget_keeps_each_row_on_one_line(race: Served, open_page: OpenPage, show: str):
    """Guards: a column of 320 px in which names and kilometres break, and rows jump as figures grow."""
    page = open_page(f"{race.address}/widget?show={show}", width=320, height=300)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count({"groups": 6, "riders": 20}[show])
    assert max(row.bounding_box()["height"] for row in rows.all()) < 1.5 * ROW_PX
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(("show", "view"), [("groups", "groups"), ("profile", "groups"), ("riders", "riders")])
def test_a_widget_asks_for_no_more_than_it_shows(race: Served, open_page: OpenPage, show: str, view: str):
    """Guards: 198 riders a second for a column of six groups."""
    page = open_page("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(race.address)))
    page.goto(f"{race.address}/widget?show={show}")
    clock = page.get_by_role("status")
    expect(clock).not_to_have_text(clock.inner_text())
    expect(clock).not_to_have_text(clock.inner_text())
    assert [path for path in asked if path.startswith("/api/")] == [f"/api/stream?view={view}"]
