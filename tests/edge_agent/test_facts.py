"""The record by its contract, and which changes are told at once."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from edge_agent.daemons import Clock, Neighbour, Unit
from edge_agent.facts import Event, Seen, changes, facts
from edge_agent.load import Load, LoadMeter
from edge_agent.netlink import Network, Port, Route
from edge_agent.probes import Health, health_detail

from tests.edge_agent.examples import config

AT = datetime(2017, 7, 9, 10, 0, tzinfo=UTC)
WELL = Seen(
    network=Network(
        {
            name: Port(name, True, 1500, "02:00:00:00:00:01", name.startswith("eno"))
            for name in ("lo", "eno1", "eno2", "br-race")
        },
        {"lo": ("127.0.0.1/8",), "eno1": ("10.17.10.22/24",)},
        (Route("10.17.0.0/16", "10.17.10.2", "eno1"),),
    ),
    neighbours={"eno1": Neighbour("switch-1", "port7")},
    units={"etape-relay": Unit("active", "running", 0, 61, ""), "chrony": Unit("active", "running", 0, 62, "")},
    health={"etape-relay": Health(True, "594 readings/s")},
    clock=Clock(0.2, True),
    load=Load(0.1, 0.2, 0.3),
)


def document(seen: Seen, **changed: object) -> dict:
    return facts(config(**changed), seen, at=AT, boot_id="b", seq=3, events=())


def told(before: Seen, after: Seen) -> list[str]:
    return [f"{event.subject} {event.sentence}" for event in changes(config(), before, after, AT)]


def with_port(name: str, carrier: bool) -> Seen:
    ports = {**WELL.network.ports, name: replace(WELL.network.ports[name], carrier=carrier)}
    return replace(WELL, network=replace(WELL.network, ports=ports))


def test_the_record_is_the_contract() -> None:
    """Guards: arrival check and Manage Centre read a field that is not there."""
    assert document(WELL) == {
        "v": 1,
        "node": "edge-2",
        "stack": "2017-s09",
        "boot_id": "b",
        "seq": 3,
        "at": "2017-07-09T10:00:00.000+00:00",
        "ports": {
            "eno1": {
                "carrier": True,
                "mtu": 1500,
                "mac": "02:00:00:00:00:01",
                "lldp": {"node": "switch-1", "port": "port7"},
            },
            "eno2": {"carrier": True, "mtu": 1500, "mac": "02:00:00:00:00:01", "lldp": None},
        },
        "addresses": {"eno1": ["10.17.10.22/24"]},
        "routes": [{"destination": "10.17.0.0/16", "gateway": "10.17.10.2", "interface": "eno1"}],
        "units": {
            "etape-relay": {
                "active": "active",
                "sub": "running",
                "restarts": 0,
                "healthy": True,
                "detail": "594 readings/s",
            },
            "chrony": {"active": "active", "sub": "running", "restarts": 0, "healthy": None, "detail": ""},
        },
        "clock": {"offset_ms": 0.2, "synchronised": True},
        "uplink": None,
        "load": {"cpu": 0.1, "memory": 0.2, "disk": 0.3},
        "events": [],
    }


def test_a_port_that_does_not_exist_is_left_out() -> None:
    """Guards: a cable that is not laid looks like one without carrier."""
    assert list(document(WELL, ports=["eno1", "eno9"])["ports"]) == ["eno1", "eno2"]


def test_a_port_that_was_plugged_after_the_deploy_is_told() -> None:
    """Guards: the season's router does not know the cables of today's stage, which are laid after it was deployed."""
    assert list(document(WELL, ports=["eno1"])["ports"]) == ["eno1", "eno2"]


def test_without_carrier_there_is_no_neighbour() -> None:
    """Guards: lldpd remembers a neighbour for two minutes after the plug is out."""
    assert document(with_port("eno1", False))["ports"]["eno1"]["lldp"] is None


def test_a_gateway_says_whether_its_uplink_answers() -> None:
    """Guards: a silent uplink and no uplink look alike."""
    assert document(WELL, uplink_target="100.64.9.1")["uplink"] == {"target": "100.64.9.1", "rtt_ms": None}


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (with_port("eno1", False), "eno1 has no carrier"),
        (replace(WELL, neighbours={"eno1": Neighbour("switch-1", "port9")}), "eno1 hears switch-1 port9"),
        (replace(WELL, units={**WELL.units, "chrony": Unit("failed", "failed", 1, 0, "")}), "chrony is failed"),
        (replace(WELL, health={"etape-relay": Health(False, "")}), "etape-relay runs and is not healthy"),
        (replace(WELL, clock=Clock(None, False)), "clock has lost its time servers"),
        (replace(WELL, network=replace(WELL.network, addresses={})), "addresses changed"),
    ],
)
def test_a_change_that_matters_is_one_event(after: Seen, sentence: str) -> None:
    """Guards: a fault waits for the next heartbeat."""
    assert told(WELL, after) == [sentence]


@pytest.mark.parametrize(
    "after",
    [replace(WELL, load=Load(0.9, 0.9, 0.9)), replace(WELL, clock=Clock(0.3, True)), with_port("br-race", False)],
)
def test_figures_that_drift_and_interfaces_without_a_plug_are_no_event(after: Seen) -> None:
    """Guards: eighty agents that publish all the time."""
    assert told(WELL, after) == []


def test_an_event_keeps_its_own_time() -> None:
    """Guards: what happened while the hub was away seems to have happened when it came back."""
    event = Event(AT, "eno1", "has no carrier")
    record = facts(config(), WELL, at=datetime.now(UTC), boot_id="b", seq=4, events=(event,))
    assert record["events"] == [
        {"at": "2017-07-09T10:00:00.000+00:00", "subject": "eno1", "sentence": "has no carrier"}
    ]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b'{"status": "failing", "detail": "the broker is away"}', 503, "the broker is away"),
        (b'{"status": "ok"}', 200, "ok"),
        (b"<html>", 503, "answers with HTTP 503"),
        (b"3", 200, ""),
    ],
)
def test_a_health_answer_of_any_shape_has_a_detail(body: bytes, status: int, detail: str) -> None:
    """Guards: a service that answers in its own way takes the agent down."""
    assert health_detail(body, status) == detail


def test_the_first_reading_of_the_load_has_no_cpu_and_the_next_is_a_ratio() -> None:
    """Guards: a mean since boot as the present load."""
    meter = LoadMeter()
    assert meter.read().cpu is None
    load = meter.read()
    assert load.cpu is None or 0 <= load.cpu <= 1
    assert 0 < load.disk < 1
