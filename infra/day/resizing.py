"""What differs between two demands of a stage, and what must not. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.estate.model import Capacity, Estate, Node, Quantity

_UNITS = {Quantity.MACHINES: "machines", Quantity.CPU: "% of a processor", Quantity.MEMORY: "MB"}


@dataclass(frozen=True, slots=True)
class Move:
    """A number that changes, with the reason of the new one."""

    subject: str
    quantity: Quantity
    before: int
    after: int
    reason: str

    def __str__(self) -> str:
        unit = _UNITS[self.quantity]
        return f"{self.subject:<12} {f'{self.before} → {self.after}':>9} {unit:<16} {self.reason}"


@dataclass(frozen=True, slots=True)
class Resizing:
    """From one demand to another."""

    moves: tuple[Move, ...]
    coming: tuple[Node, ...]
    leaving: tuple[Node, ...]
    touched: tuple[str, ...]
    """Nodes of the new estate whose inside differs: new ones, their neighbours, and those with other limits."""

    def __str__(self) -> str:
        cables = {"+": self.coming, "-": self.leaving}
        nodes = (f"  {sign} {node.name} and its cable" for sign, of in cables.items() for node in of)
        return "\n".join([*(f"  {move}" for move in self.moves), *nodes])


def resizing(before: Estate, after: Estate) -> Resizing:
    """What has to change for `before` to become `after`: two demands of one stage at one scale."""
    there = {node.name: node for node in before.nodes}
    wanted = {node.name: node for node in after.nodes}
    return Resizing(
        moves=tuple(_moves(before, after)),
        coming=tuple(node for name, node in wanted.items() if name not in there),
        leaving=tuple(node for name, node in there.items() if name not in wanted),
        touched=tuple(name for name in wanted if _inside(before, name) != _inside(after, name)),
    )


def losses(before: Estate, after: Estate) -> tuple[str, ...]:
    """Why machines may not be taken away: sentences, none where nothing would be lost."""
    gone = {node.name for node in before.nodes} - {node.name for node in after.nodes}
    left = {service.name for service in after.services}
    leaving = [service for service in before.services if service.node in gone]
    return (
        *(f"{each.node} keeps data of {each.name}" for each in leaving if each.keeps_data),
        *(f"{each.node} has the last {each.name}" for each in leaving if each.name not in left),
    )


def _moves(before: Estate, after: Estate) -> Iterator[Move]:
    was: dict[tuple[str, Quantity], Capacity] = {(each.subject, each.quantity): each for each in before.capacity}
    for each in after.capacity:
        old, new = was[each.subject, each.quantity].at(before.demand), each.at(after.demand)
        if old != new:
            yield Move(each.subject, each.quantity, old, new, each.reason(after.demand))


def _inside(estate: Estate, name: str) -> tuple:
    """All that a deploy of one node follows from and that a demand may change."""
    return (
        [node for node in estate.nodes if node.name == name],
        [service for service in estate.services if service.node == name],
        [link for link in estate.links if name in (link.a.node, link.b.node)],
    )
