"""People: each under one name, each key one person's."""

from collections.abc import Iterator

from infra.estate.mistakes import Mistake
from infra.estate.written import Entry, Written


def unique_people(written: Written) -> Iterator[Mistake]:
    """Two people of one name would share their approvals; a plan's author could be its approver."""
    first: dict[str, Entry] = {}
    for entry in written.people:
        if (other := first.setdefault(entry.doc.name, entry)) is not entry:
            reason = f"{entry.doc.name} is already {other.file} {other.path}"
            yield entry.mistake("name", reason, "name the other function, or write both keys under one name")


def keys_once(written: Written) -> Iterator[Mistake]:
    """A key that two people have lets one of them be author and approver of the same plan."""
    owners: dict[str, str] = {}
    for entry in written.people:
        for index, key in enumerate(entry.doc.keys):
            if key.public in owners:
                reason = f"this key is already that of {owners[key.public]}"
                yield entry.mistake(f"keys[{index}].public", reason, "give every person a key of their own")
            owners.setdefault(key.public, entry.doc.name)
