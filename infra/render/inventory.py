"""The Ansible inventory of a stack, and the pinned host keys that it relies on."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path

from infra.estate.model import Estate, Interface, Link, Node, PortRef, Service, Stage
from infra.render.outputs import node_output, secrets_of


def render_inventory(
    estate: Estate,
    outputs: Mapping[str, Mapping],
    key_file: Path,
    known_hosts: Path,
    plugged_in: Estate | None = None,
) -> dict:
    """The inventory as Ansible's YAML plugin reads it (JSON is YAML): hosts with their variables, and groups.

    It names the machines that the stack itself owns. `outputs` holds the outputs by stack; the stage's inventory
    needs the core's too, for the season's secrets. A router of the core that the stage plugs into is rendered with
    the core that the stage holds (`estate.core`), which knows the day's handoff; `plugged_in` is that stage, with the
    cables that end there and the services that the core's have to know. Raises MissingOutputs.
    """
    whole = plugged_in or estate
    shared = {
        "stack": estate.stack,
        "edition": estate.edition,
        "stage": _stage(estate.stage) if estate.stage else None,
        "hosts": {node.name: str(first_address(node)) for node in whole.everything("nodes")},
        "endpoints": _endpoints(whole),
        "operator_keys": list(estate.operator_keys),
        "supernets": [str(network) for network in estate.supernets],
        "time_servers": [str(first_address(estate.node(name))) for name in estate.time_servers],
        "secrets": secrets_of(outputs, estate),
    }
    links = whole.everything("links")
    hosts = {
        node.name: {
            "ansible_host": node_output(outputs, estate.stack, node)["address"],
            "etape": {**shared, **_of_node(estate, node, links)},
        }
        for node in estate.nodes
    }
    return {"all": {"vars": _connection(key_file, known_hosts), "hosts": hosts, "children": _groups(estate)}}


def render_known_hosts(estate: Estate, outputs: Mapping[str, Mapping]) -> str:
    """Lines of a known_hosts file for the machines that the stack owns. Raises MissingOutputs."""
    keys = [node_output(outputs, estate.stack, node) for node in estate.nodes]
    return "".join(f"{key['address']} {key['host_key']}\n" for key in keys)


def first_address(node: Node) -> IPv4Address:
    """Where the other machines reach a node; every machine has at least one cable."""
    return node.interfaces[0].address.ip


def _connection(key_file: Path, known_hosts: Path) -> dict[str, str]:
    return {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(key_file),
        "ansible_ssh_common_args": (
            f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
        ),
    }


def _groups(estate: Estate) -> dict[str, dict]:
    members: dict[str, set[str]] = {}
    for node in estate.nodes:
        for group in (f"role_{node.role}", f"site_{node.site}", f"layer_{node.layer}"):
            members.setdefault(group.replace("-", "_"), set()).add(node.name)
    for service in estate.services:
        members.setdefault(f"service_{service.name}", set()).add(service.node)
    order = [node.name for node in estate.nodes]
    return {
        group: {"hosts": {name: {} for name in sorted(members[group], key=order.index)}} for group in sorted(members)
    }


def _stage(stage: Stage) -> dict:
    return {
        "number": stage.number,
        "start": stage.start,
        "finish": stage.finish,
        "race_start": stage.race_start.isoformat(),
        "official_km": stage.distance_km,
        "course": stage.course,
        "kind": stage.kind,
    }


def _endpoints(estate: Estate) -> dict[str, list[dict]]:
    kinds = {site.name: site.kind.value for site in estate.everything("sites")}
    found: dict[str, list[dict]] = {}
    for service in estate.everything("services"):
        if service.port or service.health_port:
            node = estate.node(service.node)
            found.setdefault(service.name, []).append(
                {
                    "node": node.name,
                    "host": str(first_address(node)),
                    "port": service.port,
                    "site_kind": kinds[node.site],
                }
            )
    return found


def _of_node(estate: Estate, node: Node, links: Iterable[Link]) -> dict:
    return {
        "node": {"name": node.name, "role": node.role, "slot": node.slot, "site": node.site, "title": node.title},
        "interfaces": [_interface(interface) for interface in node.interfaces],
        "ports": list(_ports(node, links)),
        "routes": [{"destination": str(r.destination), "gateway": str(r.gateway)} for r in node.routes],
        "forwards": node.forwards,
        "roles": list(node.roles),
        "services": [_service(service) for service in estate.services if service.node == node.name],
    }


def _interface(interface: Interface) -> dict:
    return {
        "name": interface.name,
        "address": str(interface.address),
        "members": list(interface.members),
        "mtu": interface.mtu,
    }


def _ports(node: Node, links: Iterable[Link]) -> Iterable[dict]:
    """The node's cabled ports in the order in which the machine has them."""
    cabled = {}
    for link in links:
        for here, there in ((link.a, link.b), (link.b, link.a)):
            if here.node == node.name:
                cabled[here.port] = _port(here, there, link)
    return [cabled[port] for port in node.ports if port in cabled]


def _port(here: PortRef, there: PortRef, link: Link) -> dict:
    return {
        "name": here.port,
        "segment": link.segment,
        "label": link.label,
        "peer_node": there.node,
        "peer_port": there.port,
    }


def _service(service: Service) -> dict:
    return {
        "name": service.name,
        "unit": service.unit,
        "role": service.role,
        "port": service.port,
        "health_port": service.health_port,
        "limits": {"cpu_percent": service.limits.cpu_percent, "memory_mb": service.limits.memory_mb},
    }
