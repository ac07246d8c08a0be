"""Each element gets a state and a sentence from both ends, and nothing that is old is shown as well."""

from datetime import timedelta

import pytest
from manage_centre.day import Phase
from manage_centre.state import FRESH_FOR, State, judge

from tests.manage.playing import NOON, Play


@pytest.fixture
def play() -> Play:
    return Play()


def cable_of(play: Play) -> str:
    return play.between("edge-2", "switch-1").label


def test_an_estate_where_all_is_well_has_nothing_but_good(play: Play) -> None:
    """Guards: a page that cries wolf."""
    judgement = judge(play.scene())
    for table in (judgement.nodes, judgement.cables, judgement.services):
        assert {verdict.state for verdict in table.values()} == {State.GOOD}


def test_a_pulled_cable_is_out_with_both_ends_in_the_sentence(play: Play) -> None:
    """Guards: the fault of 2015, when a cable was dislodged and nobody could tell which."""
    play.pull(cable_of(play))
    verdict = judge(play.scene()).cables["T1-07"]
    assert verdict.state is State.BAD
    assert verdict.sentence == "Cable T1-07 is out: edge-2 eno1 ↔ switch-1 port7, no carrier at both ends."


def test_one_dark_end_is_named(play: Play) -> None:
    """Guards: a half-broken cable that looks like a whole one."""
    play.facts("switch-1")["ports"]["port7"] |= {"carrier": False, "lldp": None}
    assert judge(play.scene()).cables["T1-07"].sentence.endswith("no carrier at switch-1 port7.")


def test_a_wrong_neighbour_is_named_with_the_right_one(play: Play) -> None:
    """Guards: a plug in the wrong socket, with carrier at both ends, passes as well."""
    play.facts("edge-2")["ports"]["eno1"]["lldp"] = {"node": "switch-1", "port": "port9"}
    verdict = judge(play.scene()).cables["T1-07"]
    assert verdict.state is State.BAD
    assert "edge-2 eno1 hears switch-1 port9 instead of switch-1 port7" in verdict.sentence


def test_carrier_without_a_neighbour_is_to_be_watched(play: Play) -> None:
    """Guards: a dead lldpd is taken for a verified cable."""
    play.facts("edge-2")["ports"]["eno1"]["lldp"] = None
    verdict = judge(play.scene()).cables["T1-07"]
    assert (verdict.state, "edge-2 eno1 hears no neighbour" in verdict.sentence) == (State.WATCH, True)


def test_a_port_that_does_not_exist_means_the_cable_is_not_laid(play: Play) -> None:
    """Guards: a KeyError instead of a sentence when a veth is gone."""
    del play.facts("edge-2")["ports"]["eno1"]
    verdict = judge(play.scene()).cables["T1-07"]
    assert (verdict.state, verdict.sentence) == (
        State.BAD,
        "Cable T1-07 is not laid: edge-2 eno1 does not exist.",
    )


def test_ends_of_different_mtu_are_to_be_watched(play: Play) -> None:
    """Guards: large packets that vanish on a cable that looks well."""
    play.facts("edge-2")["ports"]["eno1"]["mtu"] = 1400
    assert judge(play.scene()).cables["T1-07"].sentence.endswith("the ends differ in MTU (1400, 1500).")


@pytest.mark.parametrize("age", [16, 60, 3600])
def test_nothing_stale_is_shown_as_good(play: Play, age: float) -> None:
    """Guards: a map that keeps the last colour of a dead box."""
    play.hush(play.graph.nodes)
    judgement = judge(play.scene(age))
    for table in (judgement.nodes, judgement.cables, judgement.services):
        assert {verdict.state for verdict in table.values()} == {State.UNKNOWN}


def test_an_unknown_node_is_so_since_it_was_last_heard(play: Play) -> None:
    """Guards: "unknown" without since when, or since the page was opened."""
    play.hush(["edge-2"], at=20)
    assert judge(play.scene(60)).nodes["edge-2"].heard == NOON + timedelta(seconds=20)


def test_facts_within_their_time_are_still_true(play: Play) -> None:
    """Guards: flicker between two heartbeats."""
    play.hush(["edge-2"], at=0)
    assert judge(play.scene(FRESH_FOR.total_seconds() - 1)).nodes["edge-2"].state is State.GOOD


def test_a_cable_of_which_one_end_is_silent_is_not_good(play: Play) -> None:
    """Guards: half of the evidence taken for all of it."""
    play.hush(["edge-2"])
    verdict = judge(play.scene()).cables["T1-07"]
    assert verdict.state is State.UNKNOWN
    assert "switch-1 port7 is well, edge-2 eno1 is not known" in verdict.sentence


@pytest.mark.parametrize(
    ("active", "healthy", "state", "words"),
    [
        ("failed", None, State.BAD, "etape-relay is failed (dead)"),
        ("active", False, State.BAD, "runs but is not healthy: the broker is away"),
        ("activating", None, State.WATCH, "etape-relay is starting"),
    ],
)
def test_a_service_that_does_not_work_says_why(
    play: Play, active: str, healthy: bool | None, state: State, words: str
) -> None:
    """Guards: a red mark without a reason."""
    play.facts("edge-2")["units"]["etape-relay"] = play.unit(
        active, healthy, "the broker is away" if healthy is False else ""
    )
    verdict = judge(play.scene()).services["relay@edge-2"]
    assert (verdict.state, words in verdict.sentence) == (state, True)


def test_a_service_that_was_never_deployed_is_bad_when_live(play: Play) -> None:
    """Guards: a service that is missing altogether is not missed."""
    del play.facts("edge-2")["units"]["etape-relay"]
    assert judge(play.scene()).services["relay@edge-2"].state is State.BAD


@pytest.mark.parametrize(
    ("field", "value", "state", "words"),
    [
        ("clock", {"offset_ms": None, "synchronised": False}, State.WATCH, "no time server"),
        ("clock", {"offset_ms": 250.0, "synchronised": True}, State.BAD, "+250 ms off"),
        ("uplink", {"target": "100.64.9.1", "rtt_ms": None}, State.BAD, "100.64.9.1"),
        ("load", {"cpu": 0.1, "memory": 0.97, "disk": 0.3}, State.WATCH, "memory is 97% used"),
    ],
)
def test_a_node_that_is_not_well_says_of_what(play: Play, field: str, value: dict, state: State, words: str) -> None:
    """Guards: a processor out of CPU, a clock adrift or a dead uplink behind a green box."""
    play.facts("edge-2")[field] = value
    verdict = judge(play.scene()).nodes["edge-2"]
    assert (verdict.state, words in verdict.sentence) == (state, True)


@pytest.mark.parametrize("phase", [Phase.RIGGING, Phase.DE_RIG, Phase.GONE])
def test_nobody_misses_the_far_side_of_an_uplink_that_is_not_there(play: Play, phase: Phase) -> None:
    """Guards: the season's router is an alarm all night because the truck is on the road."""
    play.facts("wan-1")["uplink"] = {"target": "10.17.1.4", "rtt_ms": None}
    play.phase = phase
    assert judge(play.scene()).nodes["wan-1"].state is State.GOOD


def test_while_rigging_what_has_not_come_is_planned(play: Play) -> None:
    """Guards: a screen full of alarms every morning."""
    play.phase = Phase.RIGGING
    play.hush(["edge-2"], at=-3600)
    judgement = judge(play.scene())
    assert judgement.nodes["edge-2"].state is State.PLANNED
    assert judgement.cables["T1-07"].state is State.PLANNED
    assert judgement.services["relay@edge-2"].state is State.PLANNED


def test_while_draining_a_stopped_service_is_as_planned(play: Play) -> None:
    """Guards: the drain looks like an outage."""
    play.phase = Phase.DRAINING
    play.stop("edge-3", "etape-race")
    assert judge(play.scene()).services["race@edge-3"].state is State.PLANNED


def test_machines_that_vanish_while_de_rigging_are_gone_and_the_core_is_not(play: Play) -> None:
    """Guards: a teardown that looks like a disaster, or a core that counts as torn down."""
    play.phase = Phase.DE_RIG
    play.hush(["edge-2", "wan-1"], at=45)
    judgement = judge(play.scene(60))
    assert judgement.nodes["edge-2"].state is State.GONE
    assert judgement.cables["T1-07"].state is State.GONE
    assert judgement.services["relay@edge-2"].state is State.GONE
    assert judgement.nodes["wan-1"].state is State.GOOD


def test_after_a_restart_silence_means_nothing_yet(play: Play) -> None:
    """Guards: every restart of the Manage Centre rings the alarm for the whole estate."""
    play.hush(play.graph.nodes, at=-600)
    scene = play.scene(0)
    started = type(scene)(scene.graph, scene.reports, scene.day, NOON, NOON - timedelta(seconds=3))
    verdict = judge(started).nodes["edge-2"]
    assert (verdict.state, verdict.code) == (State.UNKNOWN, "")
