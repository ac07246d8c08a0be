"""The Manage Centre in a real browser, over an estate that is played."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_hub import FAULTS, FakeHub, ServedCentre
from tests.manage.playing import STAGE, Play, graphs

BUNDLE_LIMIT = 300_000
LONGER_THAN_FACTS_ARE_TRUE_S = 20.0


def serve(folder: Path, scale: str) -> ServedCentre:
    hub = FakeHub(Play(graphs(scale)), folder)
    hub.day("rigging", f"{STAGE} is deployed, arrival is being checked")
    hub.day("live", f"{STAGE} is race-ready")
    hub.report()
    hub.centre.judge_now()
    return ServedCentre(hub)


@pytest.fixture
def centre(tmp_path: Path, applications: Path) -> Iterator[ServedCentre]:
    with serve(tmp_path, "small") as served:
        yield served


@pytest.fixture
def full(tmp_path: Path, applications: Path) -> Iterator[ServedCentre]:
    with serve(tmp_path, "full") as served:
        yield served


def region(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def node(page: Page, name: str) -> Locator:
    return region(page, "Estate").locator(f"a.box[href='#node-{name}']")


def cable(page: Page, label: str) -> Locator:
    return region(page, "Estate").locator(f"a.cable[href='#cable-{label}']")


def incidents(page: Page) -> Locator:
    return region(page, "Incidents").locator("ol[aria-label=Incidents] > li")


def test_eighty_nodes_fit_beside_each_other(full: ServedCentre, open_page: OpenPage) -> None:
    """Guards: boxes of the cloud on top of each other, or outside the page."""
    page = open_page(full.address)
    boxes = region(page, "Estate").locator("a.box")
    expect(boxes).to_have_count(80)
    areas = boxes.evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())")
    estate = region(page, "Estate").bounding_box()
    assert estate is not None
    assert all(estate["x"] <= box["left"] and box["right"] <= estate["x"] + estate["width"] for box in areas)
    for index, one in enumerate(areas):
        for other in areas[index + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]


def test_an_estate_that_is_well_says_so_in_words(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: a state that only a colour tells."""
    page = open_page(centre.address)
    expect(region(page, "Incidents")).to_contain_text("no incident")
    expect(node(page, "edge-2")).to_have_accessible_name("edge-2, good")
    expect(region(page, "Sites").get_by_role("listitem").first).to_contain_text(re.compile(r"The truck\s*●?good\s*8/8"))
    expect(page.get_by_role("status")).to_have_text(re.compile("connected"))


def test_a_pulled_cable_is_drawn_listed_and_logged(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: the fault of 2015 on a screen that does not show which cable it is."""
    page = open_page(centre.address)
    expect(cable(page, "T1-07")).to_have_accessible_name(re.compile("T1-07, good"))
    centre.change(FAULTS["cable"])
    expect(incidents(page)).to_have_count(1)
    expect(incidents(page)).to_contain_text(
        "Cable T1-07 is out: edge-2 eno1 ↔ switch-1 port7, no carrier at both ends."
    )
    expect(incidents(page)).to_contain_text("Push in both plugs of T1-07")
    expect(cable(page, "T1-07")).to_have_accessible_name(re.compile("T1-07, bad"))
    assert "7px" in cable(page, "T1-07").locator(".line").evaluate("line => getComputedStyle(line).strokeDasharray")
    expect(region(page, "Estate").locator("svg text").filter(has_text="T1-07")).to_be_visible()
    expect(page.get_by_role("list", name="Log")).to_contain_text("Cable T1-07 is out")


def test_a_mended_cable_leaves_the_incidents_and_stays_in_the_log(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: an alarm that nobody can get rid of, or a fault that leaves no trace."""
    page = open_page(centre.address)
    centre.change(FAULTS["cable"])
    expect(incidents(page)).to_have_count(1)

    def mend(hub: FakeHub) -> None:
        hub.play = Play(graphs("small"))

    centre.change(mend)
    expect(region(page, "Incidents")).to_contain_text("no incident")
    expect(page.get_by_role("list", name="Log")).to_contain_text("Over: Cable T1-07 is out")


def test_a_silent_node_is_hatched_and_unknown_since(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: a map that keeps the last colour of a dead box."""
    page = open_page(f"{centre.address}#node-edge-1")
    centre.change(FAULTS["power"], then_after=LONGER_THAN_FACTS_ARE_TRUE_S)
    expect(incidents(page)).to_contain_text("edge-1 has no power or is down")
    expect(node(page, "edge-1")).to_have_accessible_name("edge-1, unknown")
    assert "gradient" in node(page, "edge-1").evaluate("box => getComputedStyle(box).backgroundImage")
    expect(page.get_by_role("complementary", name="Detail")).to_contain_text(
        re.compile(r"unknown since \d\d:\d\d:\d\d UTC\+2")
    )


def test_a_town_that_is_taken_down_is_followed_to_its_end(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: the page goes blank or red while the trucks are being packed."""
    page = open_page(centre.address)
    centre.change(FAULTS["de-rig"], then_after=LONGER_THAN_FACTS_ARE_TRUE_S)
    expect(region(page, "The day").locator("[aria-current=step]")).to_contain_text("De-rig")
    expect(node(page, "web-1")).to_have_accessible_name("web-1, gone")
    expect(node(page, "edge-1")).to_have_accessible_name("edge-1, good")
    expect(incidents(page)).to_have_count(0)
    centre.change(lambda hub: hub.gone.update(hub.play.graph.nodes))
    centre.change(lambda hub: hub.day("down", f"{STAGE} is gone"), then_after=LONGER_THAN_FACTS_ARE_TRUE_S)
    expect(region(page, "The day").locator("[aria-current=step]")).to_contain_text("Gone")
    expect(node(page, "edge-1")).to_have_accessible_name("edge-1, gone")
    expect(page.get_by_role("list", name="Log")).to_contain_text("machines and cables are being taken away")


def test_an_address_opens_its_element(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: "look at this" by a link that shows something else."""
    page = open_page(f"{centre.address}#cable-T1-07")
    detail = page.get_by_role("complementary", name="Detail")
    expect(detail).to_contain_text("carrier, hears switch-1 port7")
    detail.get_by_role("link", name="edge-2").click()
    expect(page).to_have_url(re.compile("#node-edge-2$"))
    for said in ("10.17.10.22/24", "Relay", "T1-07", "hears switch-1 port7", "0.20 ms off"):
        expect(detail).to_contain_text(said)
    detail.get_by_role("link", name="Relay").click()
    expect(detail).to_contain_text("etape-relay")


def test_everything_can_be_reached_by_keys(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: a page for the mouse only."""
    page = open_page(centre.address)
    detail = page.get_by_role("complementary", name="Detail")
    centre.change(FAULTS["cable"])
    expect(incidents(page)).to_have_count(1)
    page.keyboard.press("j")
    expect(detail).to_contain_text("T1-07")
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("switch-2")
    page.keyboard.press("Enter")
    expect(detail).to_contain_text("switch-2")
    node(page, "gateway-1").focus()
    page.keyboard.press("Enter")
    expect(detail).to_contain_text("gateway-1")
    page.keyboard.press("s")
    expect(region(page, "Estate")).to_contain_text("Broker of readings and states")
    page.keyboard.press("?")
    expect(page.get_by_role("complementary", name="Keys")).to_contain_text("next incident")


def test_a_lost_connection_is_told_and_everything_is_hatched(
    centre: ServedCentre, open_page: OpenPage, said: list
) -> None:
    """Guards: a page that looks well because it hears nothing."""
    page = open_page(centre.address)
    expect(page.get_by_role("status")).to_have_text(re.compile("connected"))
    centre.__exit__()
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"unknown since \d\d:\d\d:\d\d"))
    expect(page.locator("main.stale")).to_be_visible()
    said.clear()


def test_the_page_says_the_same_without_scripts(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: nothing on the screen until a bundle has come over a bad line."""
    centre.change(FAULTS["cable"])
    centre.hub.centre.judge_now()
    page = open_page(centre.address, scripts=False)
    expect(page.get_by_role("table", name="Nodes").get_by_role("row")).to_have_count(27)
    expect(page.get_by_role("table", name="Incidents")).to_contain_text("Cable T1-07 is out")
    expect(page.get_by_role("table", name="Cables")).to_contain_text("edge-2 eno1 ↔ switch-1 port7")
    expect(page.get_by_role("table", name="Services")).to_contain_text("Relay")


@pytest.mark.parametrize("width", [360, 768, 1440, 1920])
@pytest.mark.parametrize("theme", ["night", "day"])
def test_nothing_is_cut_off_at_any_width(centre: ServedCentre, open_page: OpenPage, width: int, theme: str) -> None:
    """Guards: a phone that scrolls sideways."""
    page = open_page(centre.address, width=width, theme=theme)
    expect(node(page, "edge-2")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_fault_moves_nothing(centre: ServedCentre, open_page: OpenPage) -> None:
    """Guards: a click that lands on something else because the page jumped."""
    page = open_page(centre.address)
    expect(node(page, "edge-2")).to_be_visible()
    places = "all => all.map((one) => JSON.stringify(one.getBoundingClientRect()))"
    everything = page.locator("main section, a.box, .sites a")
    before = everything.evaluate_all(places)
    centre.change(FAULTS["cable"])
    expect(incidents(page)).to_have_count(1)
    assert everything.evaluate_all(places) == before


@pytest.mark.parametrize("theme", ["night", "day"])
def test_text_can_be_read(centre: ServedCentre, open_page: OpenPage, theme: str) -> None:
    """Guards: muted words that fade into the background (AA asks for 4.5 to 1)."""
    page = open_page(centre.address, theme=theme)
    ratio = page.evaluate(
        """() => {
            const light = (colour) => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                const [r, g, b] = parts.map((part) => ((part + 0.055) / 1.055) ** 2.4)
                return 0.2126 * r + 0.7152 * g + 0.0722 * b
            }
            const box = document.querySelector('a.box')
            const title = document.querySelector('a.bar .title')
            const [one, other] = [light(getComputedStyle(title).color), light(getComputedStyle(box).backgroundColor)]
            return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
        }"""
    )
    assert ratio >= 4.5


def test_the_stream_begins_with_the_whole_snapshot(centre: ServedCentre) -> None:
    """Guards: a page that reconnects and shows what was before."""
    with httpx.stream("GET", f"{centre.address}/api/stream", timeout=10) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines) == "event: snapshot"
        assert '"edge-2"' in next(lines)


def test_the_page_is_light(centre: ServedCentre) -> None:
    """Guards: a first paint of seconds on the truck's uplink."""
    static = Path(__file__).resolve().parents[2] / "services/manage_centre/static/assets"
    assert sum(file.stat().st_size for file in static.iterdir() if file.suffix in {".js", ".css"}) < BUNDLE_LIMIT
