"""Debian's Chromium, driven by Playwright; a page that says anything on its console has failed."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from infra.workspace import ROOT, Toolbox, Workspace

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NO_WEBGL = ("--disable-3d-apis",)
SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""What draws in 3D on a machine without a graphics card."""
OF_THE_DRIVER = "GL Driver Message"
"""What Chromium itself says of drawing without a graphics card; no page can help it."""
AXE = ROOT / "services/pages/web/node_modules/axe-core/axe.min.js"

OpenPage = Callable[..., Page]
"""`open_page(address, width=…, height=…, theme=…, scripts=…, still=…, space=…)`; still pages have no animation, and
pages in space have WebGL."""


def _chromium() -> str | None:
    try:
        chosen = Toolbox.read(Workspace.from_environment()).chromium
    except (OSError, TypeError, ValueError):
        chosen = ""
    return chosen or os.environ.get("ETAPE_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def applications() -> Path:
    """The folder of the services with both page applications built, as set-up leaves it."""
    return ROOT / "services"


Launch = Callable[..., Browser]


@pytest.fixture(scope="package")
def launch() -> Iterator[Launch]:
    """Ends with its folder: while Playwright runs, no other test of the process can start an event loop."""
    chromium = _chromium()
    if chromium is None:
        pytest.fail("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])


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
