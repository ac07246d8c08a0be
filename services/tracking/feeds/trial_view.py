"""A time trial as a snapshot tells it: provisional ranking at each time check, who is on the road, who starts next."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import numpy as np

from tracking.feeds.documents import (
    EventDocument,
    GroupDocument,
    OnCourseDocument,
    RiderDocument,
    SnapshotDocument,
    StartDocument,
    TimeCheckDocument,
    TimeDocument,
    TimeTrialDocument,
)
from tracking.records import PREDICTED
from tracking.time_trial import Trial

TIMES_TOLD = 10
"""Of each time check."""
NEXT_TOLD = 5


def trial_document(
    trial: Trial, states: np.ndarray, times: Sequence[EventDocument], zone: tzinfo | None
) -> TimeTrialDocument:
    """RIDER_STATE (n,) of one second in the order of the trial, and the times that were taken up to it."""
    clock_ms = int(states["time_ms"].max(initial=0))
    units = trial.units
    taken = [_times_at(trial, check.at_m, times) for check in trial.checks]
    on_course, following = [], []
    for unit in sorted(units, key=trial.starts_ms):
        riding = states[units[unit]]
        riding = riding[(riding["quality"] <= PREDICTED) & np.isfinite(riding["gap_s"])]
        if trial.starts_ms(unit) > clock_ms:
            following.append(_start(trial, unit, clock_ms, zone))
        elif len(riding):
            on_course.append(_on_course(trial, unit, riding, taken, zone))
    checks: list[TimeCheckDocument] = [
        {"name": check.name, "km": round(check.at_m / 1000, 2), "passed": len(ranked), "times": ranked[:TIMES_TOLD]}
        for check, ranked in zip(trial.checks, taken, strict=True)
    ]
    return {
        "counted": trial.starts.counted,
        "checks": checks,
        "on_course": on_course,
        "next": following[:NEXT_TOLD],
    }


def _times_at(trial: Trial, at_m: float, times: Sequence[EventDocument]) -> list[TimeDocument]:
    """All times at a time check, best first."""
    index = {number: i for i, number in enumerate(trial.numbers)}
    best: dict[int, float] = {}
    for event in times:
        elapsed_s = event.get("elapsed_s")
        if event.get("km") == round(at_m / 1000, 3) and elapsed_s is not None and event["riders"][0] in index:
            best.setdefault(int(trial.starts.unit[index[event["riders"][0]]]), elapsed_s)
    ranked = sorted(best, key=lambda unit: best[unit])
    return [
        {
            "place": place,
            "name": trial.name(unit),
            "riders": _riders(trial, unit),
            "elapsed_s": round(best[unit], 1),
            "gap_s": round(best[unit] - best[ranked[0]], 1),
        }
        for place, unit in enumerate(ranked, 1)
    ]


def _on_course(
    trial: Trial, unit: int, riding: np.ndarray, taken: Sequence[Sequence[TimeDocument]], zone: tzinfo | None
) -> OnCourseDocument:
    counted = np.sort(riding, order="position")[: trial.starts.counted][-1]
    riders = _riders(trial, unit)
    check, here = None, None
    for place, times in zip(trial.checks, taken, strict=True):
        mine = next((time for time in times if time["riders"] == riders), None)
        if mine is not None:
            check, here = place.name, mine
    return {
        "name": trial.name(unit),
        "riders": riders,
        "started_at": _moment(trial.starts_ms(unit), zone),
        "km": round(float(counted["distance_m"]) / 1000, 3),
        "gap_s": round(float(counted["gap_s"]), 1),
        "check": check,
        "check_place": here["place"] if here else None,
        "check_gap_s": here["gap_s"] if here else None,
    }


def _start(trial: Trial, unit: int, clock_ms: int, zone: tzinfo | None) -> StartDocument:
    starts_ms = trial.starts_ms(unit)
    return {
        "name": trial.name(unit),
        "riders": _riders(trial, unit),
        "starts_at": _moment(starts_ms, zone),
        "in_s": round((starts_ms - clock_ms) / 1000, 1),
    }


def _riders(trial: Trial, unit: int) -> list[int]:
    return [trial.numbers[i] for i in trial.units[unit].tolist()]


def _moment(time_ms: int, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).isoformat()


def named(groups: Sequence[GroupDocument], trial: Trial) -> list[GroupDocument]:
    """Groups with the names of their teams, and the gaps between these."""
    told: list[GroupDocument] = []
    for group in groups:
        unit = int(trial.starts.unit[trial.numbers.index(group["riders"][0])])
        before = told[-1]["gap_s"] if told else None
        gap_s = None if before is None or group["gap_s"] is None else round(group["gap_s"] - before, 1)
        told.append(
            {**group, "name": trial.name(unit), "gap_to_previous_s": gap_s, "tail_gap_s": None, "length_s": None}
        )
    return told


def waits(rider: RiderDocument, snapshot: SnapshotDocument) -> bool:
    """Whether a rider of a time trial has no time yet."""
    return snapshot["race"]["kind"] != "road" and rider["gap_s"] is None


def groups_for_clients(snapshot: SnapshotDocument) -> Sequence[GroupDocument]:
    """The groups for clients that know nothing else: in an individual time trial everyone on the road is one."""
    if snapshot["race"]["kind"] != "individual time trial":
        return snapshot["groups"]
    riding = [rider for rider in snapshot["riders"] if rider["quality"] <= PREDICTED and rider["gap_s"] is not None]
    return [_alone(rider, ordinal) for ordinal, rider in enumerate(riding, 1)]


def _alone(rider: RiderDocument, ordinal: int) -> GroupDocument:
    return {
        "id": ordinal,
        "group_id": rider["rider"],
        "since": None,
        "name": f"Rider {rider['rider']}",
        "size": 1,
        "riders": [rider["rider"]],
        "jerseys": [],
        "km": rider["km"],
        "to_go_km": rider["to_go_km"],
        "gap_s": rider["gap_s"],
        "gap_m": None,
        "gap_to_previous_s": rider["gap_previous_s"],
        "tail_gap_s": rider["gap_previous_s"],
        "length_s": 0.0,
        "speed_kmh": rider["speed_kmh"],
    }
