"""Things that have another name now, recognised by what they are; simple enough to be explained in a sentence.

A thing that is gone and a thing of the same kind that is new are the same one when at least four of five properties
that make out the kind are equal, and neither has another candidate that is as near. What is made from a renamed thing
(its container, its volume, its cables, its services) is renamed with it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.review.snapshot import Item, Snapshot, Value
from infra.review.values import as_text, bare, leaves

_NEAR = 0.8
_FEWEST = 3
"""Equal properties below which nothing can be concluded."""
# By kind the properties that go with the name, so that they say nothing about what it is.
_NAMING = {
    "site": ("name", "title"),
    "segment": ("name", "title"),
    "node": ("name", "title", "slot", "management", "interfaces", "routes"),
    "link": ("label",),
    "service": ("node",),
    "person": ("name",),
}
_CONTAINER = "docker:index/container:Container"
_OF_CONTAINER = ("name", "hostname", "labels", "networksAdvanced")


@dataclass(frozen=True, slots=True)
class Rename:
    """One thing under two names."""

    before: Item
    after: Item
    why: str


def find_renames(
    removed: Iterable[Item], added: Iterable[Item], a: Snapshot, b: Snapshot
) -> tuple[tuple[Rename, ...], tuple[str, ...]]:
    """The renames, and a question for each thing whose new name could be any of several."""
    gone, new = list(removed), list(added)
    found: list[Rename] = []
    questions: list[str] = []
    kinds = [kind for kind in _NAMING if kind != "service"]
    for kind in kinds if a.of_kind("stack") and b.of_kind("stack") else [_CONTAINER]:
        nearest, open_ones = _nearest(_described(gone, kind, a), _described(new, kind, b))
        found += nearest
        questions += open_ones
        gone, new = _without(gone, new, nearest)
    following = _following(gone, new, found)
    gone, new = _without(gone, new, following)
    moved, _ = _nearest(_described(gone, "service", a), _described(new, "service", b))
    return (*found, *following, *moved), tuple(questions)


def _without(gone: list[Item], new: list[Item], known: Iterable[Rename]) -> tuple[list[Item], list[Item]]:
    before = {id(each.before) for each in known}
    after = {id(each.after) for each in known}
    return [each for each in gone if id(each) not in before], [each for each in new if id(each) not in after]


_Described = tuple[Item, frozenset[tuple[str, Value]]]


def _described(items: Iterable[Item], kind: str, snapshot: Snapshot) -> list[_Described]:
    """Things of a kind, each with what makes it out."""
    naming = _NAMING.get(kind, _OF_CONTAINER)
    told = []
    for item in items:
        if item.kind == kind:
            own = leaves({name: value for name, value in item.properties.items() if name not in naming})
            about = {(path, bare(value)) for path, value in own.items()} | _tasks(item, snapshot)
            told.append((item, frozenset(about)))
    return told


def _tasks(item: Item, snapshot: Snapshot) -> set[tuple[str, Value]]:
    """What a node does: the services on it."""
    if item.kind != "node":
        return set()
    services = snapshot.of_kind("service")
    return {("services", each.properties["name"]) for each in services if each.properties["node"] == item.name}


def _nearest(gone: list[_Described], new: list[_Described]) -> tuple[list[Rename], list[str]]:
    scores = {
        (before.name, after.name): score
        for before, x in gone
        for after, y in new
        if before.layer == after.layer and (score := _score(x, y)) >= _NEAR
    }
    found, questions = [], []
    for before, x in gone:
        best = _best({after: score for (name, after), score in scores.items() if name == before.name})
        if len(best) > 1:
            questions.append(f"{before.kind} {before.name} is gone; it could now be any of {', '.join(best)}")
        if len(best) == 1 and _best({n: s for (n, after), s in scores.items() if after == best[0]}) == [before.name]:
            after, y = next(each for each in new if each[0].name == best[0])
            found.append(Rename(before, after, _why(x, y)))
    return found, questions[:5]


def _score(x: frozenset[tuple[str, Value]], y: frozenset[tuple[str, Value]]) -> float:
    equal = len(x & y)
    return equal / len(x | y) if equal >= _FEWEST else 0.0


def _best(scores: Mapping[str, float]) -> list[str]:
    highest = max(scores.values(), default=0.0)
    return sorted(name for name, score in scores.items() if score == highest)


def _why(x: frozenset[tuple[str, Value]], y: frozenset[tuple[str, Value]]) -> str:
    equal, paths = len(x & y), sorted({path for path, _ in x & y})
    shown = ", ".join(paths[:5]) + (", ..." if len(paths) > 5 else "")
    return f"{equal} of {len(x | y)} properties are equal ({shown})"


def _following(gone: list[Item], new: list[Item], known: Iterable[Rename]) -> list[Rename]:
    """What carries the name of a renamed thing in its own."""
    free = {each.identity: each for each in new}
    found = []
    for rename in known:
        old = re.compile(rf"(?<![A-Za-z0-9]){re.escape(rename.before.name)}(?![A-Za-z0-9])")
        for item in gone:
            name = old.sub(rename.after.name, item.name)
            after = free.pop((item.layer, item.kind, name), None) if name != item.name else None
            if after is not None:
                found.append(Rename(item, after, f"it belongs to {rename.after.kind} {rename.after.name}"))
    return found


def moves(before: Item, after: Item) -> str:
    """Where a thing went that kept its name: a cable to another port, a machine to another place."""
    if before.kind == "link":
        ends = [(_end(before, end), _end(after, end)) for end in ("a", "b")]
        told = [f"from {x} to {y}" for x, y in ends if x != y]
        return f"moved {' and '.join(told)}" if told else ""
    if before.kind == "node":
        told = [
            f"from {field.replace('_', ' ')} {as_text(before.properties.get(field))} to"
            f" {as_text(after.properties.get(field))}"
            for field in ("site", "rack_unit")
            if before.properties.get(field) != after.properties.get(field)
        ]
        return f"moved {' and '.join(told)}" if told else ""
    return ""


def _end(link: Item, end: str) -> str:
    return f"{link.properties[end]['node']} {link.properties[end]['port']}"
