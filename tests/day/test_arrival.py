"""The arrival sheet judges what nodes say against what the estate promises."""

from copy import deepcopy
from datetime import UTC, datetime

import pytest

from infra.day.arrival import Observed, arrival_sheet, as_table
from infra.estate.load import load_estate


@pytest.fixture(scope="module")
def estate():
    return load_estate("2017-s09", "small")


@pytest.fixture
def observed(estate):
    """What every node says when all is as planned."""
    ends = {(end.node, end.port): other for link in estate.everything("links") for end, other in _both(link)}
    return {node.name: Observed(_facts(estate, node, ends)) for node in estate.everything("nodes")}


def _both(link):
    return ((link.a, link.b), (link.b, link.a))


def _facts(estate, node, ends):
    return {
        "ports": {
            port: {"carrier": True, "lldp": {"node": there.node, "port": there.port}}
            for (name, port), there in ends.items()
            if name == node.name
        },
        "addresses": {each.name: [str(each.address)] for each in node.interfaces},
        "clock": {"offset_ms": 0.3, "synchronised": True},
        "uplink": {"target": "10.17.0.2", "rtt_ms": 1.0} if node.forwards else {"target": None, "rtt_ms": None},
        "units": {
            service.unit: {"active": "active", "sub": "running", "healthy": True, "detail": ""}
            for service in estate.everything("services")
            if service.node == node.name
        },
    }


def changed(observed, node):
    """The facts of one node, free to be spoiled."""
    facts = deepcopy(observed[node].facts)
    observed[node] = Observed(facts)
    return facts


def bad(estate, observed):
    return {(each.kind, each.subject): each.sentence for each in arrival_sheet(estate, observed) if not each.good}


def test_an_estate_as_planned_has_no_bad_finding(estate, observed):
    """Guards against a sheet that cries wolf; it has a line for every node, cable, address and service."""
    sheet = arrival_sheet(estate, observed)
    assert bad(estate, observed) == {}
    assert {each.subject for each in sheet if each.kind == "cable"} == {link.label for link in estate.links}
    assert sum(each.kind == "service" for each in sheet) == len(estate.services)
    assert sum(each.kind == "address" for each in sheet) == sum(len(node.interfaces) for node in estate.nodes)


def test_a_cable_without_carrier_is_named_with_its_plugs(estate, observed):
    """Guards against the fault of 2015."""
    link = next(link for link in estate.links if link.a.node == "edge-2")
    changed(observed, "edge-2")["ports"][link.a.port]["carrier"] = False
    assert "check both plugs" in bad(estate, observed)[("cable", link.label)]


def test_a_plug_in_the_wrong_socket_names_both_sockets(estate, observed):
    """Guards against a cable that works and leads elsewhere."""
    link = next(link for link in estate.links if link.a.node == "edge-2")
    changed(observed, "edge-2")["ports"][link.a.port]["lldp"] = {"node": "switch-2", "port": "port9"}
    sentence = bad(estate, observed)[("cable", link.label)]
    assert f"hears switch-2 port9 instead of {link.b.node} {link.b.port}" in sentence


def test_a_silent_node_is_one_finding_and_its_cables_say_that_they_are_not_known(estate, observed):
    """Guards against a dead node whose last good facts are shown."""
    observed["edge-3"] = Observed({}, "no answer over SSH")
    findings = bad(estate, observed)
    assert findings[("node", "edge-3")] == "no answer over SSH"
    assert {kind for kind, subject in findings} == {"node", "cable"}
    assert all("edge-3 does not answer" in text for (kind, _), text in findings.items() if kind == "cable")


@pytest.mark.parametrize(
    ("spoil", "finding", "sentence"),
    [
        (
            lambda facts: facts["addresses"].update(eno1=["10.17.10.99/24"]),
            ("address", "edge-2 eno1"),
            "has 10.17.10.99",
        ),
        (lambda facts: facts["clock"].update(offset_ms=250.0), ("clock", "edge-2"), "+250.00 ms off"),
        (lambda facts: facts["clock"].update(synchronised=False), ("clock", "edge-2"), "not found a time server"),
        (lambda facts: facts["units"].pop("etape-relay"), ("service", "relay on edge-2"), "deploy has not run"),
        (
            lambda facts: facts["units"]["etape-relay"].update(active="failed", sub="exit-code"),
            ("service", "relay on edge-2"),
            "failed (exit-code)",
        ),
        (
            lambda facts: facts["units"]["etape-relay"].update(healthy=False, detail="the broker is away"),
            ("service", "relay on edge-2"),
            "not healthy: the broker is away",
        ),
    ],
)
def test_each_spoiled_fact_is_one_finding_with_its_reason(estate, observed, spoil, finding, sentence):
    """Guards against a check that looks past what is wrong."""
    spoil(changed(observed, "edge-2"))
    findings = bad(estate, observed)
    assert list(findings) == [finding]
    assert sentence in findings[finding]


def test_an_uplink_that_does_not_answer_points_at_the_handoff(estate, observed):
    """Guards against a morning spent on the truck when the town's socket is dead."""
    changed(observed, "gateway-1")["uplink"]["rtt_ms"] = None
    assert "the town's handoff" in bad(estate, observed)[("uplink", "gateway-1")]


def test_the_printed_sheet_shows_what_is_bad_and_counts_what_is_good(estate, observed):
    """Guards against 300 good lines in front of the one that matters."""
    observed["edge-3"] = Observed({}, "no answer over SSH")
    text = as_table(arrival_sheet(estate, observed), datetime(2017, 7, 9, 9, 41, 12, tzinfo=UTC))
    assert text.startswith("Arrival sheet, 2017-07-09 09:41:12 UTC\n✗ node     edge-3")
    assert f"{len(estate.nodes) - 1}/{len(estate.nodes)} nodes" in text
