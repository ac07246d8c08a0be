"""What lldpd, systemd and chrony answer, in every shape that was met."""

import pytest
from edge_agent.daemons import Clock, Neighbour, ask, parse_neighbours, parse_tracking, parse_units

from tests.edge_agent.examples import TRACKING, UNITS, neighbour, neighbours


def test_each_port_has_its_neighbour() -> None:
    """Guards: the arrival check cannot verify a cable."""
    text = neighbours(neighbour("eno1", "switch-1", "port7"), neighbour("eno2", "switch-2", "port7"))
    assert parse_neighbours(text) == {"eno1": Neighbour("switch-1", "port7"), "eno2": Neighbour("switch-2", "port7")}


def test_the_newest_neighbour_of_a_port_counts() -> None:
    """Guards: after a plug was moved, the old neighbour stays until its time runs out."""
    text = neighbours(neighbour("eno1", "switch-1", "port9", rid=5), neighbour("eno1", "switch-1", "port7", rid=2))
    assert parse_neighbours(text) == {"eno1": Neighbour("switch-1", "port9")}


def test_a_neighbour_that_names_its_port_by_mac_is_known_by_the_description() -> None:
    """Guards: "46:69:a4:…" in place of a port on equipment that is set up otherwise."""
    text = neighbours(neighbour("eno1", "switch-1", "port7", kind="mac"))
    assert parse_neighbours(text) == {"eno1": Neighbour("switch-1", "port7")}


@pytest.mark.parametrize("text", ["", neighbours()])
def test_no_neighbours_or_no_lldpd_is_nobody(text: str) -> None:
    """Guards: an agent that dies with lldpd."""
    assert parse_neighbours(text) == {}


def test_units_come_by_the_names_that_were_asked_for() -> None:
    """Guards: the state of one unit under the name of another."""
    units = parse_units(UNITS, ("etape-relay", "etape-forwarder", "etape-nothing"))
    assert [(unit.active, unit.restarts, unit.main_pid) for unit in units.values()] == [
        ("active", 2, 61),
        ("failed", 7, 0),
        ("inactive", 0, 0),
    ]
    assert units["etape-forwarder"].detail == "ended by exit-code"
    assert units["etape-nothing"].detail == "the unit is not installed"


def test_a_systemd_that_does_not_answer_leaves_units_unknown() -> None:
    """Guards: silence is taken for "inactive"."""
    assert parse_units("", ("etape-relay",)) == {}


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        (TRACKING, Clock(0.1234, True)),
        (TRACKING.replace("Normal", "Not synchronised"), Clock(None, False)),
        ("506 Cannot talk to daemon\n", Clock(None, False)),
        ("", Clock(None, False)),
    ],
)
def test_a_clock_is_right_only_where_chrony_says_so(text: str, clock: Clock) -> None:
    """Guards: an offset of 0.0 ms on a node without any time server."""
    assert parse_tracking(text) == clock


@pytest.mark.parametrize("command", [("etape-no-such-command",), ("false",)])
def test_a_command_that_is_missing_or_fails_says_nothing(command: tuple[str, ...]) -> None:
    """Guards: an agent that dies on a node without chrony."""
    assert ask(command) == ""
