"""Changes that are told together: what belongs to a machine that comes or goes, and what is alike.

Nothing is left out: a group names every member, and what its table shows holds for each of them but for its own name,
number and address.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.review.report.words import kind

Change = Mapping[str, Any]
"""One of the document's `changes`."""

_LONE = frozenset({"add", "remove"})
_NUMBER = re.compile(r"\d+")
_QUANTITIES = ("limits.", "rest", "race", "keeps_data")


@dataclass(frozen=True, slots=True)
class Group:
    """One or more changes of one kind, action and class."""

    changes: tuple[Change, ...]
    belonging: tuple[Change, ...] = ()
    """What comes or goes with the machines of the group."""

    @property
    def first(self) -> Change:
        """The one whose properties stand for all."""
        return self.changes[0]

    @property
    def names(self) -> list[str]:
        """Of every change, in order."""
        return [change["name"] for change in self.changes]

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The properties to show: those that nothing else explains."""
        return [each for each in self.first["properties"] if not each["expected"]]

    @property
    def explained(self) -> int:
        """Number of properties that a cause told elsewhere explains."""
        return len(self.first["properties"]) - len(self.rows)

    @property
    def along(self) -> dict[str, int]:
        """How many things of each kind belong to it."""
        return dict(sorted(Counter(kind(each["kind"]) for each in self.belonging).items()))


def group(changes: Sequence[Change]) -> tuple[Group, ...]:
    """In the order of the changes."""
    belonging = _belonging(changes)
    taken = {id(each) for listed in belonging.values() for each in listed}
    alike: dict[object, list[Change]] = {}
    for change in changes:
        if id(change) not in taken:
            alike.setdefault(_likeness(change), []).append(change)
    return tuple(
        Group(tuple(members), tuple(each for member in members for each in belonging.get(id(member), ())))
        for members in alike.values()
    )


def _belonging(changes: Sequence[Change]) -> dict[int, list[Change]]:
    """By a machine that comes or goes, what has its name and is no graver than itself."""
    machines = {
        (each["layer"], each["action"], each["name"]): each
        for each in changes
        if each["kind"] == "node" and each["action"] in _LONE
    }
    found: dict[int, list[Change]] = {}
    for change in changes:
        owners = (machines.get((change["layer"], change["action"], name)) for name in _owners(change))
        owner = next((each for each in owners if each), None) if change["kind"] != "node" else None
        if owner is not None and change["risk"] <= owner["risk"]:
            found.setdefault(id(owner), []).append(change)
    return found


def _owners(change: Change) -> Iterable[str]:
    """Names of the machines that it could belong to."""
    yield change["name"]
    yield change["name"].removesuffix("-data")
    yield change["name"].partition(" on ")[2]
    for each in change["properties"]:
        if each["path"] in ("a.node", "b.node", "node"):
            yield str(each["before"] or each["after"])


def _likeness(change: Change) -> object:
    own = re.compile(rf"(?<![A-Za-z0-9]){re.escape(change['name'])}(?![A-Za-z0-9])")
    loose = change["action"] in _LONE

    def said(path: str, leaf: Any) -> str:
        text = own.sub("{name}", str(leaf))
        return _NUMBER.sub("#", text) if loose and not path.startswith(_QUANTITIES) else text

    shown = tuple(
        (said("", each["path"]), said(each["path"], each["before"]), said(each["path"], each["after"]))
        for each in change["properties"]
        if not each["expected"]
    )
    where = change["layer"], change["kind"], _NUMBER.sub("#", change["name"]) if loose else ""
    return (change["risk"], change["action"], tuple(change["rules"]), *where, change["note"], shown)
