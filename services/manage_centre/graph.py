"""The estate's graph as the day cycle publishes it on `estate.<stack>`."""

from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    """Fields that a newer day cycle adds are left alone: the Manage Centre lives a season, the graph a day."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Stage(_Part):
    """The race day; times are ISO with the zone of the finish."""

    number: int
    date: str
    start: str
    finish: str
    distance_km: float
    opens: str
    race_start: str
    expected_finish: str
    pack_up: str


class Site(_Part):
    """A place with equipment."""

    name: str
    title: str
    kind: str
    timezone: str
    location: str


class Node(_Part):
    """A machine."""

    name: str
    title: str
    role: str
    slot: int
    site: str
    rack_unit: int | None
    layer: str
    management: str
    ports: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    forwards: bool = False


class End(_Part):
    """One end of a cable."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node} {self.port}"


class Link(_Part):
    """A cable, known by the label that is printed on it."""

    label: str
    a: End
    b: End
    segment: str

    @property
    def ends(self) -> tuple[End, End]:
        """Both ends."""
        return self.a, self.b

    def __str__(self) -> str:
        return f"{self.a} ↔ {self.b}"


class Segment(_Part):
    """A layer-3 network."""

    name: str
    prefix: str
    title: str


class Service(_Part):
    """Software on one node."""

    name: str
    title: str
    node: str
    unit: str
    port: int | None
    needs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name in addresses and tables."""
        return f"{self.name}@{self.node}"


class StackGraph(_Part):
    """What one stack owns."""

    stack: str
    edition: int
    title: str
    layer: str
    stage: Stage | None
    sites: tuple[Site, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    segments: tuple[Segment, ...]
    services: tuple[Service, ...]


@dataclass(frozen=True)
class Graph:
    """The core together with the stage that is plugged into it, either of which may not be known yet."""

    core: StackGraph | None = None
    stage: StackGraph | None = None

    @cached_property
    def stacks(self) -> tuple[StackGraph, ...]:
        """Those that are known, the core first."""
        return tuple(stack for stack in (self.core, self.stage) if stack)

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """By name, each once."""
        return tuple({site.name: site for stack in self.stacks for site in stack.sites}.values())

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """All nodes by name."""
        return {node.name: node for stack in self.stacks for node in stack.nodes}

    @cached_property
    def links(self) -> dict[str, Link]:
        """All cables by label."""
        return {link.label: link for stack in self.stacks for link in stack.links}

    @cached_property
    def services(self) -> dict[str, Service]:
        """All services by key."""
        return {service.key: service for stack in self.stacks for service in stack.services}

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All networks."""
        return tuple(segment for stack in self.stacks for segment in stack.segments)

    @cached_property
    def owners(self) -> dict[str, str]:
        """The node of each address."""
        return {address.split("/")[0]: node.name for node in self.nodes.values() for address in node.addresses}

    @cached_property
    def cables_of(self) -> dict[str, tuple[Link, ...]]:
        """The cables of each node."""
        return {
            name: tuple(link for link in self.links.values() if name in (link.a.node, link.b.node))
            for name in self.nodes
        }

    @cached_property
    def services_of(self) -> dict[str, tuple[Service, ...]]:
        """The services of each node."""
        return {
            name: tuple(service for service in self.services.values() if service.node == name) for name in self.nodes
        }
