"""Since when each element is in its state, and what changed; the log of the day. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from manage_centre.incident import Subject
from manage_centre.state import Judgement, State, Verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """A state and its beginning."""

    state: State
    since: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log: a step of the day, a change of an element's state, or what an agent saw."""

    at: datetime
    kind: str
    """day, state or event."""
    text: str
    subject: Subject | None = None
    state: State | None = None


Standings = Mapping[Subject, Standing]


def advance(before: Standings, judgement: Judgement, now: datetime) -> tuple[Standings, tuple[Entry, ...]]:
    """The standings after a judgement, and an entry for every element whose state changed.

    What is seen for the first time is no change: after a restart the log would repeat the whole estate.
    """
    after: dict[Subject, Standing] = {}
    entries = []
    for subject, verdict in _all(judgement):
        was = before.get(subject)
        if was is not None and was.state is verdict.state:
            after[subject] = was
            continue
        begun = verdict.heard if verdict.state in (State.UNKNOWN, State.GONE) else None
        after[subject] = Standing(verdict.state, begun or now)
        if was is not None:
            entries.append(Entry(now, "state", f"{_name(subject)}: {verdict.sentence}", subject, verdict.state))
    return after, tuple(entries)


def _all(judgement: Judgement) -> Iterator[tuple[Subject, Verdict]]:
    tables = {"node": judgement.nodes, "cable": judgement.cables, "service": judgement.services}
    for kind, table in tables.items():
        yield from ((Subject(kind, key), verdict) for key, verdict in table.items())


def _name(subject: Subject) -> str:
    return subject.key.replace("@", " on ") if subject.kind == "service" else subject.key
