"""The arrival sheet: what the estate promises against what each node says of itself. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from infra.estate.model import Estate, Link, Node, PortRef, Service

_CLOCK_TOLERANCE_MS = 100.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the sheet."""

    kind: str
    """node, cable, address, clock, uplink or service."""
    subject: str
    good: bool
    sentence: str
    """What was found; for a bad finding also where to look."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a node said of itself; `trouble` says why where it said nothing."""

    facts: Mapping
    trouble: str = ""


def arrival_sheet(estate: Estate, observed: Mapping[str, Observed]) -> tuple[Finding, ...]:
    """Judge every node, cable, address, clock, uplink and service of a stack.

    `observed` has the facts of edge_agent by node name, the core's nodes included where a cable ends there.
    """
    present = {name: seen.facts for name, seen in observed.items() if not seen.trouble}
    return (
        *(_node(node, observed) for node in estate.nodes),
        *(_cable(link, present) for link in estate.links),
        *(finding for node in estate.nodes if node.name in present for finding in _addresses(node, present)),
        *(_clock(node, present[node.name]) for node in estate.nodes if node.name in present),
        *(_uplink(node, present[node.name]) for node in estate.nodes if node.name in present and node.forwards),
        *(_service(service, present[service.node]) for service in estate.services if service.node in present),
    )


def _node(node: Node, observed: Mapping[str, Observed]) -> Finding:
    trouble = observed[node.name].trouble if node.name in observed else "it was not asked"
    return Finding("node", node.name, not trouble, trouble or "answers over SSH with its pinned key")


def _cable(link: Link, present: Mapping[str, Mapping]) -> Finding:
    ends = f"{link.a.node} {link.a.port} ↔ {link.b.node} {link.b.port}"
    troubles = [
        *_end_troubles(link.a, link.b, present),
        *_end_troubles(link.b, link.a, present),
    ]
    return Finding("cable", link.label, not troubles, f"{ends}: " + ("; ".join(troubles) or "neighbours as planned"))


def _end_troubles(here: PortRef, there: PortRef, present: Mapping[str, Mapping]) -> Iterator[str]:
    if here.node not in present:
        yield f"{here.node} does not answer, so this end is not known"
        return
    port = present[here.node]["ports"].get(here.port)
    if port is None:
        yield f"{here.node} has no port {here.port}: the cable is not laid"
    elif not port["carrier"]:
        yield f"no carrier at {here.node} {here.port}: check both plugs"
    elif port["lldp"] is None:
        yield f"{here.node} {here.port} has carrier but hears no neighbour"
    elif (port["lldp"]["node"], port["lldp"]["port"]) != (there.node, there.port):
        yield (
            f"{here.node} {here.port} hears {port['lldp']['node']} {port['lldp']['port']}"
            f" instead of {there.node} {there.port}: the plug is in the wrong socket"
        )


def _addresses(node: Node, present: Mapping[str, Mapping]) -> Iterator[Finding]:
    there = present[node.name]["addresses"]
    for interface in node.interfaces:
        has = there.get(interface.name, [])
        good = str(interface.address) in has
        found = f"has {interface.address}" if good else f"lacks {interface.address}, has {', '.join(has) or 'none'}"
        yield Finding("address", f"{node.name} {interface.name}", good, found)


def _clock(node: Node, facts: Mapping) -> Finding:
    clock = facts["clock"]
    offset = clock["offset_ms"]
    if not clock["synchronised"] or offset is None:
        return Finding("clock", node.name, False, "has not found a time server yet: see `chronyc -n sources` there")
    good = abs(offset) <= _CLOCK_TOLERANCE_MS
    return Finding("clock", node.name, good, f"is {offset:+.2f} ms off, {_CLOCK_TOLERANCE_MS:.0f} ms are allowed")


def _uplink(node: Node, facts: Mapping) -> Finding:
    uplink = facts["uplink"]
    if not uplink or not uplink["target"]:
        return Finding("uplink", node.name, True, "has no uplink of its own")
    if uplink["rtt_ms"] is None:
        return Finding("uplink", node.name, False, f"{uplink['target']} does not answer: check the town's handoff")
    return Finding("uplink", node.name, True, f"{uplink['target']} answers in {uplink['rtt_ms']:.1f} ms")


def _service(service: Service, facts: Mapping) -> Finding:
    subject = f"{service.name} on {service.node}"
    unit = facts["units"].get(service.unit)
    if unit is None:
        return Finding("service", subject, False, f"{service.unit} is not watched there: deploy has not run")
    if unit["active"] != "active":
        return Finding("service", subject, False, f"{service.unit} is {unit['active']} ({unit['sub']})")
    if unit["healthy"] is False:
        return Finding("service", subject, False, f"{service.unit} runs but is not healthy: {unit['detail']}")
    return Finding("service", subject, True, f"{service.unit} runs" + (" and is healthy" if unit["healthy"] else ""))


def as_table(findings: tuple[Finding, ...], at: datetime) -> str:
    """The sheet as text: bad findings first, then a count of the good ones by kind."""
    bad = [f"✗ {finding.kind:<8} {finding.subject:<28} {finding.sentence}" for finding in findings if not finding.good]
    kinds = dict.fromkeys(finding.kind for finding in findings)
    counts = ", ".join(f"{_good(findings, kind)}/{_all(findings, kind)} {_plural(kind)}" for kind in kinds)
    return "\n".join([f"Arrival sheet, {at:%Y-%m-%d %H:%M:%S %Z}", *bad, f"good: {counts}"])


def _plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def _good(findings: tuple[Finding, ...], kind: str) -> int:
    return sum(finding.good for finding in findings if finding.kind == kind)


def _all(findings: tuple[Finding, ...], kind: str) -> int:
    return sum(finding.kind == kind for finding in findings)
