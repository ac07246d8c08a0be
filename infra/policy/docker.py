"""Docker's resources as policies read them."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from infra.policy.model import PolicyItem

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"


def containers(items: Sequence[PolicyItem]) -> Iterator[PolicyItem]:
    """The machines."""
    return (item for item in items if item.type == CONTAINER)


def listed(item: PolicyItem, name: str) -> list[Any]:
    """A property that is a list; empty where it is not set."""
    value = item.properties.get(name)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def labels(item: PolicyItem) -> dict[str, str]:
    """The labels by name."""
    return {each["label"]: each.get("value", "") for each in listed(item, "labels") if each.get("label")}


def node_of(item: PolicyItem) -> str:
    """The node that a container or volume says it belongs to; empty where it does not say."""
    return labels(item).get("etape.node", "")


def subnets(item: PolicyItem) -> tuple[IPv4Network | IPv6Network, ...]:
    """The prefixes of a network; none for anything else."""
    return tuple(ip_network(each["subnet"]) for each in listed(item, "ipamConfigs") if each.get("subnet"))
