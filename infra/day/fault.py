"""Faults as the road brings them, each with its cure. Pure: which command breaks what, and which mends it."""

from dataclasses import dataclass
from shlex import quote

from infra.day.outcome import Refusal
from infra.estate.model import Estate, Link, Node


@dataclass(frozen=True, slots=True)
class Fault:
    """A command that breaks something on a node and the one that mends it, also where it never broke."""

    node: str
    title: str
    harm: str
    heal: str


def uplink(estate: Estate) -> Fault:
    """The town's handoff goes dark: no carrier between the truck and the managed network."""
    return cable(estate, next(link.label for link in estate.links if link.segment == "uplink"))


def cable(estate: Estate, label: str) -> Fault:
    """Pull a cable: both ends lose carrier."""
    link = _link(estate, label)
    title = f"cable {label} ({link.a.node} {link.a.port} ↔ {link.b.node} {link.b.port}) is pulled"
    port = quote(link.b.port)
    return Fault(link.b.node, title, f"ip link set dev {port} down", f"ip link set dev {port} up")


def address(estate: Estate, thief: str, victim: str) -> Fault:
    """Give one node another's address on the segment that they share."""
    for mine in _node(estate, thief).interfaces:
        for theirs in _node(estate, victim).interfaces:
            if mine.segment == theirs.segment and thief != victim:
                port = quote(mine.name)
                return Fault(
                    thief,
                    f"{thief} uses {theirs.address.ip} of {victim}",
                    f"ip address add {theirs.address} dev {port}",
                    f"ip address flush dev {port} to {theirs.address.ip}/32",
                )
    raise Refusal(f"{thief} and {victim} share no segment", "name two nodes of one segment, such as edge-1 edge-2")


def service(estate: Estate, name: str, node: str | None) -> Fault:
    """Stop a service where it runs."""
    found = [each for each in estate.everything("services") if each.name == name and node in (None, each.node)]
    if not found:
        names = ", ".join(sorted({each.name for each in estate.everything("services")}))
        raise Refusal(f"no service {name} runs" + (f" on {node}" if node else ""), f"name one of {names}")
    one = found[0]
    return Fault(
        one.node, f"{one.unit} on {one.node} is stopped", f"systemctl stop {one.unit}", f"systemctl start {one.unit}"
    )


def cpu(estate: Estate, node: str) -> Fault:
    """Keep one processor of a node busy."""
    _node(estate, node)
    burn = "systemd-run --unit etape-fault-cpu --property CPUQuota=100% sh -c 'while :; do :; done'"
    return Fault(node, f"a processor of {node} is busy", burn, "systemctl stop 'etape-fault-cp*'")


def _link(estate: Estate, label: str) -> Link:
    for link in estate.everything("links"):
        if link.label == label:
            return link
    labels = ", ".join(link.label for link in estate.links[:8])
    raise Refusal(f"no cable {label} in {estate.stack}", f"name one of its labels: {labels}, ...")


def _node(estate: Estate, name: str) -> Node:
    try:
        return estate.node(name)
    except KeyError:
        raise Refusal(f"no node {name} in {estate.stack}", "name one as `scripts/stage check` shows it") from None
