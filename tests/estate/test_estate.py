"""The estates are what the sources say of each year, at both scales and on every day."""

import json
from collections import Counter
from datetime import date

import pytest

from infra.estate.documents import StageDoc
from infra.estate.layers import folders
from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.model import Estate, Layer, SiteKind
from infra.estate.reading import read_stages

EDITIONS = folders(STACKS)
STAGES = [each.stack for each in list_stacks() if each.stage]
TRUCK = {"gateway-1", "switch-1", "switch-2", "edge-1", "edge-2", "edge-3", "storage-1", "display-1"}


@pytest.fixture(scope="module")
def full() -> Estate:
    return load_estate("2017-s09")


@pytest.fixture(scope="module")
def small() -> Estate:
    return load_estate("2017-s09", "small")


def at(estate: Estate, site: str) -> Counter[str]:
    return Counter(node.role for node in estate.nodes if node.site == site)


def test_full_scale_has_eighty_machines_sixty_of_them_cloud_servers(full):
    """The sixty servers of 2017 are what the lab has to show."""
    assert len(full.everything("nodes")) == 80
    servers = at(full, "cloud") - Counter({"fabric": 1})
    assert servers == {"processor": 24, "broker": 2, "archive": 8, "feed": 12, "web": 14}


def test_small_scale_has_a_tenth_of_the_servers_and_one_of_each_kind_at_least(small):
    """Without a feed there is no race to see."""
    assert at(small, "cloud") == {"fabric": 1, "processor": 2, "broker": 1, "archive": 1, "feed": 1, "web": 1}
    assert len(small.everything("nodes")) == 26


def test_small_scale_keeps_all_that_is_not_a_server(full, small):
    """What passes at the small scale has to hold for the truck that goes on the road."""

    def kept(estate: Estate) -> dict:
        servers = {node.name for node in estate.nodes if node.site == "cloud"}
        nodes = [node for node in estate.everything("nodes") if node.name not in servers]
        links = [link for link in estate.everything("links") if not {link.a.node, link.b.node} & servers]
        return {"nodes": nodes, "links": links, "segments": estate.everything("segments"), "core": estate.core}

    assert kept(small) == kept(full)
    assert {node.name for node in small.nodes if node.site == "truck"} == TRUCK


def test_six_places_collaborate(full):
    """Every place sees the same; one that is forgotten sees nothing."""
    sites = {site.name: site for site in full.everything("sites")}
    places = {endpoint.site for endpoint in full.everything("endpoints")}
    assert places == {"truck", "cec", "london", "south-africa", "san-francisco", "melbourne"}
    assert {sites[place].kind for place in places - {"truck"}} == {SiteKind.PLACE}


def test_stage_nine_goes_from_nantua_to_chambery(full):
    """The default stage of every command."""
    stage = full.stage
    assert (stage.start, stage.finish, stage.date) == ("Nantua", "Chambéry", date(2017, 7, 9))
    assert (stage.distance_km, stage.profile) == (181.5, "mountain")


@pytest.mark.parametrize("stack", STAGES)
def test_every_stage_loads_and_plugs_into_the_same_season(stack):
    """On the morning of stage 17 it is too late to learn that it does not load."""
    estate = load_estate(stack)
    assert estate.layer is Layer.STAGE
    assert {site.location for site in estate.sites if site.name == "truck"} == {estate.stage.finish}
    assert estate.core.nodes != ()


@pytest.mark.parametrize("year", ["2015", "2016", "2017", "2018"])
def test_there_are_21_stages_in_order_after_the_core(year):
    """`stage next` goes down this list."""
    stacks = [each for each in list_stacks() if each.edition == int(year)]
    assert [each.stack for each in stacks] == [f"{year}-core", *(f"{year}-s{number:02}" for number in range(1, 22))]
    assert [each.stage.date for each in stacks[1:]] == sorted(each.stage.date for each in stacks[1:])


def test_from_day_to_day_only_the_town_its_handoff_and_the_number_of_servers_change():
    """A machine that changes with the town is a machine that is replaced each morning."""
    monday, tuesday = load_estate("2017-s03", "small"), load_estate("2017-s04", "small")
    tomorrow = {node.name: node for node in tuesday.nodes}
    assert {node.name for node in monday.nodes if node.name not in tomorrow} == {"processor-2"}
    moved = {node.name for node in monday.nodes if tomorrow.get(node.name, node) != node}
    assert moved == {"gateway-1", "fabric-1", "cec-gateway-1"}
    segments = {a.name for a, b in zip(monday.segments, tuesday.segments, strict=True) if a != b}
    assert segments == {"uplink"}
    assert set(monday.links) - set(tuesday.links) == {link for link in monday.links if link.a.node == "processor-2"}


def test_the_season_alone_is_what_every_day_finds():
    """A core that changed with the stage would be redeployed each morning; only its router learns the way."""
    core, on_the_day = load_estate("2017-core"), load_estate("2017-s09").core
    changed = {a.name for a, b in zip(core.nodes, on_the_day.nodes, strict=True) if a != b}
    assert changed == {"wan-1"}
    assert core.links == on_the_day.links
    assert core.segments == on_the_day.segments


def test_names_of_interfaces_fit_the_kernel(full):
    """Linux refuses names of more than 15 characters, at deploy time and without much explanation."""
    nodes = full.everything("nodes")
    names = {name for node in nodes for name in (*node.ports, *(interface.name for interface in node.interfaces))}
    assert max(map(len, names)) <= 15


def test_labels_are_printed_once(full):
    """A verdict names a cable by its label."""
    labels = [link.label for link in full.everything("links")]
    assert len(set(labels)) == len(labels)


def test_every_service_runs_where_the_role_that_configures_it_applies(full):
    """A service on a machine without its role is never installed."""
    for service in full.everything("services"):
        assert service.role in full.node(service.node).roles


def test_mountains_get_more_processor_and_a_long_day_more_memory():
    """A stage that breaks the peloton into groups ran out of processor before its end."""

    def limits(stack: str):
        return next(s.limits for s in load_estate(stack).services if s.name == "processor")

    flat, mountain, long_mountain = limits("2017-s21"), limits("2017-s13"), limits("2017-s12")
    assert mountain.cpu_percent > flat.cpu_percent
    assert long_mountain.memory_mb > mountain.memory_mb


def test_a_stand_in_has_the_stages_profile_and_the_nearest_length():
    """A flat day raced over mountains shows nothing of what the day will be."""
    courses = {}
    for path in (STACKS / "courses").glob("*.geojson"):
        courses[path.name] = json.loads(path.read_text(encoding="utf-8"))["features"][0]["properties"]
    profile = {
        "2022-01.geojson": "time trial",
        "2022-04.geojson": "hilly",
        "2022-12.geojson": "mountain",
        "2022-21.geojson": "flat",
        "2023-09.geojson": "mountain",
    }
    assert profile.keys() == courses.keys()
    for stage in (each.stage for each in list_stacks() if each.stage):
        fitting = [name for name in courses if profile[name] == stage.profile]
        assert stage.course == min(fitting, key=lambda name: abs(courses[name]["official_km"] - stage.distance_km))


STARTERS = {"individual time trial": 198, "team time trial": 22 * 5}


@pytest.mark.parametrize("line", [entry.doc for year in EDITIONS for entry in read_stages(STACKS, year)[0]], ids=str)
def test_planned_times_follow_from_distance_and_profile(line: StageDoc):
    """stacks/README.md says how they are computed; a time that was typed in by hand would be taken for official."""
    speed = {"flat": 44, "hilly": 41, "mountain": 37, "time trial": 47}[line.profile]
    minutes = line.distance_km / speed * 60 + STARTERS.get(line.kind, 0)
    assert f"{line.expected_finish:%H:%M}" == "17:30"
    assert abs((line.expected_finish - line.race_start).total_seconds() / 60 - minutes) <= 2.5
    assert (line.race_start - line.opens).total_seconds() == 4 * 3600
    assert (line.pack_up - line.expected_finish).total_seconds() == 2 * 3600
