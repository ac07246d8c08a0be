"""The Race Centre in a real browser, over a feed that plays a race."""

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tracking.course import Course
from tracking.wire import RaceStatus

from tests.browser.conftest import OpenPage, barriers
from tests.browser.fake_feed import STAGE, FakeFeed, Served, the_course

BEFORE_THE_MAP_LIMIT = 500_000
WIDGET_LIMIT = 60_000
MINUTE_MS = 60_000
STARTED_MS = round(STAGE.race_start.timestamp() * 1000)
PATHS = (
    "/#rider-52",
    f"/?at={STARTED_MS + 60 * MINUTE_MS}",
    "/commentator",
    "/widget?show=groups",
    "/widget?show=profile",
)
BELOW_THE_HEADS_PX, ABOVE_THE_BAR_PX = 140, 72


@pytest.fixture(scope="module")
def course() -> Course:
    return the_course()


@pytest.fixture
def race(course: Course, applications: Path) -> Iterator[Served]:
    with Served(FakeFeed(course)) as served:
        yield served


def groups(page: Page):
    return page.get_by_role("list", name="Groups on the road").get_by_role("listitem")


def table(page: Page):
    return page.get_by_role("table", name="Riders").locator("tbody tr")


def test_groups_stand_in_road_order_with_size_gap_and_speed(race: Served, open_page: OpenPage):
    """Guards: a viewer cannot tell who is in front of whom, or by how much."""
    page = open_page(race.address)
    expect(groups(page)).to_have_count(6)
    expect(groups(page).nth(0)).to_contain_text(re.compile(r"Breakaway\s*P\s*head\s*6 riders · \d\d km/h"))
    expect(groups(page).nth(2)).to_contain_text(re.compile(r"Peloton\s*G\s*W\s*\+3:\d\d\s*158 riders"))


def test_gaps_are_drawn_on_one_scale(race: Served, open_page: OpenPage):
    """Guards: bars that only look like a scale; twice the time has to be twice the length."""
    page = open_page(race.address)
    measured = page.evaluate(
        """() => [...document.querySelectorAll('.gap')].map((gap) => {
            const [minutes, seconds] = gap.querySelector('.figure').textContent.split(':').map(Number)
            return gap.querySelector('.bar').getBoundingClientRect().height / (minutes * 60 + seconds)
        })"""
    )
    assert len(measured) == 5
    assert max(measured) - min(measured) < 0.1 * max(measured)


def test_a_page_left_open_goes_on_with_the_race(race: Served, open_page: OpenPage):
    """Guards: a page that shows its first HTML for ever."""
    page = open_page(race.address)
    clock = page.get_by_role("banner").locator("time")
    peloton = groups(page).nth(2).locator(".gap-total")
    first, gap = clock.inner_text(), peloton.inner_text()
    expect(clock).not_to_have_text(first)
    expect(peloton).not_to_have_text(gap)
    expect(page.get_by_role("status")).to_have_text(re.compile("connected"))


def test_profile_and_plan_carry_every_rider_and_group(race: Served, open_page: OpenPage):
    """Guards: a drawing of the road with nobody on it, or with riders beside it; one has no known place."""
    page = open_page(race.address)
    for name in ("Profile", "Course"):
        panel = page.get_by_role("region", name=name, exact=True)
        expect(panel.locator(".rider")).to_have_count(197)
        expect(panel.locator(".disc")).to_have_count(6)
        outer, inner = panel.bounding_box(), panel.locator(".disc.head").bounding_box()
        assert outer["x"] < inner["x"] < outer["x"] + outer["width"]
        assert outer["y"] < inner["y"] < outer["y"] + outer["height"]
    profile = page.get_by_role("region", name="Profile", exact=True)
    expect(profile).to_contain_text("Climb 6")
    expect(profile).to_contain_text("Sprint 1")


def test_following_the_head_brings_the_groups_apart(race: Served, open_page: OpenPage):
    """Guards: a plan on which break and peloton stay one dot."""
    page = open_page(race.address)

    def apart() -> float:
        head, peloton = (page.locator(f".plan .disc.{look} circle").bounding_box() for look in ("head", "peloton"))
        return head["x"] + head["width"] / 2 - peloton["x"] - peloton["width"] / 2

    near = apart()
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Whole course")).to_have_attribute("aria-pressed", "true")
    assert near > 4 * abs(apart())


def test_riders_are_filtered_sorted_and_pinned(race: Served, open_page: OpenPage):
    """Guards: 198 rows in which nobody finds the one they came for; a pin that a reload forgets."""
    page = open_page(race.address)
    expect(table(page)).to_have_count(198)
    page.keyboard.press("r")
    page.keyboard.type("chase")
    expect(table(page)).to_have_count(3)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="No.", exact=True).click()
    expect(table(page).nth(0)).to_contain_text("Dropped")
    page.get_by_role("button", name="Pin rider 101").click()
    expect(table(page).nth(0)).to_contain_text("101")
    page.reload()
    expect(table(page).nth(0)).to_contain_text("101")


def test_search_leads_to_a_rider_by_keys_alone(race: Served, open_page: OpenPage):
    """Guards: a commentator who has to take the mouse."""
    page = open_page(race.address)
    page.keyboard.press("/")
    page.keyboard.type("13")
    expect(page.get_by_role("option").nth(0)).to_contain_text("No. 13")
    page.keyboard.press("Enter")
    card = page.get_by_role("complementary", name="Rider 13")
    expect(card).to_contain_text(re.compile(r"Breakaway.*Speed.*km/h.*Gradient", re.DOTALL))
    assert page.url.endswith("#rider-13")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    assert "#" not in page.url
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.url.endswith("#group-12")
    page.keyboard.press("?")
    expect(page.get_by_role("complementary", name="Keys")).to_contain_text("next group down the road")


def test_an_address_opens_its_rider_even_one_not_seen(race: Served, open_page: OpenPage):
    """Guards: links that only work from inside; a lost rider shown as if he had just been seen."""
    page = open_page(f"{race.address}/#rider-219")
    card = page.get_by_role("complementary", name="Rider 219")
    expect(card).to_contain_text("not seen")
    expect(card).to_contain_text("1:35 ago")
    expect(card).to_contain_text("+–")


def test_a_lost_connection_says_since_when_and_hatches_the_page(race: Served, open_page: OpenPage, said: list[str]):
    """Guards: the last figures of a dead feed taken for the present."""
    page = open_page(race.address)
    expect(page.get_by_role("status")).to_have_text(re.compile("connected"))
    race.feed.silent = True
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"unknown since \d\d:\d\d:\d\d UTC"))
    expect(page.locator("main")).to_have_class(re.compile("stale"))
    race.feed.silent = False
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("main")).not_to_have_class(re.compile("stale"))
    assert all("503" in line for line in said)
    said.clear()


def test_a_race_that_stands_still_is_not_taken_for_live(race: Served, open_page: OpenPage):
    """Guards: an open line that repeats the same second for ever, because whoever computes the race is gone."""
    race.feed.frozen = True
    page = open_page(race.address)
    expect(page.get_by_role("status")).to_have_text(re.compile("connecting"))
    expect(page.get_by_role("alert")).to_contain_text("Connection lost", timeout=15_000)
    page.wait_for_timeout(1500)
    expect(page.get_by_role("alert")).to_contain_text("Connection lost")
    race.feed.frozen = False
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "word"),
    [(RaceStatus.WAITING, "not started"), (RaceStatus.FINISHED, "finished")],
    ids=["waiting", "over"],
)
def test_a_race_that_is_not_live_says_so(course: Course, open_page: OpenPage, status: RaceStatus, word: str):
    """Guards: an empty page before the start, and silence after the finish taken for a fault."""
    with Served(FakeFeed(course, status=status)) as served:
        page = open_page(served.address)
        expect(page.get_by_role("banner")).to_contain_text(word)
        if status is RaceStatus.WAITING:
            expect(page.get_by_role("region", name="Groups")).to_contain_text("The race starts at 11:15:00 UTC+2")


def test_without_scripts_the_first_html_holds_groups_and_riders(race: Served, open_page: OpenPage):
    """Guards: a blank page where scripts are blocked or late."""
    page = open_page(race.address, scripts=False)
    rows = page.get_by_role("table", name="Groups on the road").locator("tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.nth(2)).to_contain_text(re.compile(r"Peloton\s*158"))
    expect(page.get_by_role("table", name="Riders").locator("tbody tr")).to_have_count(198)
    expect(page.get_by_role("main")).to_contain_text("Simulated race over a stand-in course")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024), (1024, 768), (1440, 900), (1920, 1080)])
def test_no_screen_scrolls_sideways(race: Served, open_page: OpenPage, width: int, height: int):
    """Guards: a phone that shows half a table."""
    page = open_page(race.address, width=width, height=height)
    expect(groups(page)).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_reads_profile_then_groups_then_riders(race: Served, open_page: OpenPage):
    """Guards: the gaps below 198 rows."""
    page = open_page(race.address, width=390, height=844)
    expect(groups(page)).to_have_count(6)
    tops = [
        page.get_by_role("region", name=name, exact=True).first.bounding_box()["y"]
        for name in ("Profile", "Groups", "Riders")
    ]
    assert tops == sorted(tops)


@pytest.mark.parametrize("theme", ["night", "day"])
def test_text_has_enough_contrast_in_both_themes(race: Served, open_page: OpenPage, theme: str):
    """Guards: muted words that cannot be read in sunlight (WCAG AA: 4.5 to 1)."""
    page = open_page(race.address, theme=theme)
    expect(groups(page)).to_have_count(6)
    for name in ("--text", "--muted"):
        for ground in ("--background", "--surface", "--raised"):
            assert page.evaluate(CONTRAST, [name, ground]) >= 4.5, f"{name} on {ground}"
    for name in ("--good", "--watch", "--bad", "--unknown", "--focus"):
        assert page.evaluate(CONTRAST, [name, "--surface"]) >= 3, name


CONTRAST = """([text, ground]) => {
    const luminance = (token) => {
        const probe = document.body.appendChild(document.createElement('i'))
        probe.style.color = `var(${token})`
        const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
        probe.remove()
        const [r, g, b] = parts.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const [high, low] = [luminance(text), luminance(ground)].sort((a, b) => b - a)
    return (high + 0.05) / (low + 0.05)
}"""


def test_the_chosen_theme_comes_with_the_next_first_html(race: Served, open_page: OpenPage):
    """Guards: a flash of white in a dark truck at every reload."""
    page = open_page(race.address, theme="night")
    page.get_by_role("button", name="Change to the day theme").click()
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(247, 248, 250)"
    html = page.request.get(race.address).text()
    assert '<html lang="en" data-theme="day">' in html


def test_figures_change_without_moving_anything(race: Served, open_page: OpenPage):
    """Guards: a page that jumps under the pointer once a second."""
    page = open_page(race.address, still=False)
    expect(groups(page)).to_have_count(6)
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shift += entry.value
        }).observe({ type: 'layout-shift' }) }"""
    )
    clock = page.get_by_role("banner").locator("time")
    for _ in range(5):
        expect(clock).not_to_have_text(clock.inner_text())
    assert page.evaluate("window.shift") < 0.01


def transferred(space: Browser, address: str) -> list[tuple[str, int]]:
    """What a browser that can draw it fetched beside the map: path and bytes on the wire, streams left out."""
    context = space.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    network = context.new_cdp_session(page)
    paths: dict[str, str] = {}
    sizes: list[tuple[str, int]] = []
    network.on("Network.requestWillBeSent", lambda sent: paths.setdefault(sent["requestId"], sent["request"]["url"]))
    network.on(
        "Network.loadingFinished", lambda done: sizes.append((paths[done["requestId"]], done["encodedDataLength"]))
    )
    network.send("Network.enable")
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)
    context.close()
    return [(path, size) for path, size in sizes if not re.search(r"Scene|maplibre|webgl|webgpu", path)]


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


def in_space(page: Page) -> Locator:
    """The drawing in 3D, once it is there."""
    expect(page.locator(".space.drawn .scene")).to_be_visible(timeout=60_000)
    return page.get_by_role("group", name=re.compile("Course in 3D"))


@pytest.mark.parametrize("theme", ["night", "day"])
def test_the_course_is_drawn_in_space_with_groups_on_it(race: Served, open_page: OpenPage, theme: str):
    """Guards: an empty canvas; discs beside the road; a map whose worker our content policy stops."""
    page = open_page(race.address, theme=theme, space=True)
    scene = in_space(page)
    expect(scene).to_have_attribute("aria-label", "Course in 3D with 6 groups and 197 riders on it")
    expect(scene.locator(".disc")).to_have_count(6)
    outer, inner = page.locator(".hero").bounding_box(), scene.locator(".disc.head").bounding_box()
    assert outer["x"] < inner["x"] < outer["x"] + outer["width"]
    assert outer["y"] < inner["y"] < outer["y"] + outer["height"]
    for _ in range(20):
        shades = page.evaluate(SHADES, base64.b64encode(page.screenshot(clip=outer)).decode())
        if shades > 2000:
            break
        page.wait_for_timeout(500)
    assert shades > 2000, "pixels of the wall under the road"


SHADES = """async (picture) => {
    const image = new Image()
    image.src = `data:image/png;base64,${picture}`
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
    const pen = canvas.getContext('2d')
    pen.drawImage(image, 0, 0)
    const tokens = [0, 1, 2, 3, 4, 5].map((shade) => {
        const probe = document.body.appendChild(document.createElement('i'))
        probe.style.color = `var(--grade-${shade})`
        const colour = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number)
        probe.remove()
        return colour
    })
    const { data } = pen.getImageData(0, 0, image.width, image.height)
    let found = 0
    for (let at = 0; at < data.length; at += 4)
        if (tokens.some((token) => token.every((part, index) => Math.abs(data[at + index] - part) < 3))) found++
    return found
}"""


def test_a_reader_takes_the_camera_and_gives_it_back(race: Served, open_page: OpenPage):
    """Guards: a camera that pulls back to the head while somebody looks at the last climb."""
    page = open_page(race.address, space=True)
    in_space(page)
    box = page.locator(".hero").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 200, middle[1] - 60, steps=4)
    page.mouse.up()
    follow = page.get_by_role("button", name="Follow the head")
    expect(follow).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="Whole course")).to_have_attribute("aria-pressed", "false")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("m")
    expect(page.get_by_role("group", name=re.compile("Plan of the course"))).to_be_visible()


def test_without_webgl_there_is_a_plan_and_nothing_of_the_map_is_fetched(race: Served, open_page: OpenPage):
    """Guards: a hole in the page of an old machine; a megabyte for a drawing that never comes."""
    page = open_page(race.address)
    expect(page.get_by_role("group", name=re.compile("Plan of the course"))).to_be_visible()
    expect(page.get_by_role("button", name="3D")).to_have_count(0)
    page.wait_for_timeout(1000)
    files = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [file for file in files if "Scene" in file or "maplibre" in file]


def test_nothing_moves_by_itself_for_those_who_asked_for_it(race: Served, open_page: OpenPage):
    """Guards: sliding cards and fading figures in spite of prefers-reduced-motion."""
    page = open_page(race.address, still=True)
    expect(groups(page)).to_have_count(6)
    for _ in range(5):
        assert page.evaluate("document.getAnimations().length") == 0
        page.wait_for_timeout(100)


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Moment of the race")


def banner(page: Page) -> Locator:
    return page.get_by_role("banner")


def test_the_past_is_reached_by_keys_and_left_by_one_button(race: Served, open_page: OpenPage):
    """Guards: a replay that nobody can tell from the race, or that only a mouse leaves."""
    page = open_page(race.address)
    expect(page.get_by_role("region", name="Time")).to_contain_text("Live")
    slider(page).focus()
    page.keyboard.press("Home")
    expect(banner(page)).to_contain_text("replay")
    expect(banner(page).locator("time")).to_contain_text("11:15:00")
    expect(page.locator(".frame")).to_be_visible()
    assert page.locator(".frame").evaluate("(frame) => getComputedStyle(frame).borderColor") == "rgb(255, 212, 0)"
    expect(groups(page)).to_have_count(1)
    assert f"at={STARTED_MS}" in page.url
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator(".frame")).to_have_count(0)
    expect(groups(page)).to_have_count(6)
    assert "at=" not in page.url


def test_events_are_marks_that_lead_to_their_moment(race: Served, open_page: OpenPage):
    """Guards: a scrubber on which nobody finds the attack."""
    page = open_page(race.address)
    marks = page.get_by_role("region", name="Time").get_by_role(
        "button", name=re.compile("Attack|Split|Merge|Catch|Jersey|Withdrawal")
    )
    expect(marks).to_have_count(9)
    page.get_by_role("button", name="Catch, 13:49:00").click()
    expect(banner(page).locator("time")).to_contain_text("13:49:00")
    page.keyboard.press("[")
    expect(banner(page).locator("time")).to_contain_text("13:29:00")
    page.keyboard.press(".")
    expect(banner(page).locator("time")).to_contain_text("13:29:10")
    happened = page.get_by_role("list", name="What happened").get_by_role("listitem")
    expect(happened.first).to_contain_text("Merge")
    page.keyboard.press("l")
    expect(banner(page)).not_to_contain_text("replay")
    expect(happened.first).to_contain_text("Withdrawal")


def test_the_past_plays_as_fast_as_one_likes(race: Served, open_page: OpenPage):
    """Guards: a moment that stands still, or a replay that cannot be stopped."""
    page = open_page(f"{race.address}/?at={STARTED_MS + 60 * MINUTE_MS}")
    clock = banner(page).locator("time")
    expect(clock).to_contain_text("12:15:00")
    page.get_by_label("Speed of the replay").select_option("600")
    page.get_by_role("region", name="Course").click(position={"x": 5, "y": 300})
    page.keyboard.press(" ")
    expect(clock).to_contain_text(re.compile("12:[2-5]"))
    page.keyboard.press(" ")
    stopped = clock.inner_text()
    page.wait_for_timeout(600)
    assert clock.inner_text() == stopped
    page.keyboard.press("+")
    expect(page.get_by_label("Speed of the replay")).to_have_value("3600")


def test_a_moment_that_is_not_kept_is_said_to_be_so(race: Served, open_page: OpenPage, said: list[str]):
    """Guards: a bar that jumps back without a word."""
    page = open_page(f"{race.address}/")
    expect(groups(page)).to_have_count(6)
    page.route("**/api/moments/*", lambda route: route.fulfill(status=404, json={"detail": "nothing is kept"}))
    page.keyboard.press("[")
    expect(page.get_by_role("alert")).to_contain_text("That moment is not kept")
    expect(banner(page)).not_to_contain_text("replay")
    page.unroute_all(behavior="ignoreErrors")
    assert all("404" in line for line in said)
    said.clear()


def test_a_forecast_stands_beside_its_history_its_baselines_and_its_record(race: Served, open_page: OpenPage):
    """Guards: a number that looks like knowledge."""
    page = open_page(race.address)
    panel = page.get_by_role("region", name="Forecast")
    expect(panel).to_contain_text(re.compile(r"Breakaway caught with\s*\d\d %"))
    expect(panel).to_contain_text("from simulated races")
    expect(panel).to_contain_text(re.compile(r"base rate\s*74 %.*Chapatte, 1 min for 10 km\s*100 %", re.DOTALL))
    expect(panel).to_contain_text(re.compile(r"Stage winner\s*13\s*19 %"))
    expect(panel).to_contain_text(re.compile(r"Expected finish\s*15:33:20\s*UTC\+2"))
    expect(panel).to_contain_text("In 200 simulated stages that they had not seen (1400 forecasts)")
    expect(panel.get_by_role("table", name=re.compile("Reliability"))).to_contain_text(re.compile("Came true.*96 %"))
    expect(panel.get_by_role("img", name=re.compile(r"\d\d forecasts, from \d %")).locator("path.own")).to_have_count(1)
    now = panel.locator(".said strong").inner_text()
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(panel.locator(".said strong")).not_to_have_text(now)


def test_a_card_tells_wind_power_gaps_and_what_was_revised(race: Served, open_page: OpenPage):
    """Guards: an estimate taken for a measurement; an amended figure that nobody notices."""
    page = open_page(f"{race.address}/#rider-52")
    card = page.get_by_role("complementary", name="Rider 52")
    expect(card).to_contain_text("revised")
    expect(card).to_contain_text(re.compile(r"Power, estimated\s*≈ \d+\s*W"))
    expect(card).to_contain_text(re.compile(r"km/h\s*(head|tail) \d+ · from the (left|right) \d+"))
    expect(card).to_contain_text(re.compile(r"On yellow\s*−\d:\d\d"))
    expect(card).to_contain_text(re.compile(r"Virtual class\.\s*\d+\.\s*\+"))
    expect(card).to_contain_text(re.compile(r"In group\s*\d+\s*of 158"))
    expect(card).to_contain_text(re.compile(r"Last 10 s.*Average", re.DOTALL))
    page.keyboard.press("p")
    expect(card.get_by_role("button", name="★ Pinned")).to_be_visible()


def test_riders_with_names_are_found_by_them(course: Course, open_page: OpenPage):
    """Guards: a start list that only the feed knows."""
    with Served(FakeFeed(course, named=True)) as served:
        page = open_page(served.address)
        page.keyboard.press("r")
        page.keyboard.type("rider 13")
        expect(table(page).filter(has_text=re.compile(r"Rider 13(?!\d)"))).to_have_count(1)
        expect(groups(page).nth(1)).to_contain_text("Rider 15")
        page.keyboard.press("Escape")
        page.goto(f"{served.address}/#rider-13")
        card = page.get_by_role("complementary", name="Rider 13")
        expect(card).to_contain_text("Rider 13, Team 2")
        expect(card.get_by_role("img", name="Polka-dot jersey")).to_be_visible()


def by_group(page: Page) -> Locator:
    return page.get_by_role("table", name="Riders by group")


@pytest.mark.parametrize("scripts", [True, False], ids=["live", "first HTML"])
def test_a_commentator_reads_every_rider_under_his_group(race: Served, open_page: OpenPage, scripts: bool):
    """Guards: a commentator without WebGL, or without scripts, who has nothing to read from."""
    page = open_page(f"{race.address}/commentator", scripts=scripts)
    heads = by_group(page).get_by_role("rowheader", name=re.compile("rider"))
    expect(heads.nth(0)).to_contain_text(re.compile(r"Breakaway\s*6 riders"))
    expect(heads.nth(2)).to_contain_text(re.compile(r"Peloton\s*158 riders"))
    expect(by_group(page).locator("tbody th[scope=row]")).to_have_count(198)
    expect(by_group(page).locator("tbody").nth(1)).to_contain_text(re.compile(r"Chase 1.*\+0:\d\d", re.DOTALL))


def test_a_commentator_needs_no_mouse(race: Served, open_page: OpenPage):
    """Guards: a hand that leaves the microphone."""
    page = open_page(f"{race.address}/commentator")
    current = by_group(page).locator("tr[aria-current=true] th")
    expect(by_group(page)).to_be_visible()
    page.keyboard.press("3")
    expect(current).to_have_text(re.compile("18"))
    page.keyboard.press("ArrowDown")
    expect(current).to_have_text(re.compile("19"))
    page.keyboard.press("b")
    expect(current).to_have_text(re.compile("15"))
    page.keyboard.press("p")
    expect(current.get_by_label("pinned")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("219")
    page.keyboard.press("Enter")
    expect(current).to_have_text(re.compile("219"))
    box = current.bounding_box()
    assert box["y"] > BELOW_THE_HEADS_PX
    assert box["y"] + box["height"] < 900 - ABOVE_THE_BAR_PX
    page.keyboard.press("?")
    expect(page.get_by_role("complementary", name="Keys")).to_contain_text("that group on the road")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url(f"{race.address}/")


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


@pytest.mark.parametrize("theme", ["night", "day"])
@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_kept_out(race: Served, open_page: OpenPage, path: str, theme: str):
    """Guards: nameless buttons, faint words, tables that a screen reader cannot follow (WCAG 2.2 AA by axe)."""
    page = open_page(f"{race.address}{path}", theme=theme)
    page.wait_for_timeout(1000)
    assert barriers(page) == []


SMALLEST_TEXT = """() => {
    const spoken = [...document.querySelectorAll('main *')].filter((element) =>
        [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
    const read = (element) => element.checkVisibility() && !element.closest('.visually-hidden, svg[role=img]')
    const size = (element) => parseFloat(getComputedStyle(element).fontSize) * element.currentCSSZoom
    return Math.min(...spoken.filter(read).map(size))
}"""


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_a_wall_is_read_from_three_metres(race: Served, open_page: OpenPage, width: int, height: int):
    """Guards: a wall that has to be scrolled, or whose words need someone to step up to it."""
    page = open_page(f"{race.address}/?wall", width=width, height=height)
    expect(groups(page)).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    assert page.evaluate(SMALLEST_TEXT) >= 19 * width / 1920
    page.keyboard.press("w")
    expect(page.get_by_role("region", name="Riders").first).to_be_visible()
