"""What small pages are told of a second: less of it, with no more digits than they show, so that little changes."""

from typing import Literal, get_args

from tracking.feeds.documents import (
    GroupDocument,
    RiderDocument,
    SmallDocument,
    SmallGroupDocument,
    SmallRiderDocument,
    SnapshotDocument,
)

View = Literal["groups", "riders"]
"""The groups and their gaps; or the first riders."""
VIEWS: tuple[View, ...] = get_args(View)
RIDERS_SHOWN = 20


def small(snapshot: SnapshotDocument, view: View) -> SmallDocument:
    """The snapshot as this view shows it."""
    race = snapshot["race"]
    return {
        "race": {
            "edition": race["edition"],
            "stage": race["stage"],
            "start": race["start"],
            "finish": race["finish"],
            "race_start": race["race_start"],
            "clock_ms": race["clock_ms"],
            "speed_factor": race["speed_factor"],
            "status": race["status"],
            "simulated": race["simulated"],
        },
        "groups": [_group(group) for group in snapshot["groups"]] if view == "groups" else [],
        "riders": [_rider(rider) for rider in snapshot["riders"][:RIDERS_SHOWN]] if view == "riders" else [],
    }


def _group(group: GroupDocument) -> SmallGroupDocument:
    return {
        "id": group["id"],
        "group_id": group["group_id"],
        "name": group["name"],
        "size": group["size"],
        "km": _rounded(group["km"], 1),
        "to_go_km": _rounded(group["to_go_km"], 1),
        "gap_s": _rounded(group["gap_s"], 0),
    }


def _rider(rider: RiderDocument) -> SmallRiderDocument:
    return {
        "rider": rider["rider"],
        "position": rider["position"],
        "gap_s": _rounded(rider["gap_s"], 0),
        "to_go_km": _rounded(rider["to_go_km"], 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
