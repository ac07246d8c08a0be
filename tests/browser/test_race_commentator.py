"""The commentator's table, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import Served

BELOW_THE_HEADS_PX, ABOVE_THE_BAR_PX = 140, 72


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
