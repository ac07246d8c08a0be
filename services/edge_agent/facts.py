"""The record that leaves the node, and the changes in it that are worth telling at once. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from edge_agent.config import Config
from edge_agent.daemons import Clock, Neighbour, Unit
from edge_agent.load import Load
from edge_agent.netlink import Network
from edge_agent.probes import Health


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that the node sees, each part as of its last reading."""

    network: Network = Network({}, {}, ())
    neighbours: Mapping[str, Neighbour] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    clock: Clock = Clock(None, False)
    rtt_ms: float | None = None
    load: Load = Load(None, None, 0.0)


@dataclass(frozen=True, slots=True)
class Event:
    """Something changed on the node; kept until the hub has it."""

    at: datetime
    subject: str
    """A port, a unit, `clock` or `uplink`."""
    sentence: str


def facts(config: Config, seen: Seen, *, at: datetime, boot_id: str, seq: int, events: tuple[Event, ...]) -> dict:
    """The JSON document of `facts.<stack>.<node>`, version 1."""
    return {
        "v": 1,
        "node": config.node,
        "stack": config.stack,
        "boot_id": boot_id,
        "seq": seq,
        "at": _iso(at),
        "ports": {name: _port(name, seen) for name in _port_names(config, seen) if name in seen.network.ports},
        "addresses": {name: list(there) for name, there in seen.network.addresses.items() if name != "lo"},
        "routes": [
            {"destination": route.destination, "gateway": route.gateway, "interface": route.interface}
            for route in seen.network.routes
        ],
        "units": {unit.name: _unit(unit.name, seen) for unit in config.units if unit.name in seen.units},
        "clock": {"offset_ms": seen.clock.offset_ms, "synchronised": seen.clock.synchronised},
        "uplink": {"target": config.uplink_target, "rtt_ms": seen.rtt_ms} if config.uplink_target else None,
        "load": {"cpu": seen.load.cpu, "memory": seen.load.memory, "disk": seen.load.disk},
        "events": [{"at": _iso(event.at), "subject": event.subject, "sentence": event.sentence} for event in events],
    }


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _port_names(config: Config, *seen: Seen) -> tuple[str, ...]:
    """The ports that were planned at the last deploy, and those that were plugged since: a stage into the season."""
    found = [port.name for one in seen for port in one.network.ports.values() if port.pluggable]
    return tuple(dict.fromkeys((*config.ports, *found)))


def _port(name: str, seen: Seen) -> dict[str, Any]:
    port, neighbour = seen.network.ports[name], heard(name, seen)
    lldp = {"node": neighbour.node, "port": neighbour.port} if neighbour else None
    return {"carrier": port.carrier, "mtu": port.mtu, "mac": port.mac, "lldp": lldp}


def heard(name: str, seen: Seen) -> Neighbour | None:
    """The neighbour on a port; none without carrier, whatever lldpd still remembers."""
    port = seen.network.ports.get(name)
    return seen.neighbours.get(name) if port and port.carrier else None


def _unit(name: str, seen: Seen) -> dict[str, Any]:
    unit, health = seen.units[name], seen.health.get(name)
    return {
        "active": unit.active,
        "sub": unit.sub,
        "restarts": unit.restarts,
        "healthy": health.healthy if health else None,
        "detail": (health.detail if health else "") or unit.detail,
    }


def changes(config: Config, before: Seen, after: Seen, at: datetime) -> Iterator[Event]:
    """What the Manage Centre should know now and not with the next heartbeat; figures that only drift are not."""
    for name in _port_names(config, before, after):
        was, now = _port_in_words(name, before), _port_in_words(name, after)
        if was != now:
            yield Event(at, name, now)
    for unit in config.units:
        was, now = _unit_in_words(unit.name, before), _unit_in_words(unit.name, after)
        if was != now:
            yield Event(at, unit.name, now)
    if before.clock.synchronised != after.clock.synchronised:
        yield Event(at, "clock", "is synchronised" if after.clock.synchronised else "has lost its time servers")
    if (before.rtt_ms is None) != (after.rtt_ms is None):
        yield Event(at, "uplink", f"{config.uplink_target} {'is silent' if after.rtt_ms is None else 'answers'}")
    if before.network.addresses != after.network.addresses:
        yield Event(at, "addresses", "changed")


def _port_in_words(name: str, seen: Seen) -> str:
    port = seen.network.ports.get(name)
    if port is None:
        return "is not there"
    if not port.carrier:
        return "has no carrier"
    neighbour = heard(name, seen)
    return f"hears {neighbour.node} {neighbour.port}" if neighbour else "has carrier"


def _unit_in_words(name: str, seen: Seen) -> str:
    unit, health = seen.units.get(name), seen.health.get(name)
    if unit is None:
        return "is not known"
    if unit.active != "active":
        return f"is {unit.active}"
    return "runs and is not healthy" if health and not health.healthy else "runs"
