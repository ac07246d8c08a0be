"""Which differences another day, another year's names or another change explains: decided from both models.

Each side is read in its own terms: its stacks' names, its stage, its address blocks. Two values that are equal in
these terms differ only because the terms do, and the one cause stands for all of them.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from ipaddress import AddressValueError, IPv4Interface, IPv4Network, NetmaskValueError
from typing import Any

from infra.review.snapshot import Item, Reference, Snapshot, Value
from infra.review.values import bare

_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?")
_INDEX = re.compile(r"\[([^\]]*)\]")
# Another machine has another key; within one stack that is a machine made anew, which has to be seen.
_OF_THE_MACHINE = "outputs.host_key"


class Terms:
    """In which terms one snapshot is written."""

    def __init__(self, snapshot: Snapshot, renamed: Mapping[str, str] | None = None) -> None:
        """`renamed` maps this side's names of things to the other side's."""
        self.stacks = snapshot.stacks
        self.editions = tuple(dict.fromkeys(stack.partition("-")[0] for stack in self.stacks))
        stage = snapshot.find("stage", "stage")
        self.stage: Mapping[str, Any] | None = stage.properties if stage else None
        self.blocks = tuple(_blocks(snapshot))
        self._names = {f"{edition}-core": "{core}" for edition in self.editions}
        self._names |= {stack: "{stage}" for stack in self.stacks if not stack.endswith("-core")} | dict(renamed or {})
        self._pattern = re.compile("|".join(_whole(name) for name in sorted(self._names, key=len, reverse=True)))
        self.path = cache(self._path)

    def _path(self, path: str) -> str:
        """A path whose keys are in general terms: `networksAdvanced[{core}-management].name`."""
        return _INDEX.sub(lambda found: f"[{self.plain(found[1])}]", path) if "[" in path else path

    def plain(self, value: Value) -> Value:
        """A value in general terms: names without their stack, addresses as places in their block."""
        value = bare(value)
        if isinstance(value, tuple):
            return tuple(self.plain(each) for each in value)
        if isinstance(value, Reference):
            return Reference(value.kind, self._plain_name(value.name))
        if not isinstance(value, str):
            return value
        return self._plain_address(value) if _ADDRESS.fullmatch(value) else self._plain_name(value)

    def block(self, value: Value) -> str:
        """Name of the block that an address is in; empty for what is no address or in none."""
        first = value[0] if isinstance(value, tuple) and value else value
        if not isinstance(first, str) or not _ADDRESS.fullmatch(first):
            return ""
        found = self._block_of(first)
        return found[0] if found else ""

    def _plain_name(self, text: str) -> str:
        return self._pattern.sub(lambda found: self._names[found[0]], text) if self._names else text

    def _plain_address(self, text: str) -> str:
        found = self._block_of(text)
        if found is None:
            return text
        name, block, _ = found
        address = IPv4Interface(text)
        place = int(address.ip) - int(block.network_address)
        length = "=" if address.network.prefixlen == block.prefixlen else str(address.network.prefixlen)
        return f"{{{name}}}+{place}" + (f"/{length}" if "/" in text else "")

    def _block_of(self, text: str) -> tuple[str, IPv4Network, bool] | None:
        try:
            address = IPv4Interface(text)
        except (AddressValueError, NetmaskValueError):
            return None
        holding = (each for each in self.blocks if address.ip in each[1])
        # A wider network that begins at the same address, such as a route's, is not in the block.
        return next((each for each in holding if "/" not in text or each[1].supernet_of(address.network)), None)


def _whole(name: str) -> str:
    return rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"


def _blocks(snapshot: Snapshot) -> Iterable[tuple[str, IPv4Network, bool]]:
    """Name, prefix and whether it changes with the day; the narrowest first."""
    found = [
        (each.name, IPv4Network(each.properties["prefix"]), bool(each.properties.get("daily")))
        for each in snapshot.of_kind("segment")
    ]
    found += [
        (f"management of the {each.name}", IPv4Network(each.properties["management"]), False)
        for each in snapshot.of_kind("stack")
    ]
    return sorted(found, key=lambda block: -block[1].prefixlen)


class Expectations:
    """Explains differences between two snapshots, or does not."""

    def __init__(self, a: Snapshot, b: Snapshot, renamed: Mapping[str, str]) -> None:
        self.a, self.b = Terms(a, renamed), Terms(b)
        self._another_stage = _day(self.a) != _day(self.b)
        self._another_year = self.a.editions != self.b.editions
        self._another_stack = self.a.stacks != self.b.stacks
        self._renamed = bool(renamed)

    def cause(self, before: Item, after: Item, path: str, x: Value, y: Value) -> str:
        """What explains that `x` has become `y`; empty where it has to be looked at."""
        if own := self._own(before, after, path, x, y):
            return own
        if self._is_source(before.kind, path) or x is None or y is None or self.a.plain(x) != self.b.plain(y):
            return ""
        if block := self.a.block(x):
            daily = self._another_stage and any(each[2] for each in self.a.blocks if each[0] == block)
            return f"addresses in {block}: {self._prefixes(block)}" + (", the day's block" if daily else "")
        return "names that follow from a renaming" if self._by_renaming(x, y) else self._stack_names()

    def _own(self, before: Item, after: Item, path: str, x: Value, y: Value) -> str:
        """What belongs to the day or the year itself."""
        if before.kind == "calendar":
            return "the route of another year" if self._another_year else ""
        if path == _OF_THE_MACHINE and self._another_stack:
            return "machines of another stack have other host keys"
        if not (self._another_stage and self.a.stage and self.b.stage):
            return ""
        if before.kind == "stage":
            return "the race day: " + " → ".join(_told(each) for each in (self.a.stage, self.b.stage))
        if before.kind == "site" and path == "location":
            moved = (x, y) == (self.a.stage["finish"], self.b.stage["finish"])
            return "the town of the finish" if moved else ""
        if before.kind == "stack" and path == "title":
            titles = (_untitled(x, self.a.stage), _untitled(y, self.b.stage))
            return "the race day in the title" if titles[0] == titles[1] else ""
        if before.kind == "segment" and path == "prefix" and before.properties.get("daily"):
            same = after.properties.get("daily") and IPv4Network(x).prefixlen == IPv4Network(y).prefixlen
            return f"addresses in {before.name}: {self._prefixes(before.name)}, the day's block" if same else ""
        return ""

    @staticmethod
    def _is_source(kind: str, path: str) -> bool:
        """Where an address block is decided: what stands there explains others and is explained by nothing."""
        return (kind, path) in {("segment", "prefix"), ("stack", "management")}

    def _prefixes(self, block: str) -> str:
        a, b = ({each[0]: each[1] for each in terms.blocks}.get(block) for terms in (self.a, self.b))
        return f"{a} → {b}"

    def _by_renaming(self, x: Value, y: Value) -> bool:
        return self._renamed and self.b.plain(x) != self.b.plain(y) and not self._names_stack(x)

    def _names_stack(self, value: Value) -> bool:
        return any(stack in str(value) for stack in self.a.stacks)

    def _stack_names(self) -> str:
        return f"names of the stacks: {', '.join(self.a.stacks)} → {', '.join(self.b.stacks)}"


def _day(terms: Terms) -> tuple[Any, Any] | tuple[str, ...]:
    """What day a snapshot is of; where no model tells, its stacks do."""
    return (terms.stage["edition"], terms.stage["number"]) if terms.stage else terms.stacks


def _told(stage: Mapping[str, Any]) -> str:
    return f"stage {stage['number']} of {stage['date']}, {stage['start']} – {stage['finish']}"


def _untitled(title: Value, stage: Mapping[str, Any]) -> str:
    return str(title).replace(f"stage {stage['number']}: {stage['start']} → {stage['finish']}", "{stage}")
