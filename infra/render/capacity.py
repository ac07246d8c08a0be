"""What the stages of an edition get and why, for whoever plans or pays them."""

from collections.abc import Iterable

from infra.estate.model import Capacity

_UNITS = {"machines": "", "cpu_percent": " %", "memory_mb": " MB"}


def capacity_text(stack: str, capacity: Iterable[Capacity]) -> str:
    """A line a number: at rest, in the race, and the reason of the race's."""
    return "".join(
        f"{stack}  {each.subject:<12} {each.quantity:<12}"
        f" {f'{each.rest}{_UNITS[each.quantity]}':>8} → {f'{each.race}{_UNITS[each.quantity]}':<8} {each.race_reason}\n"
        for each in capacity
    )
