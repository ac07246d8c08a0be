"""What comes before the race is live on its page: the first paint, and what it weighs."""

import re

import httpx
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import Served
from tests.browser.race_pages import transferred

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
