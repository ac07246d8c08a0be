"""Machines, cables and what is plugged into what, written out from the lists and the groups of servers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.estate.documents import ServersDoc, SizeDoc
from infra.estate.model import Layer, PortRef
from infra.estate.vocabulary import node_name
from infra.estate.written import Entry, Written

_SMALL = 10
"""The small scale has one server of so many, and at least one of each kind."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and the entry that it comes from."""

    name: str
    role: str
    slot: int
    title: str
    site: str
    layer: Layer
    rack_unit: int | None
    size: SizeDoc
    ports: tuple[str, ...]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable and the entry that it comes from."""

    label: str
    a: PortRef
    b: PortRef
    segment: str
    entry: Entry

    @property
    def ends(self) -> tuple[PortRef, PortRef]:
        return self.a, self.b


def server_count(count: int, scale: str) -> int:
    """How many of `count` servers a scale has."""
    return count if scale == "full" or count < 1 else max(1, round(count / _SMALL))


Counts = Mapping[str, int]
"""Servers that a day has, by role; a role that is not in it has all that its scale has."""
_CONTRACT: Counts = {}


def servers_of(group: ServersDoc, scale: str, counts: Counts) -> int:
    """How many servers of a group there are on a day."""
    return counts.get(group.role, server_count(group.count, scale))


def machines(written: Written, scale: str, counts: Counts = _CONTRACT) -> tuple[Machine, ...]:
    """All machines of the season and of one stage, those of groups of servers last."""
    layers = {site.doc.name: site.doc.layer for site in written.sites}
    grown = [(group, slot) for group in written.servers for slot in range(1, servers_of(group.doc, scale, counts) + 1)]
    plugged: dict[str, list[str]] = {}
    for group, slot in grown:
        plugged.setdefault(group.doc.uplink.into, []).append(node_name(group.doc.role, slot))
    return (
        *(_machine(entry, layers, plugged) for entry in written.nodes),
        *(_server(group, slot, layers) for group, slot in grown),
    )


def _machine(entry: Entry, layers: dict[str, Layer], plugged: dict[str, list[str]]) -> Machine:
    doc = entry.doc
    name = node_name(doc.role, doc.slot)
    return Machine(
        name=name,
        role=doc.role,
        slot=doc.slot,
        title=doc.title,
        site=doc.site,
        layer=layers.get(doc.site, Layer.STAGE),
        rack_unit=doc.rack_unit,
        size=doc.size,
        ports=(*doc.ports, *plugged.get(name, ())),
        entry=entry,
    )


def _server(group: Entry, slot: int, layers: dict[str, Layer]) -> Machine:
    doc = group.doc
    return Machine(
        name=node_name(doc.role, slot),
        role=doc.role,
        slot=slot,
        title=f"{doc.title} {slot}",
        site=doc.site,
        layer=layers.get(doc.site, Layer.STAGE),
        rack_unit=None,
        size=doc.size,
        ports=(doc.uplink.port,),
        entry=group,
    )


def cables(written: Written, scale: str, counts: Counts = _CONTRACT) -> tuple[Cable, ...]:
    """All cables, those of groups of servers last."""
    drawn = tuple(
        Cable(
            label=entry.doc.label,
            a=PortRef(entry.doc.a.node, entry.doc.a.port),
            b=PortRef(entry.doc.b.node, entry.doc.b.port),
            segment=entry.doc.segment,
            entry=entry,
        )
        for entry in written.cables
    )
    return drawn + tuple(
        cable for group in written.servers for cable in _server_cables(group, servers_of(group.doc, scale, counts))
    )


def _server_cables(group: Entry, count: int) -> Iterable[Cable]:
    uplink = group.doc.uplink
    for slot in range(1, count + 1):
        name = node_name(group.doc.role, slot)
        yield Cable(f"C-{name}", PortRef(name, uplink.port), PortRef(uplink.into, name), uplink.segment, group)


def plugs(all_cables: Iterable[Cable]) -> dict[str, dict[str, list[str]]]:
    """Node → segment → the node's ports in that segment."""
    found: dict[str, dict[str, list[str]]] = {}
    for cable in all_cables:
        for end in cable.ends:
            found.setdefault(end.node, {}).setdefault(cable.segment, []).append(end.port)
    return found


def attachments(machine: Machine, plugged: dict[str, dict[str, list[str]]]) -> dict[str, tuple[str, ...]]:
    """Segment → ports of one machine, both in the order of the machine's list of ports."""
    order = {port: index for index, port in enumerate(machine.ports)}
    by_segment = {
        segment: tuple(sorted(ports, key=order.__getitem__)) for segment, ports in plugged.get(machine.name, {}).items()
    }
    return dict(sorted(by_segment.items(), key=lambda item: order[item[1][0]]))
