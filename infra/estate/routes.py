"""Static routes: the shortest way over the routers from every machine to every segment."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from infra.estate.model import Route


@dataclass(frozen=True, slots=True)
class Member:
    """A machine as routing sees it: its address in each segment that it has a port in, in the order of its ports."""

    name: str
    forwards: bool
    addresses: Mapping[str, IPv4Address]


def routes_of(
    member: Member, members: Iterable[Member], prefixes: Mapping[str, IPv4Network], supernets: Iterable[IPv4Network]
) -> tuple[Route, ...]:
    """A router gets a route to each segment that it is not in; another machine one per supernet, to its router.

    A machine without a router in any of its segments gets none. Ties go to the router whose name comes first.
    """
    routers = sorted((each for each in members if each.forwards and each.name != member.name), key=lambda r: r.name)
    if not member.forwards:
        gateway = next(
            (router.addresses[s] for s in member.addresses for router in routers if s in router.addresses), None
        )
        return tuple(Route(net, gateway) for net in supernets) if gateway else ()
    ways = first_hops(member, routers)
    return tuple(sorted((Route(prefixes[segment], way) for segment, way in ways.items()), key=lambda r: r.destination))


def first_hops(router: Member, routers: Iterable[Member]) -> dict[str, IPv4Address]:
    """The next router's address for every segment that can be reached from `router` and that it is not in itself."""
    hops: dict[str, IPv4Address] = {}
    seen = {router.name}
    queue: deque[tuple[Member, IPv4Address | None]] = deque([(router, None)])
    while queue:
        here, way = queue.popleft()
        for segment in here.addresses:
            if way and segment not in router.addresses:
                hops.setdefault(segment, way)
        for other in routers:
            shared = next((segment for segment in here.addresses if segment in other.addresses), None)
            if shared is not None and other.name not in seen:
                seen.add(other.name)
                queue.append((other, way or other.addresses[shared]))
    return hops
