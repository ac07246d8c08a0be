"""Debian's Chromium, and how it is started to be driven by Playwright."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from infra.workspace import Toolbox, Workspace

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

Launch = Callable[..., Browser]
"""`launch(*flags)`"""


def chromium() -> str | None:
    """The program: of the toolbox, of ETAPE_CHROMIUM or on PATH; None where there is none."""
    try:
        chosen = Toolbox.read(Workspace.from_environment()).chromium
    except (OSError, TypeError, ValueError):
        chosen = ""
    return chosen or os.environ.get("ETAPE_CHROMIUM") or shutil.which("chromium")


@contextmanager
def launcher() -> Iterator[Launch]:
    """What starts it, as often as one likes; all of them end with this."""
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags])
