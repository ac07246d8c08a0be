"""Where every value of a resolved estate comes from: the file and line that say it, and how it follows from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from infra.estate.addressing import host_number
from infra.estate.cabling import Cable, Machine, cables, machines
from infra.estate.load import STACKS, DemandName, Scale, load_estate, read_and_checked
from infra.estate.model import Capacity, Estate, Interface, Link, Node, Quantity, Route, Segment, Service
from infra.estate.source import Place, Steps
from infra.estate.vocabulary import ROLES
from infra.estate.written import Entry, Written

ASKED = ("stack", "scale", "demand", "core")
"""Fields of an estate that say what was asked for; no file holds them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One value and where it comes from."""

    path: str
    """`nodes.edge-1.size`, `services.relay@edge-2.limits.cpu_percent`: things by their names."""
    value: str
    file: str
    """`stacks/common/truck.yaml`."""
    line: int
    how: str = ""
    """How the value follows from what stands there; empty where it stands there itself."""


@dataclass(frozen=True, slots=True)
class At:
    """A line of a file, and how a value follows from it."""

    place: Place
    steps: Steps = ()
    how: str = ""

    def origin(self, path: str, value: object) -> Origin:
        """Of a value, that it stands or follows here."""
        return Origin(path, text_of(value), self.place.file, self.place.line(*self.steps), self.how)


def origins_of(
    stack: str, root: Path = STACKS, scale: Scale = "full", demand: DemandName = "race"
) -> tuple[Origin, ...]:
    """The origin of every value of what the stack itself declares. Raises EstateError."""
    estate = load_estate(stack, scale, root, demand)
    written, _ = read_and_checked(root, str(estate.edition))
    return tuple(_Tracer(written, estate).all())


def text_of(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, tuple | list):
        return ", ".join(text_of(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


class _Tracer:
    """Goes through an estate beside the entries that it was made from."""

    def __init__(self, written: Written, estate: Estate) -> None:
        self.written, self.estate = written, estate
        self.head = written.head
        self.machines = {machine.name: machine for machine in machines(written, estate.scale)}
        self.cables = {cable.label: cable for cable in cables(written, estate.scale)}
        self.sites = _by(written.sites, attrgetter("name"))
        self.segments = _by(written.segments, attrgetter("name"))
        self.services = _by(written.services, attrgetter("name"))
        self.stage = next((e for e in written.stages if estate.stage and e.doc.number == estate.stage.number), None)

    def all(self) -> Iterator[Origin]:
        """Every value, in the order of the estate's fields."""
        estate = self.estate
        yield from self._head()
        if self.stage:
            yield from _values("stage", estate.stage, self.stage, {"edition": self._of_head("edition")})
        for site in estate.sites:
            town = {} if self.sites[site.name].doc.location else {"location": self._town()}
            yield from _values(f"sites.{site.name}", site, self.sites[site.name], town)
        for segment in estate.segments:
            yield from self._segment(segment)
        for node in estate.nodes:
            yield from self._node(node, self.machines[node.name])
        for link in estate.links:
            yield from self._link(link, self.cables[link.label])
        for service in estate.services:
            yield from self._service(service)
        for kind, name in (("endpoints", "site"), ("buckets", "name"), ("people", "name")):
            entries = _by(getattr(self.written, kind), attrgetter(name))
            for thing in getattr(estate, kind):
                yield from _values(f"{kind}.{getattr(thing, name)}", thing, entries[getattr(thing, name)])
        for waiver, entry in zip(estate.waivers, self.written.waivers, strict=True):
            yield from _values(f"waivers.{waiver.policy} {waiver.resource}", waiver, entry)
        yield from self._secrets()
        for each in estate.capacity:
            yield from self._capacity(each)

    def _head(self) -> Iterator[Origin]:
        estate = self.estate
        how = "its stage and towns are those of stages.csv" if estate.stage else "the season of the edition"
        yield self._of_head("title", how=how).origin("title", estate.title)
        yield self._of_head("management", estate.layer.value).origin("management", estate.management)
        for field in ("edition", "supernets", "time_servers", "approval"):
            yield from _origins(field, getattr(estate, field), self._of_head(field))
        yield self._of_head("edition", how="a core is a season's, a stage a day's").origin("layer", estate.layer)

    def _of_head(self, *steps: str, how: str = "") -> At:
        return _at(self.head, *steps, how=how or _written(self.head, steps[0]).how)

    def _town(self) -> At:
        return _at(self.stage, "finish", how="the site moves with the race") if self.stage else self._of_head("edition")

    def _segment(self, segment: Segment) -> Iterator[Origin]:
        entry = self.segments[segment.name]
        how = f"{entry.doc.prefix} with the number of the stage" if segment.daily else ""
        special = {
            "prefix": _at(entry, "prefix", how=how),
            "daily": _at(entry, "prefix", how="whether the prefix has the number of the stage in it"),
        }
        yield from _values(f"segments.{segment.name}", segment, entry, special)

    def _node(self, node: Node, machine: Machine) -> Iterator[Origin]:
        entry = machine.entry
        grown = hasattr(entry.doc, "count")
        number = host_number(ROLES[machine.role], machine.slot)
        of_group = {
            field: _at(entry, step, how="one of a group of servers")
            for field, step in (("slot", "count"), ("ports", "uplink"), ("title", "title"))
        }
        special = {
            **(of_group if grown else {}),
            "name": _at(entry, "role", how="role and slot"),
            "layer": _at(self.sites[node.site], "layer", how=f"that of the site {node.site}"),
            "management": self._of_head(
                "management", node.layer.value, how=f"number {number} of {node.name}, after the engine's ten addresses"
            ),
            "forwards": _at(entry, "role", how=f"whether a machine of the role {node.role} routes"),
            "roles": _at(entry, "role", how="of every machine, and of the services that run on it"),
        }
        path = f"nodes.{node.name}"
        yield from _values(path, node, entry, special, leave_out=("interfaces", "routes"))
        for interface in node.interfaces:
            yield from self._interface(f"{path}.interfaces.{interface.segment}", node, interface, number)
        for route in node.routes:
            yield self._way(node, route).origin(f"{path}.routes.{route.destination}", route.gateway)

    def _interface(self, path: str, node: Node, interface: Interface, number: int) -> Iterator[Origin]:
        plugged = [link for link in self.cables.values() if interface.segment == link.segment]
        cable = next(c for c in plugged if any(end.node == node.name for end in c.ends))
        laid = _at(cable.entry, *_segment_steps(cable), how=f"the cable {cable.label}")
        segment = self.segments[interface.segment]
        special = {
            "address": _at(segment, "prefix", how=f"number {number} of {node.name} in the prefix"),
            "mtu": self._of_head("mtu"),
        }
        for field in fields(interface):
            yield special.get(field.name, laid).origin(f"{path}.{field.name}", getattr(interface, field.name))

    def _way(self, node: Node, route: Route) -> At:
        if not node.forwards:
            return self._of_head("supernets", how="the router of its first segment that has one")
        target = next(s for s in self.estate.everything("segments") if s.prefix == route.destination)
        return _at(self.segments[target.name], "prefix", how="the next router on the shortest way to it")

    def _link(self, link: Link, cable: Cable) -> Iterator[Origin]:
        special = {
            "layer": _at(cable.entry, how="that of the shorter-lived of its ends"),
            "mtu": self._of_head("mtu"),
        }
        if hasattr(cable.entry.doc, "uplink"):
            uplink = _at(cable.entry, "uplink", how="the uplink of a group of servers")
            special.update(dict.fromkeys(("label", "a", "b", "segment"), uplink))
        yield from _values(f"links.{link.label}", link, cable.entry, special)

    def _service(self, service: Service) -> Iterator[Origin]:
        entry = self.services[service.name]
        reasons = self.estate.reasons(service.name) if entry.doc.grows else {}
        path = f"services.{service.name}@{service.node}"
        special = {"node": _at(entry, "runs_on")}
        yield from _values(path, service, entry, special, leave_out=("limits",))
        for quantity in (Quantity.CPU, Quantity.MEMORY):
            at = _at(entry, "limits", quantity.value, how=reasons.get(quantity, ""))
            yield at.origin(f"{path}.limits.{quantity}", getattr(service.limits, quantity.value))

    def _secrets(self) -> Iterator[Origin]:
        owners = {name: entry for entry in self.written.services for name in entry.doc.secrets}
        for secret in self.estate.secrets:
            yield _at(owners[secret.name], "secrets", secret.name).origin(f"secrets.{secret.name}", secret.length)

    def _capacity(self, each: Capacity) -> Iterator[Origin]:
        roles = [rule.role for rule in self.written.capacity.doc.growth]
        rule: Steps = ("growth", roles.index(each.subject)) if each.quantity is Quantity.MACHINES else ("limits",)
        for field, reason in (("rest", each.rest_reason), ("race", each.race_reason)):
            at = At(self.written.capacity.place(str(rule[0])), rule, reason)
            yield at.origin(f"capacity.{each.subject}.{each.quantity}.{field}", getattr(each, field))


def _values(
    path: str, thing: Any, entry: Entry, special: Mapping[str, At] | None = None, leave_out: Iterable[str] = ()
) -> Iterator[Origin]:
    """The fields of a thing: each stands in the entry's field of the same name, but for the special ones."""
    for field in fields(thing):
        if field.name not in leave_out:
            at = (special or {}).get(field.name) or _written(entry, field.name)
            yield from _origins(f"{path}.{field.name}", getattr(thing, field.name), at)


def _origins(path: str, value: object, at: At) -> Iterator[Origin]:
    """Of one value; of each of its fields where it is a thing itself."""
    if not is_dataclass(value) or isinstance(value, type):
        yield at.origin(path, value)
        return
    for field in fields(value):
        yield At(at.place, (*at.steps, field.name), at.how).origin(f"{path}.{field.name}", getattr(value, field.name))


def _written(entry: Entry, field: str) -> At:
    """Where a field of an entry stands; a field that no file gives has its default."""
    left_out = field in type(entry.doc).model_fields and field not in entry.given
    return _at(entry, field, how="left out" if left_out else "")


def _at(entry: Entry, *steps: str, how: str = "") -> At:
    return At(entry.place(steps[0] if steps else ""), steps, how)


def _by(entries: Iterable[Entry], name: Callable[[Any], str]) -> dict[str, Entry]:
    return {name(entry.doc): entry for entry in entries}


def _segment_steps(cable: Cable) -> tuple[str, ...]:
    return ("uplink", "segment") if hasattr(cable.entry.doc, "uplink") else ("segment",)
