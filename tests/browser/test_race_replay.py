"""The past of a race: one bar, from the start to the present."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import STAGE, Served
from tests.browser.race_pages import banner, groups

MINUTE_MS = 60_000
STARTED_MS = round(STAGE.race_start.timestamp() * 1000)


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Moment of the race")


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
