"""YAML files as they are written: their data, and the line on which every value stands."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Steps = tuple[str | int, ...]
"""The way to a value inside a file: ("nodes", 3, "size", "cpus")."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where an entry stands: in which file, and how its values are reached there."""

    file: str
    """As it is named in the checkout: stacks/2017/truck.yaml."""
    path: str
    """Of the entry: `cables[3]`, `line 10` of a table; empty for the file as a whole."""
    steps: Steps = ()
    lines: Mapping[Steps, int] = field(default_factory=dict, repr=False)
    """Line of every value of the file, from 1."""

    def line(self, *steps: str | int) -> int:
        """The line of a value of the entry; of what holds it where the value itself is not written."""
        way = (*self.steps, *steps)
        while way and way not in self.lines:
            way = way[:-1]
        return self.lines.get(way, 1)


class _Loader(yaml.CSafeLoader):
    """Refuses a key that is written twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} is written twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse(text: str) -> tuple[Any, dict[Steps, int]]:
    """The data of a YAML text and the line of each value, from 1. Raises yaml.YAMLError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = dict(_lines(node, (), ()))
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _lines(node: yaml.Node, steps: Steps, above: tuple[int, ...]) -> Iterator[tuple[Steps, int]]:
    if id(node) in above:
        raise yaml.MarkedYAMLError(problem="an alias stands inside of what it names", problem_mark=node.start_mark)
    yield steps, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*steps, key.value), (*above, id(node)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*steps, index), (*above, id(node)))
