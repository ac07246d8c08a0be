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

OpenPage = Callable[..., Page]
"""`open_page(address, width=…, height=…, theme=…, scripts=…, still=…)`; still pages have no animation."""


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


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with its folder: while Playwright runs, no other test of the process can start an event loop."""
    chromium = _chromium()
    if chromium is None:
        pytest.fail("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def said() -> list[str]:
    """What the pages of this test said on their consoles; a test that expects words empties it."""
    return []


@pytest.fixture
def open_page(browser: Browser, applications: Path, said: list[str]) -> Iterator[OpenPage]:
    contexts = []

    def opened(
        address: str,
        width: int = 1440,
        height: int = 900,
        theme: str = "night",
        scripts: bool = True,
        still: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "night" else "light",
            reduced_motion="reduce" if still else "no-preference",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
