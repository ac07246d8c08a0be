"""Debian's Chromium, driven by Playwright; a page that says anything on its console has failed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tracking.course import Course

from infra.workspace import ROOT
from tests.browser.chromium import NO_WEBGL, SOFTWARE_WEBGL, Launch, chromium, launcher
from tests.browser.fake_feed import FakeFeed, Served, the_course

OF_THE_DRIVER = "GL Driver Message"
"""What Chromium itself says of drawing without a graphics card; no page can help it."""
AXE = ROOT / "services/pages/web/node_modules/axe-core/axe.min.js"

OpenPage = Callable[..., Page]
"""`open_page(address, width=…, height=…, theme=…, scripts=…, still=…, space=…)`; still pages have no animation, and
pages in space have WebGL."""


@pytest.fixture(scope="session")
def applications() -> Path:
    """The folder of the services with both page applications built, as set-up leaves it."""
    return ROOT / "services"


@pytest.fixture(scope="package")
def launch() -> Iterator[Launch]:
    """Ends with its folder: while Playwright runs, no other test of the process can start an event loop."""
    if chromium() is None:
        pytest.fail("no Chromium: apt-get install chromium")
    with launcher() as launch:
        yield launch


@pytest.fixture(scope="package")
def browser(launch: Launch) -> Iterator[Browser]:
    """A browser that cannot draw in 3D, which is quicker where the processor has to."""
    running = launch(*NO_WEBGL)
    yield running
    running.close()


@pytest.fixture(scope="package")
def space(launch: Launch) -> Iterator[Browser]:
    """A browser that can draw in 3D."""
    running = launch(*SOFTWARE_WEBGL)
    yield running
    running.close()


@pytest.fixture
def said() -> list[str]:
    """What the pages of this test said on their consoles; a test that expects words empties it."""
    return []


@pytest.fixture
def open_page(
    browser: Browser, applications: Path, said: list[str], request: pytest.FixtureRequest
) -> Iterator[OpenPage]:
    contexts = []

    def hear(line: str) -> None:
        if OF_THE_DRIVER not in line:
            said.append(line)

    def opened(
        address: str,
        width: int = 1440,
        height: int = 900,
        theme: str = "night",
        scripts: bool = True,
        still: bool = True,
        space: bool = False,
    ) -> Page:
        running: Browser = request.getfixturevalue("space") if space else browser
        context = running.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "night" else "light",
            reduced_motion="reduce" if still else "no-preference",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: hear(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="package")
def course() -> Course:
    return the_course()


@pytest.fixture
def race(course: Course, applications: Path) -> Iterator[Served]:
    with Served(FakeFeed(course)) as served:
        yield served


def barriers(page: Page) -> list[str]:
    """What axe finds that keeps people out, as `rule: element`; the rules are WCAG 2.2 A and AA.

    A row that a list or a bar cuts off is no small target: it is whole once it has been scrolled to.
    """
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        """async () => {
            const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
            const { violations } = await axe.run({ runOnly: { type: 'tag', values: tags } })
            const said = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target}: ${node.any[0]?.message}`)
            return violations.flatMap(said).filter((line) => !/partially obscured/.test(line))
        }"""
    )
    return found
