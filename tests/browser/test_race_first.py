"""What comes before the race is live on its page: the first paint, and what it weighs."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import Served
from tests.browser.race_pages import groups, transferred

BEFORE_THE_MAP_LIMIT = 500_000


def test_little_is_transferred_before_the_map(race: Served, space: Browser):
    """Guards: a bundle that a bad uplink cannot carry."""
    fetched = transferred(space, race.address)
    assert sum(size for _, size in fetched) <= BEFORE_THE_MAP_LIMIT
    assert {"/static/assets/index-", "/api/timeline", "/api/forecasts"} <= {
        re.sub(r"(index-).*", r"\1", path.removeprefix(race.address)) for path, _ in fetched
    }


def test_the_first_paint_waits_for_no_script(race: Served, open_page: OpenPage, said: list[str]):
    """Guards: a white page until the last of the bundle has come."""
    page = open_page("about:blank")
    page.route("**/*.js", lambda route: route.abort())
    page.goto(race.address, wait_until="commit")
    expect(page.get_by_role("table", name="Groups on the road").locator("tbody tr")).to_have_count(6)
    page.unroute_all(behavior="ignoreErrors")
    assert all("ERR_FAILED" in line for line in said)
    said.clear()


def test_answers_are_compressed_and_guarded(race: Served):
    """Guards: a page that may run what others inject."""
    page = httpx.get(race.address)
    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    script = re.search(r'<script type="module" src="([^"]+)"', page.text)
    assert script
    assert "immutable" in httpx.get(race.address + script[1]).headers["cache-control"]
    assert "immutable" not in httpx.get(race.address + "/static/assets/none.js").headers["cache-control"]


def test_the_first_paint_waits_for_no_styles(race: Served, open_page: OpenPage, said: list[str]):
    """Guards: a page that is white, or without form, until files have come that its first HTML does not need."""
    page = open_page("about:blank")
    page.route(re.compile(r"\.(js|css)$"), lambda route: route.abort())
    page.goto(race.address, wait_until="commit")
    expect(page.locator(".first-bar")).to_have_css("display", "flex")
    expect(page.locator("body")).to_have_css("background-color", "rgb(14, 20, 32)")
    page.unroute_all(behavior="ignoreErrors")
    assert all("ERR_FAILED" in line for line in said)
    said.clear()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_nothing_jumps_when_the_scripts_take_over(race: Served, open_page: OpenPage, width: int, height: int):
    """Guards: a reader who has begun to read, and whose line is somewhere else when the page is live."""
    page = open_page(race.address, width=width, height=height)
    expect(groups(page)).to_have_count(6)
    assert page.evaluate(SHIFTED) < 0.1


SHIFTED = """() => new Promise((told) => {
    let shift = 0
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shift += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
    setTimeout(() => told(shift), 1000)
})"""
"""What Chromium counts of all that has moved since the request (0.1 is good)."""
