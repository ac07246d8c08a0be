"""Addresses and ways: every machine's number fits where it is plugged in, every segment can be reached."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from infra.estate.addressing import address_in, management_address
from infra.estate.build import segment_prefix
from infra.estate.cabling import Machine, cables, machines, plugs
from infra.estate.mistakes import Mistake, known
from infra.estate.model import Layer
from infra.estate.vocabulary import ROLES, Role
from infra.estate.written import Written


def hosts_fit(written: Written) -> Iterator[Mistake]:
    """A machine's host number lies inside the prefix of each of its segments."""
    plugged = plugs(cables(written, "full"))
    for entry in written.segments:
        prefix = segment_prefix(entry.doc, 1)
        inside = [m for m in machines(written, "full") if entry.doc.name in plugged.get(m.name, {})]
        if reason := _outside(inside, partial(address_in, prefix)):
            yield entry.mistake("prefix", reason, "give the segment a larger prefix")


def management_fits(written: Written) -> Iterator[Mistake]:
    """A machine's management address lies inside its layer's network."""
    for layer in Layer:
        network = getattr(written.head.doc.management, layer)
        managed = [m for m in machines(written, "full") if m.layer is layer]
        if reason := _outside(managed, partial(management_address, network)):
            yield written.head.mistake(f"management.{layer}", reason, "give the layer a larger network")


def _outside(numbered: Iterable[Machine], address: Callable[[Role, int], object]) -> str:
    """Which machines get no address, and why the last of them does not; empty where all do."""
    names, why = [], ""
    for machine in numbered:
        try:
            address(ROLES[machine.role], machine.slot)
        except ValueError as error:
            names.append(machine.name)
            why = str(error)
    return f"there is no address for {known(names, 3)}: {why}" if names else ""


def reachable(written: Written) -> Iterator[Mistake]:
    """Routers join all segments into one network; what they do not join with the rest, nobody there reaches."""
    plugged = plugs(cables(written, "full"))
    routed = [set(plugged.get(m.name, {})) for m in machines(written, "full") if ROLES[m.role].forwards]
    networks = [_joined(segments, routed) for segments in routed]
    rest = max(networks, key=len, default=set())
    for entry in written.segments:
        if entry.doc.name not in rest:
            reason = f"no way leads from {entry.doc.name} to the other segments"
            yield entry.mistake("name", reason, "draw a cable in it to a router that reaches the others")


def _joined(segments: set[str], routed: Iterable[set[str]]) -> set[str]:
    """All segments that routers join with these; `routed` holds the segments of each router."""
    grown = segments.union(*(others for others in routed if others & segments))
    return segments if grown == segments else _joined(grown, routed)
