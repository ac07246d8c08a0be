"""How files add up to an edition: a later file replaces fields of what earlier ones say, adds to it, or drops it.

Things are known by their identity (a machine's role and slot, a cable's label), never by their place in a list.
Nothing deeper: a field that is given again is replaced as a whole.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.estate.mistakes import Mistake, known
from infra.estate.source import Place, Steps

IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "sites": ("name",),
    "segments": ("name",),
    "nodes": ("role", "slot"),
    "servers": ("role",),
    "cables": ("label",),
    "endpoints": ("site",),
    "services": ("name",),
    "buckets": ("name",),
    "people": ("name",),
    "waivers": ("policy", "resource"),
}
"""Kind of entry → the fields that say which one it is; joined by a dash they are its name in `drop`."""

DROP = "drop"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read."""

    file: str
    data: Mapping[str, Any]
    lines: Mapping[Steps, int]

    def place(self, path: str, *steps: str | int) -> Place:
        """Where something stands in this file."""
        return Place(self.file, path, steps, self.lines)


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as far as the files read until now say it."""

    fields: Mapping[str, Any]
    given: Mapping[str, Place]
    """Field → the entry that gives its value."""
    first: Place
    """Where the thing was first named."""
    last: Place
    """Where it was named last: what is missing is missing there."""

    def over(self, before: "Draft") -> "Draft":
        """This entry laid over an earlier one of the same identity; what it only repeats stays where it was given."""
        same = [name for name, value in self.fields.items() if name in before.fields and before.fields[name] == value]
        given = {**before.given, **self.given, **{name: before.given[name] for name in same}}
        return Draft({**before.fields, **self.fields}, given, before.first, self.last)


class Layered:
    """All entries of one kind, in the order in which they were first named."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._drafts: dict[Hashable, Draft] = {}

    @property
    def drafts(self) -> tuple[Draft, ...]:
        return tuple(self._drafts.values())

    def lay(self, source: Source) -> Iterator[Mistake]:
        """Add what a file says of this kind."""
        yield from self._drop(source)
        inherited = set(self._drafts)
        for draft in drafts_of(source, self.kind):
            name = identity(self.kind, draft.fields)
            if name in inherited:
                inherited.remove(name)
                self._drafts[name] = draft.over(self._drafts[name])
            else:
                # A second entry of one identity in one file is a slip, not an override: both stay, to be told.
                free = name is not None and name not in self._drafts
                self._drafts[name if free else (draft.first.file, draft.first.path)] = draft

    def _drop(self, source: Source) -> Iterator[Mistake]:
        for index, name in enumerate(_names(source.data.get(DROP), self.kind)):
            if self._drafts.pop(name, None) is None:
                reason = f"{name!r} is in no earlier file"
                remedy = f"take it out, or name one of {known(name for name in self._drafts if isinstance(name, str))}"
                yield Mistake(source.file, f"{DROP}.{self.kind}[{index}]", reason, remedy)


def identity(kind: str, fields: Mapping[str, Any]) -> str | None:
    """The name of an entry among its kind; None where a field of it is missing or no plain value."""
    values = [fields.get(name) for name in IDENTITIES[kind]]
    return "-".join(map(str, values)) if all(isinstance(value, str | int) for value in values) else None


def drafts_of(source: Source, kind: str) -> Iterator[Draft]:
    """The entries of one kind in a file; what is not a mapping of fields was told when the file was read."""
    entries = source.data.get(kind)
    for index, fields in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(fields, dict):
            place = source.place(f"{kind}[{index}]", kind, index)
            yield Draft(fields, dict.fromkeys(fields, place), place, place)


def whole(sources: Iterable[Source], leave_out: Iterable[str] = ()) -> Draft | None:
    """Files that are one thing each, laid over each other: a later one replaces fields. None without a file."""
    found: Draft | None = None
    for source in sources:
        place = source.place("")
        fields = {name: value for name, value in source.data.items() if name not in leave_out}
        draft = Draft(fields, dict.fromkeys(fields, place), place, place)
        found = draft.over(found) if found else draft
    return found


def _names(drop: object, kind: str) -> list[str]:
    names = drop.get(kind) if isinstance(drop, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
