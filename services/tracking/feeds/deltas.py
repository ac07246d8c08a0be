"""What changed from one snapshot to the next, and how a client makes the next one of it.

A delta has the id of the snapshot that it follows (`since_ms`) and its own (`clock_ms`). In `race`, `health` and
`thresholds` stand only the fields that changed. `riders` and `groups` are lists of records that stand for the record
with the same `rider` or `id`: each holds that key and the fields that changed, a new one all of them. `riders_order`
and `groups_order` are there when the records are others or stand in another order. `events`, `forecast`, `replay`
and `time_trial` are there, whole, when they changed. What a view leaves out of its snapshots is in none of its deltas.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypeVar, cast

from typing_extensions import TypedDict

from tracking.feeds.documents import (
    EventDocument,
    ForecastDocument,
    SmallDocument,
    SnapshotDocument,
    TimeTrialDocument,
)

FIELDS = ("race", "health", "thresholds")
"""Documents of which a delta holds the fields that changed."""
RECORDS = {"riders": "rider", "groups": "id"}
"""Lists of records, and by what a record is known."""
WHOLE = ("events", "forecast", "replay", "time_trial")

Record = Mapping[str, Any]
S = TypeVar("S", SnapshotDocument, SmallDocument)


class DeltaDocument(TypedDict):
    """What changed since an earlier snapshot."""

    since_ms: int
    clock_ms: int
    race: NotRequired[dict[str, Any]]
    health: NotRequired[dict[str, Any]]
    thresholds: NotRequired[dict[str, Any]]
    riders: NotRequired[list[dict[str, Any]]]
    riders_order: NotRequired[list[int]]
    groups: NotRequired[list[dict[str, Any]]]
    groups_order: NotRequired[list[int]]
    events: NotRequired[list[EventDocument]]
    forecast: NotRequired[ForecastDocument | None]
    replay: NotRequired[bool]
    time_trial: NotRequired[TimeTrialDocument | None]


def delta_of(before: S, after: S) -> DeltaDocument:
    """What a client needs who has `before`; both are snapshots of a race that has begun."""
    old, new = cast(Record, before), cast(Record, after)
    delta: dict[str, Any] = {"since_ms": before["race"]["clock_ms"], "clock_ms": after["race"]["clock_ms"]}
    for name in _in(FIELDS, new):
        if changed := _changed(old[name], new[name]):
            delta[name] = changed
    for name in _in(RECORDS, new):
        key = RECORDS[name]
        if records := _records(old[name], new[name], key):
            delta[name] = records
        if (order := [record[key] for record in new[name]]) != [record[key] for record in old[name]]:
            delta[f"{name}_order"] = order
    for name in _in(WHOLE, new):
        if old[name] != new[name]:
            delta[name] = new[name]
    return cast(DeltaDocument, delta)


def applied(before: S, delta: DeltaDocument) -> S:
    """The snapshot that follows; ValueError for a delta that does not follow `before`."""
    if delta["since_ms"] != before["race"]["clock_ms"]:
        raise ValueError(f"the delta follows {delta['since_ms']}, not {before['race']['clock_ms']}")
    old, change = cast(Record, before), cast(Record, delta)
    after: dict[str, Any] = {name: {**old[name], **change.get(name, {})} for name in _in(FIELDS, old)}
    for name in _in(RECORDS, old):
        key = RECORDS[name]
        known = {record[key]: record for record in old[name]}
        for record in change.get(name, ()):
            known[record[key]] = {**known.get(record[key], {}), **record}
        order = change.get(f"{name}_order", [record[key] for record in old[name]])
        after[name] = [known[number] for number in order]
    for name in _in(WHOLE, old):
        after[name] = change.get(name, old[name])
    return cast(S, after)


def _in(names: Iterable[str], document: Record) -> list[str]:
    return [name for name in names if name in document]


def _records(before: Sequence[Record], after: Sequence[Record], key: str) -> list[dict[str, Any]]:
    known = {record[key]: record for record in before}
    changed = ((record[key], _changed(known.get(record[key], {}), record)) for record in after)
    return [{key: number, **fields} for number, fields in changed if fields]


def _changed(before: Record, after: Record) -> dict[str, Any]:
    return {name: value for name, value in after.items() if name not in before or before[name] != value}
