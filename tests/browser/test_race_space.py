"""The course in 3D, and the plan where it cannot be drawn."""

import base64
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_feed import Served


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
