"""What the tests of the race's pages share: where things stand on them, and what they fetch."""

import re

from playwright.sync_api import Browser, Locator, Page


def groups(page: Page):
    return page.get_by_role("list", name="Groups on the road").get_by_role("listitem")


def table(page: Page):
    return page.get_by_role("table", name="Riders").locator("tbody tr")


def transferred(space: Browser, address: str) -> list[tuple[str, int]]:
    """What a browser that can draw it fetched beside the map: path and bytes on the wire, streams left out."""
    context = space.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    network = context.new_cdp_session(page)
    paths: dict[str, str] = {}
    sizes: list[tuple[str, int]] = []
    network.on("Network.requestWillBeSent", lambda sent: paths.setdefault(sent["requestId"], sent["request"]["url"]))
    network.on(
        "Network.loadingFinished", lambda done: sizes.append((paths[done["requestId"]], done["encodedDataLength"]))
    )
    network.send("Network.enable")
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)  # scripts take over once the first HTML is painted
    context.close()
    return [(path, size) for path, size in sizes if not re.search(r"Scene|maplibre|webgl|webgpu", path)]


def banner(page: Page) -> Locator:
    return page.get_by_role("banner")
