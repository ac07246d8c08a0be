"""A packet's way over the model: what a kernel would do with the planned addresses, bridges and routes."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from infra.estate.model import Estate, Node, Route

_HOPS = 8


class Undelivered(Exception):
    """The packet was dropped; says where and why."""


class Network:
    """Every machine of an estate and its core, with who is at which address of which cabled network."""

    def __init__(self, estate: Estate) -> None:
        self.nodes = {node.name: node for node in estate.everything("nodes")}
        self.wires = list(_wires(estate))

    def send(self, source: str, target: IPv4Address) -> list[str]:
        """The machines on the way, both ends included. Raises Undelivered."""
        here, way = self.nodes[source], [source]
        while not any(interface.address.ip == target for interface in here.interfaces):
            if len(way) > _HOPS or (len(way) > 1 and not here.forwards):
                raise Undelivered(f"{target} from {source}: {here.name} does not pass it on, way {way}")
            here = self._next(here, target)
            way.append(here.name)
        return way

    def _next(self, here: Node, target: IPv4Address) -> Node:
        hop = target if self._interface(here, target) else _route(here, target).gateway
        interface = self._interface(here, hop)
        if interface is None:
            raise Undelivered(f"{target}: the gateway {hop} of {here.name} is in none of its segments")
        for name in self._heard_by(here.name, interface.segment):
            if any(i.address.ip == hop and i.segment == interface.segment for i in self.nodes[name].interfaces):
                return self.nodes[name]
        raise Undelivered(f"{target}: nobody in {interface.segment} answers {here.name} for {hop}")

    def _interface(self, node: Node, address: IPv4Address):
        return next((i for i in node.interfaces if address in i.address.network), None)

    def _heard_by(self, name: str, segment: str) -> set[str]:
        """Machines that hear what `name` broadcasts in a segment: cables carry it, bridges pass it on."""
        heard, loud = {name}, [name]
        while loud:
            here = loud.pop()
            for a, b, of in self.wires:
                if of == segment and here == a and b not in heard:
                    heard.add(b)
                    loud += [b] if any(i.members and i.segment == segment for i in self.nodes[b].interfaces) else []
        return heard


def _wires(estate: Estate) -> Iterator[tuple[str, str, str]]:
    for link in estate.everything("links"):
        yield link.a.node, link.b.node, link.segment
        yield link.b.node, link.a.node, link.segment


def _route(node: Node, target: IPv4Address) -> Route:
    fitting = [route for route in node.routes if target in route.destination]
    if not fitting:
        raise Undelivered(f"{target}: {node.name} has no route")
    return max(fitting, key=lambda route: route.destination.prefixlen)
