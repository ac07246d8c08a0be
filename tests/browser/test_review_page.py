"""The review's one HTML file in a real browser: it asks nobody for anything and is read by everybody."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra.review.report.formats import render
from tests.browser.conftest import OpenPage
from tests.review.reviews import small

AA = 4.5
# Contrast of a text against the first opaque colour behind it, as WCAG 2 defines it, for every text of the page.
_FAINT = """minimum => {
  const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
  const light = colour => {
    const [r, g, b] = channels(colour).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor
      if (!/^rgba.*, 0\\)$/.test(colour)) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const ratio = (x, y) => (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
  return [...document.querySelectorAll('body *')]
    .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
    .map(each => [each.outerHTML.slice(0, 80), ratio(light(getComputedStyle(each).color), light(behind(each)))])
    .filter(([, contrast]) => contrast < minimum)
}"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as `--output` writes it."""
    path = tmp_path_factory.mktemp("review") / "review.html"
    path.write_text(render(small().document(), "html"))
    return path


@pytest.fixture
def page(file: Path, open_page: OpenPage) -> Page:
    return open_page(file.as_uri())


def test_the_file_stands_alone(file: Path, open_page: OpenPage) -> None:
    """Guards against a page that is empty where there is no network, and against one that tells who reads it."""
    asked: list[str] = []
    page = open_page(file.as_uri(), scripts=False)
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2017-s09")
    assert asked == [file.as_uri()]


def test_hostile_names_are_text(page: Page) -> None:
    """Guards against data that becomes part of the page."""
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    assert page.locator("script").count() == 0


def test_a_screen_reader_finds_its_way(page: Page) -> None:
    """Guards against a page that is only an image of a report."""
    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    tables = page.locator("table")
    headed = page.locator("table:has(thead th[scope=col]):has(tbody th[scope=row])")
    assert tables.count() == headed.count() > 0
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_changes_are_one_key_away(page: Page) -> None:
    """Guards against a first page that has to be tabbed through each time."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "changes"


@pytest.mark.parametrize("theme", ["day", "night"])
def test_every_text_is_readable(file: Path, open_page: OpenPage, theme: str) -> None:
    """Guards against a class or a remark that fades into its background in one of the themes."""
    assert open_page(file.as_uri(), theme=theme).evaluate(_FAINT, AA) == []


def test_a_class_has_a_shape_and_a_word(page: Page) -> None:
    """Guards against classes that only colour tells apart."""
    expect(page.locator(".risks tbody th")).to_have_text(["✖ R4", "■ R3", "▲ R2", "● R1", "○ R0"])


@pytest.mark.parametrize("width", [320, 390, 760, 1440])
def test_nothing_is_beside_the_screen(file: Path, open_page: OpenPage, width: int) -> None:
    """Guards against a value that can only be read by scrolling sideways on a phone."""
    page = open_page(file.as_uri(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_each_value_says_which_side_it_is(file: Path, open_page: OpenPage) -> None:
    """Guards against two values under each other of which one is the old one."""
    page = open_page(file.as_uri(), width=390)
    sides = page.locator(".properties:not(.lone) td").evaluate_all(
        "all => all.map(each => getComputedStyle(each, '::before').content)"
    )
    assert set(sides) == {'attr(data-side) " "'} or {side.strip('" ') for side in sides} == {"Before", "After"}


def test_printed_it_is_black_on_white_and_the_changes_begin_a_page(page: Page) -> None:
    """Guards against a dark page that empties a cartridge, and a first page that is not one."""
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.changes')).breakBefore") == "page"
    assert page.evaluate(_FAINT, AA) == []
    assert page.locator(".skip").is_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF")
