"""Builds the estate of a stack from an edition without mistakes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from infra.estate.addressing import address_in, management_address
from infra.estate.cabling import Cable, Machine, attachments, cables, machines, plugs
from infra.estate.capacity import capacity_of, counts_at, limits_at
from infra.estate.documents import EditionDoc, SegmentDoc, ServiceDoc, SiteDoc, StageDoc
from infra.estate.governance import ApprovalRule, Person, PersonKey, Waiver
from infra.estate.model import (
    Demand,
    Endpoint,
    Estate,
    Interface,
    Layer,
    Limits,
    Link,
    Node,
    Route,
    Secret,
    Segment,
    Service,
    Site,
    Stage,
)
from infra.estate.order import natural
from infra.estate.routes import Member, routes_of
from infra.estate.storage import Bucket, Retention, Statement
from infra.estate.vocabulary import ANSIBLE_ROLES, EVERY_NODE, ROLES
from infra.estate.written import Written


def build_core(written: Written) -> Estate:
    """The estate of a season on its own."""
    return _Builder(written, None, "full", Demand.RACE).estate(Layer.CORE)


def build_stage(written: Written, stage: StageDoc, scale: str, demand: Demand = Demand.RACE) -> Estate:
    """The estate of a race day, on the core as it is on that day."""
    return _Builder(written, stage, scale, demand).estate(Layer.STAGE)


def segment_prefix(segment: SegmentDoc, stage: int) -> IPv4Network:
    """The prefix of a segment on the day of a stage; ValueError where it is none."""
    return IPv4Network(segment.prefix.replace("{stage}", str(stage)))


def runs_on(service: ServiceDoc, machine: Machine) -> bool:
    """Whether a machine runs a service."""
    where = service.runs_on
    return where.everywhere or machine.name in where.nodes or machine.role in where.roles


def stage_of(edition: int, doc: StageDoc) -> Stage:
    """The race day that a line of stages.csv describes."""
    return Stage(edition=edition, **doc.model_dump())


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything of the season and of one day together, before it is divided into layers."""

    machines: tuple[Machine, ...]
    cables: tuple[Cable, ...]
    prefixes: Mapping[str, IPv4Network]
    members: Mapping[str, Member]
    ports: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Node → segment → ports."""


class _Builder:
    """Holds what every part of the estate is made from."""

    def __init__(self, written: Written, stage: StageDoc | None, scale: str, demand: Demand) -> None:
        self.written, self.scale, self.demand = written, scale, demand
        self.head: EditionDoc = written.head.doc
        self.stage = stage_of(written.edition, stage) if stage else None
        self.capacity = capacity_of(written, self.stage, scale) if self.stage else ()
        self.limits = limits_at(self.capacity, demand)
        self.plan = self._plan()

    def estate(self, layer: Layer) -> Estate:
        """The estate of a layer; the stage's holds the core's."""
        stage = self.stage if layer is Layer.STAGE else None
        nodes = tuple(self._node(machine) for machine in self.plan.machines if machine.layer is layer)
        names = {node.name for node in nodes}
        return Estate(
            stack=f"{self.head.edition}-s{stage.number:02}" if stage else f"{self.head.edition}-core",
            edition=self.head.edition,
            title=_title(self.head, stage),
            layer=layer,
            stage=stage,
            scale=self.scale if stage else "full",
            demand=self.demand if stage else Demand.RACE,
            capacity=self.capacity if stage else (),
            management=self._management(layer),
            sites=_ordered(self._site(site.doc) for site in self.written.sites if site.doc.layer is layer),
            segments=_ordered(self._segments(layer)),
            nodes=_ordered(nodes),
            links=tuple(sorted(self._links(layer), key=lambda link: natural(link.label))),
            services=tuple(sorted(self._services(layer), key=lambda s: (s.name, natural(s.node)))),
            core=self.estate(Layer.CORE) if stage else None,
            endpoints=tuple(
                Endpoint(**entry.doc.model_dump())
                for entry in sorted(self.written.endpoints, key=lambda entry: entry.doc.node)
                if entry.doc.node in names
            ),
            buckets=_ordered(self._buckets()) if layer is Layer.CORE else (),
            secrets=self._secrets() if layer is Layer.CORE else (),
            supernets=tuple(self.head.supernets),
            waivers=tuple(
                Waiver(**entry.doc.model_dump(), file=entry.file, field=entry.path) for entry in self.written.waivers
            ),
            people=tuple(
                Person(doc.name, tuple(doc.roles), tuple(PersonKey(**key.model_dump()) for key in doc.keys))
                for doc in sorted((entry.doc for entry in self.written.people), key=lambda doc: doc.name)
            ),
            approval=ApprovalRule(**self.head.approval.model_dump()),
            time_servers=tuple(name for name in self.head.time_servers if name in names | self._core_names()),
        )

    def _plan(self) -> _Plan:
        layers = set(Layer) if self.stage else {Layer.CORE}
        counts = counts_at(self.capacity, self.demand)
        present = tuple(machine for machine in machines(self.written, self.scale, counts) if machine.layer in layers)
        names = {machine.name for machine in present}
        laid = tuple(c for c in cables(self.written, self.scale, counts) if all(end.node in names for end in c.ends))
        plugged = plugs(laid)
        ports = {machine.name: attachments(machine, plugged) for machine in present}
        day = self.stage.number if self.stage else 0
        prefixes = {
            entry.doc.name: segment_prefix(entry.doc, day)
            for entry in self.written.segments
            if entry.doc.layer in layers
        }
        members = {machine.name: routing_member(machine, ports[machine.name], prefixes) for machine in present}
        return _Plan(present, laid, prefixes, members, ports)

    def _core_names(self) -> set[str]:
        return {machine.name for machine in self.plan.machines if machine.layer is Layer.CORE}

    def _management(self, layer: Layer) -> IPv4Network:
        return self.head.management.core if layer is Layer.CORE else self.head.management.stage

    def _site(self, doc: SiteDoc) -> Site:
        town = self.stage.finish if self.stage else ""
        return Site(**{**doc.model_dump(), "location": doc.location or town})

    def _segments(self, layer: Layer) -> Iterable[Segment]:
        for entry in self.written.segments:
            if entry.doc.layer is layer:
                daily = "{stage}" in entry.doc.prefix
                yield Segment(entry.doc.name, entry.doc.title, self.plan.prefixes[entry.doc.name], layer, daily)

    def _node(self, machine: Machine) -> Node:
        role = ROLES[machine.role]
        return Node(
            name=machine.name,
            title=machine.title,
            role=machine.role,
            slot=machine.slot,
            site=machine.site,
            layer=machine.layer,
            rack_unit=machine.rack_unit,
            management=management_address(self._management(machine.layer), role, machine.slot),
            ports=machine.ports,
            interfaces=tuple(self._interfaces(machine)),
            routes=self._routes(machine),
            forwards=role.forwards,
            roles=self._roles(machine),
        )

    def _interfaces(self, machine: Machine) -> Iterable[Interface]:
        role = ROLES[machine.role]
        for segment, ports in self.plan.ports[machine.name].items():
            yield Interface(
                name=f"br-{segment}" if role.bridges else ports[0],
                segment=segment,
                address=address_in(self.plan.prefixes[segment], role, machine.slot),
                members=ports if role.bridges else (),
                mtu=self.head.mtu,
            )

    def _routes(self, machine: Machine) -> tuple[Route, ...]:
        members = self.plan.members
        return routes_of(members[machine.name], members.values(), self.plan.prefixes, self.head.supernets)

    def _roles(self, machine: Machine) -> tuple[str, ...]:
        wanted = {EVERY_NODE} | {s.doc.role for s in self.written.services if runs_on(s.doc, machine)}
        return tuple(role for role in ANSIBLE_ROLES if role in wanted)

    def _links(self, layer: Layer) -> Iterable[Link]:
        layers = {machine.name: machine.layer for machine in self.plan.machines}
        for cable in self.plan.cables:
            core = all(layers[end.node] is Layer.CORE for end in cable.ends)
            if core is (layer is Layer.CORE):
                yield Link(cable.label, cable.a, cable.b, cable.segment, layer, self.head.mtu)

    def _services(self, layer: Layer) -> Iterable[Service]:
        for machine in self.plan.machines:
            if machine.layer is layer:
                for entry in self.written.services:
                    if runs_on(entry.doc, machine):
                        yield self._service(entry.doc, machine)

    def _buckets(self) -> Iterable[Bucket]:
        for entry in self.written.buckets:
            doc = entry.doc
            retention = Retention(doc.retention.mode, doc.retention.days) if doc.retention else None
            policy = tuple(
                Statement(each.name, each.effect, tuple(each.principals), tuple(each.actions)) for each in doc.policy
            )
            yield Bucket(doc.name, doc.title, doc.versioning, retention, policy)

    def _secrets(self) -> tuple[Secret, ...]:
        lengths = {name: length for entry in self.written.services for name, length in entry.doc.secrets.items()}
        return tuple(Secret(name, length) for name, length in sorted(lengths.items()))

    def _service(self, doc: ServiceDoc, machine: Machine) -> Service:
        return Service(
            name=doc.name,
            title=doc.title,
            node=machine.name,
            role=doc.role,
            unit=doc.unit,
            port=doc.port,
            health_port=doc.health_port,
            limits=service_limits(doc, machine, self.limits),
            needs=tuple(doc.needs),
            keeps_data=doc.keeps_data,
        )


def routing_member(
    machine: Machine, ports: Mapping[str, tuple[str, ...]], prefixes: Mapping[str, IPv4Network]
) -> Member:
    """A machine as routing sees it; ValueError where a number does not fit into a prefix."""
    role = ROLES[machine.role]
    addresses = {segment: address_in(prefixes[segment], role, machine.slot).ip for segment in ports}
    return Member(machine.name, role.forwards, addresses)


def service_limits(doc: ServiceDoc, machine: Machine, grown: Mapping[str, Limits]) -> Limits:
    """What one instance may use: a service of the season has the same limits on every day."""
    if machine.layer is Layer.STAGE and doc.name in grown:
        return grown[doc.name]
    return Limits(**doc.limits.model_dump())


def _title(head: EditionDoc, stage: Stage | None) -> str:
    return (
        f"{head.title}, stage {stage.number}: {stage.start} → {stage.finish}" if stage else f"{head.title}, the season"
    )


def _ordered(things: Iterable) -> tuple:
    return tuple(sorted(things, key=lambda thing: natural(thing.name)))
