"""Who can reach a machine: sets of addresses and ports, not the strings that spell them."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from infra.policy.docker import containers, listed, node_of
from infra.policy.model import Breach, Facts, PolicyItem, breach, policy

_LOOPBACKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_EVERYWHERE = ip_network("0.0.0.0/0")
# SSH, Docker's API, and the hub and broker through which machines take orders.
MANAGEMENT_PORTS = frozenset({22, 2375, 2376, 4222, 6222, 8222})


@policy(
    "ports-on-loopback",
    remedy="publish it on 127.0.0.1, or do not publish it",
    controls=("CCM IVS-03", "ISO 27001 A.8.20", "CIS 4.4"),
)
def ports_on_loopback(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A port that is published beyond the host's loopback is open to whatever network the truck is plugged into."""
    for item in containers(items):
        if item.properties.get("publishAllPorts"):
            yield breach(item, "publishes every port of its image")
        for port in listed(item, "ports"):
            network = _listens_on(port.get("ip"))
            if not any(network.version == own.version and network.subnet_of(own) for own in _LOOPBACKS):  # type: ignore[arg-type]
                yield breach(item, f"publishes port {_number(port, 'external')} on {network}, beyond the loopback")


@policy(
    "no-management-port",
    remedy="reach it over the out-of-band management network",
    controls=("CCM IVS-03", "CCM IAM-10", "ISO 27001 A.8.2", "ISO 27001 A.8.20", "CIS 4.4", "CIS 4.6"),
)
def no_management_port(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A published SSH, Docker or broker port lets an intruder on the host, or behind it, take over the machines."""
    for item in containers(items):
        for port in listed(item, "ports"):
            touched = MANAGEMENT_PORTS & {_number(port, "internal"), _number(port, "external")}
            for number in sorted(touched):
                yield breach(item, f"publishes the management port {number}")


@policy(
    "ports-as-declared",
    remedy="declare the service in stacks/, or do not publish its port",
    controls=("CCM IVS-03", "CCM CCC-04", "ISO 27001 A.8.20", "CIS 4.8"),
)
def ports_as_declared(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A port that no declared service listens on is a way in that nobody watches."""
    for item in containers(items):
        known = facts.listeners.get(node_of(item), frozenset())
        for port in listed(item, "ports"):
            if (number := _number(port, "internal")) not in known:
                yield breach(item, f"publishes port {number}, on which the model has no service there")


def _listens_on(address: object) -> IPv4Network | IPv6Network:
    """The host addresses that a published port takes; everything where none is named or it cannot be read."""
    try:
        found = ip_address(str(address))
    except ValueError:
        return _EVERYWHERE
    return ip_network(f"{found}/0" if found.is_unspecified else str(found), strict=False)


def _number(port: dict, side: str) -> int:
    """Docker publishes to a free port of its own choice where none is given: 0."""
    return int(port.get(side) or 0)
