"""The Race Centre in a real browser, over a feed that plays a race."""

import itertools
import re

import pytest
from playwright.sync_api import Page, expect
from tracking.course import Course
from tracking.transport.wire import RaceStatus

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import FakeFeed, Served
from tests.browser.race_pages import groups, table


def at_work(page: Page) -> None:
    """The scripts have taken over from the first HTML: the time bar is theirs alone."""
    expect(page.get_by_role("region", name="Time")).to_be_visible()


def test_groups_stand_in_road_order_with_size_gap_and_speed(race: Served, open_page: OpenPage):
    """Guards: a viewer cannot tell who is in front of whom, or by how much."""
    page = open_page(race.address)
    at_work(page)
    expect(groups(page)).to_have_count(6)
    expect(groups(page).nth(0)).to_contain_text(re.compile(r"Breakaway\s*P\s*head\s*6 riders · \d\d km/h"))
    expect(groups(page).nth(2)).to_contain_text(re.compile(r"Peloton\s*G\s*W\s*\+3:\d\d\s*158 riders"))


def test_gaps_are_drawn_on_one_scale(race: Served, open_page: OpenPage):
    """Guards: bars that only look like a scale; twice the time has to be twice the length."""
    page = open_page(race.address)
    at_work(page)
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
    at_work(page)
    clock = page.get_by_role("banner").locator("time")
    peloton = groups(page).nth(2).locator(".gap-total")
    first, gap = clock.inner_text(), peloton.inner_text()
    expect(clock).not_to_have_text(first)
    expect(peloton).not_to_have_text(gap)
    expect(page.get_by_role("status")).to_have_text(re.compile("connected"))


def test_profile_and_plan_carry_every_rider_and_group(race: Served, open_page: OpenPage):
    """Guards: a drawing of the road with nobody on it, or with riders beside it; one has no known place."""
    page = open_page(race.address)
    at_work(page)
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
    at_work(page)

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
    at_work(page)
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
    at_work(page)
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
    at_work(page)
    expect(page.get_by_role("status")).to_have_text(re.compile("connected"))
    race.feed.silent = True
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"unknown since \d\d:\d\d:\d\d UTC"))
    expect(page.locator("main")).to_have_class(re.compile("stale"))
    expect(page.get_by_role("region", name="Time")).to_contain_text("◇ Unknown")
    expect(page.get_by_role("region", name="Time")).not_to_contain_text("Live")
    race.feed.silent = False
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("main")).not_to_have_class(re.compile("stale"))
    assert all("503" in line for line in said)
    said.clear()


def test_a_race_that_stands_still_is_not_taken_for_live(race: Served, open_page: OpenPage):
    """Guards: an open line that repeats the same second for ever, because whoever computes the race is gone."""
    race.feed.frozen = True
    page = open_page(race.address)
    at_work(page)
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
        at_work(page)
        expect(page.get_by_role("banner")).to_contain_text(word)
        if status is RaceStatus.WAITING:
            expect(page.get_by_role("region", name="Groups")).to_contain_text("The race starts at 11:15:00 UTC+2")


def test_a_phone_reads_profile_then_groups_then_riders(race: Served, open_page: OpenPage):
    """Guards: the gaps below 198 rows."""
    page = open_page(race.address, width=390, height=844)
    expect(groups(page)).to_have_count(6)
    tops = [
        page.get_by_role("region", name=name, exact=True).first.bounding_box()["y"]
        for name in ("Profile", "Groups", "Riders")
    ]
    assert tops == sorted(tops)


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


def test_a_forecast_stands_beside_its_history_its_baselines_and_its_record(race: Served, open_page: OpenPage):
    """Guards: a number that looks like knowledge."""
    page = open_page(race.address)
    at_work(page)
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
        at_work(page)
        page.keyboard.press("r")
        page.keyboard.type("rider 13")
        expect(table(page).filter(has_text=re.compile(r"Rider 13(?!\d)"))).to_have_count(1)
        expect(groups(page).nth(1)).to_contain_text("Rider 15")
        page.keyboard.press("Escape")
        page.goto(f"{served.address}/#rider-13")
        card = page.get_by_role("complementary", name="Rider 13")
        expect(card).to_contain_text(re.compile("Rider 13 of .*, Team 2"))
        expect(card.get_by_role("img", name="Polka-dot jersey")).to_be_visible()


def test_a_long_name_leaves_all_bars_on_one_scale(course: Course, open_page: OpenPage):
    """Guards: names over each other; 11 % drawn longer than 19 % because its rider's name is shorter."""
    with Served(FakeFeed(course, named=True)) as served:
        page = open_page(served.address)
        at_work(page)
        rows = page.get_by_role("region", name="Forecast").locator("ol li")
        expect(rows.nth(0)).to_contain_text("Rider 13 of a name")
        boxes = [row.bounding_box() for row in rows.all()]
        bars = [bar.bounding_box() for bar in rows.locator(".chance > span").all()]
    assert all(below["y"] - above["y"] == boxes[0]["height"] for above, below in itertools.pairwise(boxes))
    assert len({bar["x"] for bar in bars}) == 1
    lengths = [bar["width"] for bar in bars]
    assert lengths == sorted(lengths, reverse=True)
