"""Each year is what the sources say of it, and whatever year stands in stacks/ is a whole estate."""

import re
from collections import Counter
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest

from infra.estate.layers import folders
from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.model import Estate, SiteKind

EDITIONS = folders(STACKS)
PATH_OF_A_READING = {"race", "relay", "broker", "forwarder", "recorder", "processor", "archive", "feed", "race_centre"}
CHECKOUT = STACKS.parent
YEARS = re.compile("|".join(EDITIONS))


def roles(estate: Estate, kind: SiteKind) -> Counter[str]:
    """How many machines of each role stand at the sites of a kind."""
    sites = {site.name for site in estate.everything("sites") if site.kind is kind}
    return Counter(node.role for node in estate.everything("nodes") if node.site in sites)


def stages_of(year: str) -> list[str]:
    return [each.stack for each in list_stacks() if each.edition == int(year) and each.stage]


def test_2015_has_separate_servers_storage_and_switches_and_a_hundred_virtual_servers():
    """A truck as in 2017 would show an auditor no difference where the sources tell one."""
    estate = load_estate("2015-s09")
    assert roles(estate, SiteKind.TRUCK) == {"gateway": 1, "switch": 3, "edge": 4, "storage": 2}
    assert roles(estate, SiteKind.CLOUD) - Counter({"fabric": 1}) == {
        "processor": 40, "broker": 4, "archive": 13, "feed": 20, "web": 23
    }  # fmt: skip
    assert sum((roles(estate, SiteKind.CLOUD) - Counter({"fabric": 1})).values()) == 100


def test_2015_joins_servers_and_storage_by_a_network_of_their_own():
    """Storage is its own thing in a traditional data centre, with its own switch."""
    estate = load_estate("2015-s09")
    ends = {end.node for link in estate.links if link.segment == "storage" for end in (link.a, link.b)}
    assert ends == {"gateway-1", "switch-3", "edge-1", "edge-2", "edge-3", "edge-4", "storage-1", "storage-2"}


def test_2016_has_fewer_machines_in_the_truck_and_computes_where_it_stores():
    """Hyperconverged: the same service, in fewer boxes."""
    then, before = load_estate("2016-s12"), load_estate("2015-s12")
    in_truck = [node.role for node in then.nodes if node.site == "truck"]
    assert Counter(in_truck) == {"gateway": 1, "switch": 2, "hyper": 2}
    assert len(in_truck) < len([node for node in before.nodes if node.site == "truck"])
    carried = {service.node for service in then.services if service.name in {"race", "relay", "forwarder", "recorder"}}
    assert carried == {"hyper-1", "hyper-2"}


def test_2016_has_two_trucks_on_one_network_with_prefixes_of_their_own():
    """Two trucks' networks conflicted in 2016, and it was very hard to discover."""
    estate = load_estate("2016-s12")
    trucks = [site.name for site in estate.sites if site.kind is SiteKind.TRUCK]
    assert trucks == ["truck", "truck-2"]
    nets = {
        truck: {
            interface.address.network for node in estate.nodes if node.site == truck for interface in node.interfaces
        }
        for truck in trucks
    }
    assert not any(one.overlaps(other) for one in nets["truck"] for other in nets["truck-2"])
    wan = {link.a.node for link in estate.links if link.b.node == "wan-1"}
    assert {"gateway-1", "gateway-2"} <= wan


@pytest.mark.parametrize(("year", "places"), [("2015", 0), ("2016", 0), ("2017", 6), ("2018", 6)])
def test_the_collaboration_hub_came_in_2017(year, places):
    """Six places collaborate from then on; before, there is none to bring up."""
    assert len(load_estate(f"{year}-s09").everything("endpoints")) == places


def test_2018_is_2017_with_a_security_centre():
    """Whatever else differs would be no part of the toolset."""

    def things(year: str) -> set[str]:
        estate = load_estate(f"{year}-s17")
        return {
            *(node.name for node in estate.everything("nodes") if node.role not in {"processor", "feed", "web"}),
            *(segment.name for segment in estate.everything("segments")),
        }

    assert things("2018") - things("2017") == {"security-1"}
    assert things("2017") - things("2018") == set()
    assert load_estate("2018-core").node("security-1").layer == "core"


@pytest.mark.parametrize("year", EDITIONS)
def test_every_edition_carries_a_reading_from_the_race_to_the_page_at_the_small_scale(year):
    """What the lab brings up has to show a race."""
    for stack in stages_of(year):
        assert {service.name for service in load_estate(stack, "small").everything("services")} >= PATH_OF_A_READING


@pytest.mark.parametrize(("one", "other"), list(combinations(EDITIONS, 2)))
def test_two_editions_share_no_address_of_their_own(one, other):
    """Two years' estates side by side in one network would be 2016's conflict again."""
    handoffs = IPv4Network("100.64.0.0/10")
    mine, theirs = ({*load_estate(f"{year}-core").supernets} - {handoffs} for year in (one, other))
    assert not any(a.overlaps(b) for a in mine for b in theirs)


@pytest.mark.parametrize(
    "place", ["infra/estate", "infra/render", "infra/components", "infra/provider", "infra/program.py"]
)
def test_no_code_knows_a_year(place):
    """Years are data: code that asks for one has to be changed for the next."""
    path = CHECKOUT / place
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert files != []
    found = [f"{file.name}: {line.strip()}" for file in files for line in _code(file) if YEARS.search(line)]
    assert found == []


def _code(file: Path) -> list[str]:
    """Lines without what is told to people: docstrings, comments and examples."""
    text = re.sub(r'"""(?s:.)*?"""', "", file.read_text(encoding="utf-8"))
    return [line.partition("#")[0] for line in text.splitlines()]
