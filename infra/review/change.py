"""What differs between two snapshots, thing by thing and property by property."""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from infra.review.snapshot import Item, Snapshot, Value


class Risk(IntEnum):
    """What a change can do; the rules in `infra.review.risk` decide."""

    R0 = 0
    R1 = 1
    R2 = 2
    R3 = 3
    R4 = 4


class Action(StrEnum):
    """What happens to a thing on the way from the first snapshot to the second."""

    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    REPLACE = "replace"
    """It is taken away and made anew: what it holds in itself is gone."""
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One leaf; None stands for what is not there."""

    path: str
    """`ports[8310].ip`, `interfaces[wan0].address`."""
    before: Value
    after: Value
    expected: bool
    """Whether another day, or a change that is listed on its own, explains it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; `before` and `after` are None where it is not there."""

    kind: str
    name: str
    action: Action
    properties: tuple[PropertyChange, ...]
    before: Item | None
    after: Item | None
    note: str = ""
    """What was recognised, in words: `renamed from edge-4: ...`, `moved from port7 to port9`."""
    reason: str = ""
    """Why, from the model."""
    risk: Risk = Risk.R0
    rules: tuple[str, ...] = ()
    """Names of the rules that gave it its class."""

    @property
    def stack(self) -> str:
        """The stack on which it shows: that of the second snapshot where the thing is in both."""
        item = self.after or self.before
        return item.stack if item else ""

    @property
    def unexpected(self) -> tuple[PropertyChange, ...]:
        """The properties that nothing else explains."""
        return tuple(each for each in self.properties if not each.expected)

    def judged(self, risk: Risk, rules: tuple[str, ...]) -> "Change":
        """The same change with its class."""
        return replace(self, risk=risk, rules=rules)


@dataclass(frozen=True, slots=True)
class Folded:
    """Differences that one cause explains, told in a line."""

    cause: str
    count: int
    """Properties."""
    things: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs. `changes` holds what has to be read, `daily` what another day explains."""

    a: Snapshot
    b: Snapshot
    changes: tuple[Change, ...]
    daily: tuple[Change, ...]
    folded: tuple[Folded, ...]
    same: int
    """Things that are equal on both sides."""
    questions: tuple[str, ...] = ()

    def by_risk(self) -> dict[Risk, int]:
        """How many changes each class has; every class is there."""
        return {risk: sum(change.risk is risk for change in self.changes) for risk in Risk}
