"""Addresses and ways: every machine's number fits where it is plugged in, every segment can be reached."""

from collections.abc import Iterator

from infra.estate.addressing import address_in, management_address
from infra.estate.build import segment_prefix
from infra.estate.cabling import cables, machines, plugs
from infra.estate.mistakes import Mistake
from infra.estate.model import Layer
from infra.estate.vocabulary import ROLES
from infra.estate.written import Written


def hosts_fit(written: Written) -> Iterator[Mistake]:
    """A machine's host number lies inside the prefix of each of its segments."""
    plugged = plugs(cables(written, "full"))
    prefixes = {entry.doc.name: (entry, segment_prefix(entry.doc, 1)) for entry in written.segments}
    for machine in machines(written, "full"):
        for segment in plugged.get(machine.name, {}):
            entry, prefix = prefixes[segment]
            try:
                address_in(prefix, ROLES[machine.role], machine.slot)
            except ValueError as error:
                reason = f"{machine.name} has no address there: {error}"
                yield entry.mistake("prefix", reason, "give the segment a larger prefix")
                break


def management_fits(written: Written) -> Iterator[Mistake]:
    """A machine's management address lies inside its layer's network."""
    management = written.head.doc.management
    for machine in machines(written, "full"):
        field, network = ("core", management.core) if machine.layer is Layer.CORE else ("stage", management.stage)
        try:
            management_address(network, ROLES[machine.role], machine.slot)
        except ValueError as error:
            reason = f"{machine.name} has no address there: {error}"
            yield written.head.mistake(f"management.{field}", reason, "give the layer a larger network")


def reachable(written: Written) -> Iterator[Mistake]:
    """Routers join all segments into one network; on any other there are machines that nobody reaches."""
    plugged = plugs(cables(written, "full"))
    routers = [set(plugged.get(m.name, {})) for m in machines(written, "full") if ROLES[m.role].forwards]
    joined: set[str] = set()
    grown = routers[0] if routers else set()
    while grown - joined:
        joined |= grown
        grown = set().union(*(segments for segments in routers if segments & joined))
    for entry in written.segments:
        if entry.doc.name not in joined:
            reason = f"no way leads to {entry.doc.name}: no router that reaches the others has a cable in it"
            yield entry.mistake("name", reason, "cable a router (gateway, wan, fabric, cec-gateway) into it")
