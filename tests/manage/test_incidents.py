"""One incident a cause, with what follows from it folded under it."""

import pytest
from manage_centre.incident import Incident, Subject
from manage_centre.incidents import find_incidents
from manage_centre.state import State, judge

from tests.manage.playing import Play, graphs


@pytest.fixture
def play() -> Play:
    return Play()


def incidents(play: Play) -> tuple[Incident, ...]:
    scene = play.scene()
    return find_incidents(scene, judge(scene))


def the_only_one(play: Play) -> Incident:
    found = incidents(play)
    assert len(found) == 1, [one.verdict for one in found]
    return found[0]


def truck(play: Play) -> list[str]:
    return [node.name for node in play.graph.nodes.values() if node.site == "truck"]


def test_an_estate_where_all_is_well_has_no_incident(play: Play) -> None:
    """Guards: noise."""
    assert incidents(play) == ()


def test_a_pulled_cable_is_one_incident_with_its_remedy(play: Play) -> None:
    """Guards: a fault that is found and not located."""
    play.pull("T1-07")
    found = the_only_one(play)
    assert found.subject == Subject("cable", "T1-07")
    assert found.remedy == "Push in both plugs of T1-07: edge-2 eno1 and switch-1 port7."
    assert found.ruled_out == ("edge-2 and switch-1: both report",)


def test_a_node_that_lost_its_way_to_the_hub_with_a_cable_is_folded_under_the_cable(play: Play) -> None:
    """Guards: "edge-2 is dead" when only its plug is out; the other cable proves that it has power."""
    play.pull("T1-07")
    play.hush(["edge-2"])
    found = the_only_one(play)
    assert found.subject == Subject("cable", "T1-07")
    assert "power of edge-2: cable T2-07 has carrier" in found.ruled_out
    assert {Subject("node", "edge-2"), Subject("service", "relay@edge-2")} <= set(found.folded)


def test_a_node_without_power_folds_its_cables_and_services(play: Play) -> None:
    """Guards: one dead server, a dozen alarms."""
    play.power_off("edge-2")
    found = the_only_one(play)
    assert found.verdict.startswith("edge-2 has no power or is down")
    assert {Subject("cable", "T1-07"), Subject("cable", "T2-07"), Subject("service", "relay@edge-2")} <= set(
        found.folded
    )


def test_lost_power_is_told_at_once_by_the_far_ends(play: Play) -> None:
    """Guards: for fifteen seconds two cables are blamed, because the dead node's last words still count."""
    play.power_off("edge-2", at=59)
    assert the_only_one(play).subject == Subject("node", "edge-2")


def test_a_hung_node_is_told_from_a_dead_one(play: Play) -> None:
    """Guards: someone drives to the truck although the machine has carrier and only its agent is silent."""
    play.hush(["edge-2"])
    found = the_only_one(play)
    assert found.subject == Subject("node", "edge-2")
    assert "silent although it has carrier (T1-07, T2-07)" in found.verdict


def test_a_cut_uplink_is_one_incident_for_the_whole_truck(play: Play) -> None:
    """Guards: eight silent nodes, eight incidents, and nobody looks at the one cable."""
    uplink = play.between("gateway-1", "wan-1")
    play.pull(uplink.label)
    play.hush(truck(play))
    found = the_only_one(play)
    assert found.subject == Subject("cable", uplink.label)
    assert "8 nodes behind it cannot report" in found.verdict
    assert {Subject("node", name) for name in truck(play)} <= set(found.folded)


def test_an_uplink_without_an_answer_is_folded_under_what_it_leads_to(play: Play) -> None:
    """Guards: the router at this end is blamed for the dead one at the other."""
    play.power_off("fabric-1")
    play.hush(node.name for node in play.graph.nodes.values() if node.site == "cloud")
    play.facts("wan-1")["uplink"] = {"target": "10.17.1.4", "rtt_ms": None}
    assert Subject("node", "wan-1") in the_only_one(play).folded


def test_a_filtered_uplink_points_at_the_gateway_and_rules_the_cable_out(play: Play) -> None:
    """Guards: a cable is blamed that has carrier."""
    play.hush(truck(play))
    found = the_only_one(play)
    assert found.subject == Subject("node", "gateway-1")
    assert any("it has carrier" in reason for reason in found.ruled_out)


def test_swapped_cables_are_one_incident_that_names_both(play: Play) -> None:
    """Guards: two wrong neighbours as two riddles."""
    for node, port in (("edge-1", "port7"), ("edge-2", "port6")):
        play.facts(node)["ports"]["eno1"]["lldp"] = {"node": "switch-1", "port": port}
    assert the_only_one(play).verdict.startswith("Cables T1-06 and T1-07 are swapped")


def test_services_that_miss_another_one_are_folded_under_it(play: Play) -> None:
    """Guards: the broker fails and its users are blamed."""
    play.stop("edge-1", "etape-broker", "failed")
    for node, unit in (("edge-2", "etape-relay"), ("edge-2", "etape-forwarder"), ("edge-3", "etape-race")):
        play.sick(node, unit, "the broker is away")
    found = the_only_one(play)
    assert found.subject == Subject("service", "broker@edge-1")
    assert {Subject("service", key) for key in ("relay@edge-2", "forwarder@edge-2", "race@edge-3")} == set(found.folded)


def test_a_service_elsewhere_is_folded_under_the_dead_node_that_it_needs(play: Play) -> None:
    """Guards: the relay is an incident of its own although the broker's node has no power."""
    play.power_off("edge-1")
    play.sick("edge-2", "etape-relay", "the broker is away")
    found = the_only_one(play)
    assert found.subject == Subject("node", "edge-1")
    assert Subject("service", "relay@edge-2") in found.folded


def test_the_same_service_down_on_many_nodes_is_one_incident() -> None:
    """Guards: fourteen incidents for one bad release."""
    play = Play(graphs("full"))
    for number in range(1, 15):
        play.stop(f"web-{number}", "etape-race-centre", "failed")
    found = the_only_one(play)
    assert "on 14 nodes" in found.verdict
    assert len(found.folded) == 13


def test_clocks_adrift_everywhere_are_one_incident(play: Play) -> None:
    """Guards: a lost time server, one alarm for each node."""
    for name in play.graph.nodes:
        play.facts(name)["clock"] = {"offset_ms": None, "synchronised": False}
    found = the_only_one(play)
    assert (found.state, "26 nodes" in found.verdict) == (State.WATCH, True)


def test_when_no_node_reports_the_hub_is_the_suspect(play: Play) -> None:
    """Guards: the whole estate is declared dead because its messenger is."""
    play.hush(play.graph.nodes)
    assert the_only_one(play).verdict.startswith("No node reports any more: the hub is away")


def test_two_causes_are_two_incidents_and_the_one_that_costs_more_is_first(play: Play) -> None:
    """Guards: a second fault hidden by the first, or found below it in the list."""
    play.pull("T1-06")
    play.power_off("edge-3")
    assert [str(one.subject) for one in incidents(play)] == ["node-edge-3", "cable-T1-06"]


def test_no_element_is_under_two_causes(play: Play) -> None:
    """Guards: numbers of a post-mortem that add up to more than the estate."""
    play.power_off("edge-1")
    play.power_off("switch-1")
    play.stop("edge-2", "etape-relay", "failed")
    every = [subject for one in incidents(play) for subject in (one.subject, *one.folded)]
    assert len(every) == len(set(every))
