"""Who can read the race's pages: any screen, theme, sense and hand."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, barriers
from tests.browser.fake_feed import STAGE, Served
from tests.browser.race_pages import groups

MINUTE_MS = 60_000
STARTED_MS = round(STAGE.race_start.timestamp() * 1000)
PATHS = (
    "/#rider-52",
    f"/?at={STARTED_MS + 60 * MINUTE_MS}",
    "/commentator",
    "/widget?show=groups",
    "/widget?show=profile",
)


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


def test_nothing_moves_by_itself_for_those_who_asked_for_it(race: Served, open_page: OpenPage):
    """Guards: sliding cards and fading figures in spite of prefers-reduced-motion."""
    page = open_page(race.address, still=True)
    expect(groups(page)).to_have_count(6)
    for _ in range(5):
        assert page.evaluate("document.getAnimations().length") == 0
        page.wait_for_timeout(100)


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
