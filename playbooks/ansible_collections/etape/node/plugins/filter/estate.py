"""Questions about a node of the estate that templates ask."""

import hashlib
from collections.abc import Iterable
from ipaddress import ip_address, ip_interface

from ansible_collections.etape.node.plugins.plugin_utils.releases import release_name


def addresses(interfaces: Iterable[dict]) -> list[str]:
    """The IP addresses of a node's interfaces, without their prefix lengths."""
    return [str(ip_interface(interface["address"]).ip) for interface in interfaces]


def routes_through(routes: Iterable[dict], interface: dict) -> list[dict]:
    """The routes whose gateway is on the segment of `interface`."""
    network = ip_interface(interface["address"]).network
    return [route for route in routes if ip_address(route["gateway"]) in network]


def hardware_address(interface: dict, node: str) -> str:
    """A locally administered address of a bridge: the same after every restart, different on every node."""
    digest = hashlib.sha256(f"{node} {interface['name']}".encode()).hexdigest()
    return ":".join(["02", *(digest[at : at + 2] for at in range(0, 10, 2))])


def broker_url(endpoints: Iterable[dict], site_kind: str) -> str:
    """Where NATS clients find the broker at the sites of a kind: `truck` or `cloud`, the two ends of the uplink."""
    return next(
        f"nats://{endpoint['host']}:{endpoint['port']}" for endpoint in endpoints if endpoint["site_kind"] == site_kind
    )


def watched_units(services: Iterable[dict]) -> list[dict]:
    """What the edge agent watches of a node's services: each unit, and where it says that it is healthy."""
    return [
        {
            "name": service["unit"],
            "health_url": f"http://127.0.0.1:{service['health_port']}/healthz" if service["health_port"] else None,
        }
        for service in services
    ]


class FilterModule:
    """Filters of the collection."""

    def filters(self) -> dict:
        """By name."""
        return {
            "addresses": addresses,
            "routes_through": routes_through,
            "hardware_address": hardware_address,
            "broker_url": broker_url,
            "watched_units": watched_units,
            "release_name": release_name,
        }
