"""A resolved estate for people to read, as it is or with the origin of every value."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from infra.estate.model import Estate, Node, Service
from infra.estate.origins import Origin

_LONGEST_VALUE = 60


def estate_text(estate: Estate) -> str:
    """What the stack itself declares: sites, segments, machines, cables and services, each a table."""
    tables = (
        ("Sites", [(s.name, s.title, s.kind.value, s.location, s.timezone) for s in estate.sites]),
        ("Segments", [(s.name, str(s.prefix), s.title) for s in estate.segments]),
        ("Machines", [_machine(node) for node in estate.nodes]),
        (
            "Cables",
            [(c.label, f"{c.a.node} {c.a.port}", f"{c.b.node} {c.b.port}", c.segment) for c in estate.links],
        ),
        ("Services", [_service(service) for service in estate.services]),
        ("Places", [(e.site, e.node, e.purpose) for e in estate.endpoints]),
    )
    shown = (f"{title} ({len(rows)})\n{columns(rows)}" for title, rows in tables if rows)
    part = f", for the {estate.demand}" if estate.stage else ""
    return f"{estate.title}\n{estate.stack} at the {estate.scale} scale{part}\n\n" + "\n\n".join(shown) + "\n"


def origins_text(origins: Iterable[Origin]) -> str:
    """Every value under its thing: field, value, file and line, and how it follows from what stands there."""
    blocks = []
    for thing, members in groupby(origins, key=_thing):
        rows = [
            (origin.path.removeprefix(f"{thing}."), _cut(origin.value), f"{origin.file}:{origin.line}", origin.how)
            for origin in members
        ]
        blocks.append(f"{thing}\n{columns(rows)}")
    return "\n".join(blocks) + "\n"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line}".rstrip() for line in lines)


def _machine(node: Node) -> tuple[str, ...]:
    unit = "" if node.rack_unit is None else f"U{node.rack_unit}"
    networks = ", ".join(f"{i.segment} {i.address} on {i.name}" for i in node.interfaces)
    return node.name, node.site, unit, node.title, str(node.management), networks


def _service(service: Service) -> tuple[str, ...]:
    port = "" if service.port is None else f"port {service.port}"
    limits = f"{service.limits.cpu_percent} % {service.limits.memory_mb} MB"
    return service.name, service.node, service.unit, port, limits, "needs " + ", ".join(service.needs or ("nothing",))


def _thing(origin: Origin) -> str:
    """`nodes.edge-1` for every value of that machine, `stage` for the race day, `estate` for what is the whole's."""
    kind, *names = origin.path.split(".")
    if not names:
        return "estate"
    return kind if len(names) == 1 else f"{kind}.{names[0]}"


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
