"""Cables: both ends exist, each port once, and what is plugged in makes networks."""

from collections.abc import Iterator

from infra.estate.cabling import cables, machines, plugs
from infra.estate.mistakes import Mistake, known
from infra.estate.model import Layer
from infra.estate.vocabulary import ROLES, node_name
from infra.estate.written import Written


def ends(written: Written) -> Iterator[Mistake]:
    """A cable ends at ports that machines have, and a group of servers at a machine."""
    ports = {machine.name: machine.ports for machine in machines(written, "full")}
    for entry in written.cables:
        for side in ("a", "b"):
            end = getattr(entry.doc, side)
            if end.node not in ports:
                yield entry.mistake(f"{side}.node", f"there is no machine {end.node!r}", _similar(end.node, ports))
            elif end.port not in ports[end.node]:
                remedy = f"its ports are: {known(ports[end.node], 24)}"
                yield entry.mistake(f"{side}.port", f"{end.node} has no port {end.port!r}", remedy)
    for entry in written.servers:
        into = entry.doc.uplink.into
        if into not in ports:
            yield entry.mistake("uplink.into", f"there is no machine {into!r}", _similar(into, ports))


def _similar(name: str, names: dict) -> str:
    role = name.rpartition("-")[0]
    kin = [other for other in names if other.rpartition("-")[0] == role]
    return f"of this role there are: {known(kin)}" if kin else "name one by role and slot: edge-2"


def ports_once(written: Written) -> Iterator[Mistake]:
    """One port takes one cable."""
    taken: dict[tuple[str, str], str] = {}
    for cable in cables(written, "full"):
        drawn = cable.entry.path.startswith("cables")
        for side, end in zip(("a", "b"), cable.ends, strict=True):
            before = taken.setdefault((end.node, end.port), cable.label)
            if before != cable.label or cable.a == cable.b:
                field = f"{side}.port" if drawn else "uplink"
                reason = f"{end.node} {end.port} already holds the cable {before}"
                yield cable.entry.mistake(field, reason, "plug this cable into a free port")


def known_segments(written: Written) -> Iterator[Mistake]:
    """A cable belongs to a segment that there is."""
    segments = {segment.doc.name for segment in written.segments}
    remedy = f"use one of {known(segments)}"
    for entry in written.cables:
        if entry.doc.segment not in segments:
            yield entry.mistake("segment", f"{entry.doc.segment!r} is not a segment", remedy)
    for entry in written.servers:
        name = entry.doc.uplink.segment
        if name not in segments:
            yield entry.mistake("uplink.segment", f"{name!r} is not a segment", remedy)


def layers(written: Written) -> Iterator[Mistake]:
    """What lives for a season does not hang on what lives for a day."""
    layer_of = {machine.name: machine.layer for machine in machines(written, "full")}
    daily = {segment.doc.name for segment in written.segments if segment.doc.layer is Layer.STAGE}
    for cable in cables(written, "full"):
        permanent = all(layer_of[end.node] is Layer.CORE for end in cable.ends)
        if permanent and cable.segment in daily:
            reason = f"{cable.a.node} and {cable.b.node} stay for the season, {cable.segment} is gone at night"
            yield cable.entry.mistake("segment", reason, "give the cable a segment of layer core")


def one_port_a_segment(written: Written) -> Iterator[Mistake]:
    """Two ports in one segment need a machine that bridges; on another, the second would have no address."""
    plugged = plugs(cables(written, "full"))
    for machine in machines(written, "full"):
        if ROLES[machine.role].bridges:
            continue
        for segment, ports in plugged.get(machine.name, {}).items():
            if len(ports) > 1:
                reason = f"{machine.name} has {' and '.join(ports)} in {segment}, but a {machine.role} does not bridge"
                yield machine.entry.mistake("ports", reason, "plug one of them into another segment")


def every_machine_cabled(written: Written) -> Iterator[Mistake]:
    """A machine without a cable has no address and cannot be reached by the others."""
    plugged = {end.node for cable in cables(written, "full") for end in cable.ends}
    for entry in written.nodes:
        name = node_name(entry.doc.role, entry.doc.slot)
        if name not in plugged:
            yield entry.mistake("ports", f"no cable ends at {name}", "draw one in `cables`, or take the machine out")
