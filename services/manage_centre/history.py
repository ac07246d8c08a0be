"""Since when each element is in its state, and what changed; the log of the day. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from manage_centre.incident import Incident, Subject
from manage_centre.state import Judgement, State, Verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """A state and its beginning."""

    state: State
    since: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log."""

    at: datetime
    kind: str
    """day (a step), incident (begins or is over), state (of an element by itself) or event (what an agent saw)."""
    text: str
    subject: Subject | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """An incident and when it was first seen."""

    incident: Incident
    since: datetime


@dataclass(frozen=True)
class History:
    """Where every element and every incident stands."""

    standings: Mapping[Subject, Standing]
    incidents: Mapping[Subject, Open]


NOTHING = History({}, {})


def advance(
    before: History, judgement: Judgement, incidents: Iterable[Incident], now: datetime
) -> tuple[History, tuple[Entry, ...]]:
    """The history after a judgement, and what is worth a line in the log.

    What is seen for the first time is no change, or a restart would repeat the whole estate; what an incident
    explains has the incident's line.
    """
    standings = dict(_standings(before.standings, judgement, now))
    after = {one.subject: _open(before, standings, one, now) for one in incidents}
    explained = {subject for each in (before.incidents, after) for one in each.values() for subject in _about(one)}
    changed = tuple(
        Entry(now, "state", f"{_name(subject)}: {verdict.sentence}", subject, verdict.state)
        for subject, verdict in _all(judgement)
        if subject in before.standings
        and before.standings[subject].state is not verdict.state
        and subject not in explained
        and (subject.kind == "node" or verdict.state in _SAYS_SOMETHING)
    )
    return History(standings, after), (*_turns(before.incidents, after, now), *changed)


_SAYS_SOMETHING = {State.GOOD, State.WATCH, State.BAD}
"""A cable or a service is unknown, planned or gone because its node is."""


def _standings(
    before: Mapping[Subject, Standing], judgement: Judgement, now: datetime
) -> Iterator[tuple[Subject, Standing]]:
    for subject, verdict in _all(judgement):
        was = before.get(subject)
        begun = verdict.heard if verdict.state in (State.UNKNOWN, State.GONE) else None
        yield subject, was if was and was.state is verdict.state else Standing(verdict.state, begun or now)


def _open(before: History, standings: Mapping[Subject, Standing], incident: Incident, now: datetime) -> Open:
    """An incident that goes on keeps its beginning; a new one begins with its subject's state."""
    earlier = _earlier(before.incidents, incident)
    if earlier:
        return Open(incident, earlier.since)
    standing = standings.get(incident.subject)
    return Open(incident, standing.since if standing else now)


def _earlier(before: Mapping[Subject, Open], incident: Incident) -> Open | None:
    """What the incident was called before: its subject may have been a symptom, or one of many, until now."""
    if incident.subject in before:
        return before[incident.subject]
    return next((one for one in before.values() if incident.subject in one.incident.folded), None)


def _about(one: Open) -> tuple[Subject, ...]:
    return (one.incident.subject, *one.incident.folded)


def _turns(before: Mapping[Subject, Open], after: Mapping[Subject, Open], now: datetime) -> Iterator[Entry]:
    for subject, one in after.items():
        if _earlier(before, one.incident) is None:
            yield Entry(now, "incident", one.incident.verdict, subject, one.incident.state)
    present = {subject for one in after.values() for subject in _about(one)}
    for subject, one in before.items():
        if not present & set(_about(one)):
            yield Entry(now, "incident", f"Over: {one.incident.verdict}", subject, State.GOOD)


def _all(judgement: Judgement) -> Iterator[tuple[Subject, Verdict]]:
    tables = {"node": judgement.nodes, "cable": judgement.cables, "service": judgement.services}
    for kind, table in tables.items():
        yield from ((Subject(kind, key), verdict) for key, verdict in table.items())


def _name(subject: Subject) -> str:
    return subject.key.replace("@", " on ") if subject.kind == "service" else subject.key
