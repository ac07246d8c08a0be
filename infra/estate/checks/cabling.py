"""Cables: both ends exist, each port once, and what is plugged in makes networks."""

from collections.abc import Iterable, Iterator

from infra.estate.cabling import cables, machines, plugs
from infra.estate.mistakes import Mistake, known
from infra.estate.model import Layer
from infra.estate.vocabulary import ROLES, node_name
from infra.estate.written import Written


def known_machines(written: Written) -> Iterator[Mistake]:
    """A cable ends at machines that there are, and so does the uplink of a group of servers."""
    names = {machine.name for machine in machines(written, "full")}
    for entry in written.cables:
        for side in ("a", "b"):
            node = getattr(entry.doc, side).node
            if node not in names:
                yield entry.mistake(f"{side}.node", f"there is no machine {node!r}", _similar(node, names))
    for group in written.servers:
        into = group.doc.uplink.into
        if into not in names:
            yield group.mistake("uplink.into", f"there is no machine {into!r}", _similar(into, names))


def known_ports(written: Written) -> Iterator[Mistake]:
    """A cable ends at ports that its machines have."""
    ports = {machine.name: machine.ports for machine in machines(written, "full")}
    for entry in written.cables:
        for side in ("a", "b"):
            end = getattr(entry.doc, side)
            if end.node in ports and end.port not in ports[end.node]:
                remedy = f"its ports are: {known(ports[end.node], 24)}"
                yield entry.mistake(f"{side}.port", f"{end.node} has no port {end.port!r}", remedy)


def _similar(name: str, names: Iterable[str]) -> str:
    role = name.rpartition("-")[0]
    kin = [other for other in names if other.rpartition("-")[0] == role]
    return f"of this role there are: {known(kin)}" if kin else "name one by role and slot: edge-2"


def ports_once(written: Written) -> Iterator[Mistake]:
    """One port takes one cable."""
    laid = cables(written, "full")
    drawn = [cable for cable in laid if cable.entry in written.cables]
    taken = {end: cable for cable in laid if cable.entry in written.servers for end in cable.ends}
    for cable in drawn:
        if cable.a == cable.b:
            reason = f"both ends are {cable.a.node} {cable.a.port}"
            yield cable.entry.mistake("b.port", reason, "name the port at the far end")
            continue
        for side, end in zip(("a", "b"), cable.ends, strict=True):
            before = taken.setdefault(end, cable)
            if before is not cable:
                reason = f"{end.node} {end.port} already holds the cable {before.label}"
                yield cable.entry.mistake(f"{side}.port", reason, "plug this cable into a free port")


def known_segments(written: Written) -> Iterator[Mistake]:
    """A cable belongs to a segment that there is."""
    segments = {segment.doc.name for segment in written.segments}
    remedy = f"use one of {known(segments)}"
    for entry in written.cables:
        if entry.doc.segment not in segments:
            yield entry.mistake("segment", f"{entry.doc.segment!r} is not a segment", remedy)
    for group in written.servers:
        name = group.doc.uplink.segment
        if name not in segments:
            yield group.mistake("uplink.segment", f"{name!r} is not a segment", remedy)


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
                reason = (
                    f"{' and '.join(ports)} of {machine.name} are in {segment}; the role {machine.role} does not bridge"
                )
                yield machine.entry.mistake("ports", reason, "plug one of them into another segment")


def every_machine_cabled(written: Written) -> Iterator[Mistake]:
    """A machine without a cable has no address and cannot be reached by the others."""
    plugged = {end.node for cable in cables(written, "full") for end in cable.ends}
    for entry in written.nodes:
        name = node_name(entry.doc.role, entry.doc.slot)
        if name not in plugged:
            yield entry.mistake("ports", f"no cable ends at {name}", "draw one in `cables`, or take the machine out")
