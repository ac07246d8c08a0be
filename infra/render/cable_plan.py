"""The cable plan: what an engineer plugs in, in the order of the labels."""

from dataclasses import dataclass

from infra.estate.model import Estate, PortRef

_TITLES = ("label", "from", "port", "unit", "to", "port", "unit", "segment")


@dataclass(frozen=True, slots=True)
class CableRow:
    """One cable; a rack unit is None for what stands outside a rack."""

    label: str
    from_node: str
    from_port: str
    from_unit: int | None
    to_node: str
    to_port: str
    to_unit: int | None
    segment: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            self.label,
            self.from_node,
            self.from_port,
            _unit(self.from_unit),
            self.to_node,
            self.to_port,
            _unit(self.to_unit),
            self.segment,
        )


def cable_plan(estate: Estate) -> tuple[CableRow, ...]:
    """The cables that the stack itself owns."""
    units = {node.name: node.rack_unit for node in estate.everything("nodes")}

    def end(ref: PortRef) -> tuple[str, str, int | None]:
        return ref.node, ref.port, units[ref.node]

    return tuple(CableRow(link.label, *end(link.a), *end(link.b), link.segment) for link in estate.links)


def cable_plan_text(estate: Estate) -> str:
    """The plan as a table to print and take along."""
    rows = [_TITLES, *(row.cells for row in cable_plan(estate))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return f"{estate.title}\n\n" + "\n".join(lines) + "\n"


def _unit(unit: int | None) -> str:
    return "-" if unit is None else f"U{unit}"
