"""The estate of one stack: complete, frozen, and free of any engine.

Every renderer (Pulumi resources, inventory, cable plan, graph, golden files) reads these types and nothing
else. They are made by `infra.estate.load.load_estate` only.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from infra.estate.governance import ApprovalRule, Person, PersonRole, Waiver
from infra.estate.storage import Bucket


class Layer(StrEnum):
    """How long a thing lives."""

    CORE = "core"
    """A season: object store, Manage Centre, backbone, permanent places."""
    STAGE = "stage"
    """A day: truck, its cables, cloud servers; created in the morning, gone at night."""


class Placement(StrEnum):
    """What realises a node."""

    LAB = "lab"
    """A systemd and sshd container; cables are veth pairs."""


class Demand(StrEnum):
    """For which part of its day a stage is equipped."""

    REST = "rest"
    """Before the scale-up and after the finish."""
    RACE = "race"
    """From the scale-up before the start to the finish."""


class Finish(StrEnum):
    """How a stage ends."""

    FLAT = "flat"
    UPHILL = "uphill"
    SUMMIT = "summit"


class Quantity(StrEnum):
    """What of a thing a stage has more or less of; in the model's own units."""

    MACHINES = "machines"
    CPU = "cpu_percent"
    """100 is one processor."""
    MEMORY = "memory_mb"


class SiteKind(StrEnum):
    """What a site is for the people who look at it."""

    TRUCK = "truck"
    CLOUD = "cloud"
    PLACE = "place"
    OPERATIONS = "operations"


@dataclass(frozen=True, slots=True)
class Stage:
    """A race day."""

    edition: int
    number: int
    date: date
    start: str
    finish: str
    distance_km: float
    kind: str
    """As in stages.csv: road, individual time trial, team time trial; refined by `profile`."""
    profile: str
    """flat, hilly, mountain, time trial: what capacity and the stand-in course follow from."""
    opens: datetime
    """The technical zone opens; all times carry the zone of the finish."""
    race_start: datetime
    expected_finish: datetime
    pack_up: datetime
    course: str
    """File in courses/ whose real course stands in for this stage's."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place with equipment."""

    name: str
    title: str
    kind: SiteKind
    layer: Layer
    location: str
    """Town; for a site that moves with the race, the finish of the stage."""
    timezone: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A layer-3 network with one prefix."""

    name: str
    title: str
    prefix: IPv4Network
    layer: Layer
    daily: bool = False
    """Whether the prefix is counted from the stage's number: another one every day."""


@dataclass(frozen=True, slots=True)
class PortRef:
    """One end of a cable."""

    node: str
    port: str


@dataclass(frozen=True, slots=True)
class Link:
    """A cable between two ports, known by the label that is printed on it."""

    label: str
    a: PortRef
    b: PortRef
    segment: str
    layer: Layer
    mtu: int


@dataclass(frozen=True, slots=True)
class Interface:
    """A layer-3 interface: a port, or a bridge over the ports of one segment."""

    name: str
    segment: str
    address: IPv4Interface
    members: tuple[str, ...]
    """Ports of the bridge; empty where the interface is a port itself."""
    mtu: int


@dataclass(frozen=True, slots=True)
class Route:
    """A static route, derived from the segments and the routers between them."""

    destination: IPv4Network
    gateway: IPv4Address


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service may use, from the stage's capacity profile."""

    cpu_percent: int
    """100 is one processor."""
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Service:
    """Software on one node."""

    name: str
    title: str
    node: str
    role: str
    """The Ansible role that configures it."""
    unit: str
    """Its systemd unit."""
    port: int | None
    """TCP port of its main listener."""
    health_port: int | None
    """TCP port on which GET /healthz answers 200 while it does its work."""
    limits: Limits
    needs: tuple[str, ...]
    """Names of the services that it uses, on whatever node they run."""
    keeps_data: bool
    """Whether what it writes has to outlive its machine."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine: identity is role and slot, never a town, a date or an address."""

    name: str
    title: str
    role: str
    slot: int
    site: str
    layer: Layer
    rack_unit: int | None
    management: IPv4Address
    """Out of band; what Ansible and the operator reach."""
    ports: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    forwards: bool
    """Whether it routes between its interfaces."""
    roles: tuple[str, ...]
    """Ansible roles, in the order in which they apply."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What services of a season share and nobody writes down: made once, kept encrypted."""

    name: str
    length: int
    """Characters."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place of collaboration: sees the same video feed and the same displays as all others."""

    site: str
    node: str
    """The machine that shows them."""
    purpose: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a stage gets of one thing, at rest and in the race, each with its reason in words."""

    subject: str
    """A role of machines (processor), or a service, of which every instance has as much."""
    quantity: Quantity
    rest: int
    race: int
    """Never less than at rest; for machines never more than the contract allows."""
    rest_reason: str
    race_reason: str

    def at(self, demand: Demand) -> int:
        """The number for a part of the day."""
        return self.race if demand is Demand.RACE else self.rest

    def reason(self, demand: Demand) -> str:
        """Why the number is what it is: `mountain stage, 181.5 km, ...: 24 of 24 processor machines`."""
        return self.race_reason if demand is Demand.RACE else self.rest_reason


@dataclass(frozen=True, slots=True)
class Estate:
    """All of one stack. Tuples are in the order of their names, so every render is stable."""

    stack: str
    """`2017-core` or `2017-s09`."""
    edition: int
    title: str
    layer: Layer
    stage: Stage | None
    """None for the core."""
    scale: str
    """small or full."""
    management: IPv4Network
    """Out-of-band network of this layer's nodes."""
    sites: tuple[Site, ...]
    segments: tuple[Segment, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    services: tuple[Service, ...]
    core: "Estate | None"
    """The season's estate that a stage plugs into; None for the core itself. A stage's own tuples hold only
    what the stage's stack creates; a link of the stage may end at a node of the core. The core that a stage
    holds is the core as it has to be on that day: its router has an address and routes towards the town."""
    endpoints: tuple[Endpoint, ...] = ()
    time_servers: tuple[str, ...] = ()
    """Nodes of this layer and of the core that serve time, the nearest first."""
    buckets: tuple[Bucket, ...] = ()
    """Of the season's object store; none for a stage."""
    people: tuple[Person, ...] = ()
    """Who may act on the estate and approve changes of it."""
    approval: ApprovalRule = ApprovalRule("R3", 24)
    secrets: tuple[Secret, ...] = ()
    """The season's; a stage uses those of its core."""
    supernets: tuple[IPv4Network, ...] = ()
    """All prefixes of the edition's segments lie inside these."""
    waivers: tuple[Waiver, ...] = ()
    """Breaches of policies that the edition allows for a time."""
    demand: Demand = Demand.RACE
    """What the stage is equipped for; nodes and limits are those of this part of the day."""
    capacity: tuple[Capacity, ...] = ()
    """What grows with the stage; none for the core."""

    @property
    def operator_keys(self) -> tuple[str, ...]:
        """Public SSH keys of everybody who carries out changes, and so may log in to the machines."""
        return tuple(
            sorted(key.public for person in self.people if PersonRole.OPERATOR in person.roles for key in person.keys)
        )

    def node(self, name: str) -> Node:
        """The node of that name, here or in the core; KeyError where there is none."""
        for node in self.everything("nodes"):
            if node.name == name:
                return node
        raise KeyError(name)

    def reasons(self, name: str) -> dict[Quantity, str]:
        """Why there is as much as there is, by quantity: of a node by its role, of a service by its name."""
        node = next((node for node in self.nodes if node.name == name), None)
        subject = node.role if node else name
        wanted = {Quantity.MACHINES} if node else {Quantity.CPU, Quantity.MEMORY}
        found = (each for each in self.capacity if each.subject == subject and each.quantity in wanted)
        return {each.quantity: each.reason(self.demand) for each in found}

    def keeps_data(self, node: str) -> bool:
        """Whether a service on that node of this layer writes what has to outlive the machine."""
        return any(service.keeps_data for service in self.services if service.node == node)

    def everything(self, what: str) -> tuple:
        """`sites`, `segments`, `nodes`, `links`, `services` or `endpoints` of this stack and of the core below it."""
        return (getattr(self.core, what) if self.core else ()) + getattr(self, what)
