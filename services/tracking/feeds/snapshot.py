"""What a page is told: the course once, and the race at one second. Pure; JSON-ready, and NaN becomes null."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np

from tracking.course import Course
from tracking.feeds.documents import (
    CourseDocument,
    CoursePoint,
    EventDocument,
    FlowDocument,
    ForecastDocument,
    GroupDocument,
    Jersey,
    RaceDocument,
    RiderDocument,
    SnapshotDocument,
    Status,
    ThresholdsDocument,
    TimeTrialDocument,
)
from tracking.feeds.trial_view import named, trial_document
from tracking.groups import DEFAULT_RULES, Group, groups_of
from tracking.records import FINISHED, PREDICTED, RIDER_STATE
from tracking.service import StageConfig
from tracking.time_trial import Trial
from tracking.transport.wire import RaceStatus, StateFrame
from tracking.weather import Temperature

MAX_POINTS = 1000
MAX_EVENTS = 50
"""Events in a snapshot; /api/events has them all."""
KMH = 3.6

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Beside:
    """What is known of the race beside the riders' states."""

    events: Sequence[EventDocument] = ()
    """Newest first."""
    forecast: ForecastDocument | None = None
    thresholds: ThresholdsDocument = field(
        default_factory=lambda: ThresholdsDocument(split_s=DEFAULT_RULES.split_s, join_s=DEFAULT_RULES.join_s),
    )
    jerseys: Mapping[Jersey, int] = field(default_factory=dict)
    """Who wears what."""
    since_ms: Mapping[int, int] = field(default_factory=dict)
    """Race clock at which each group, by its stable identity, came to be."""
    temperature: Temperature | None = None
    """Of the air along the road; None where the weather is not known."""
    replay: bool = False
    trial: Trial | None = None
    """Where the stage is a time trial."""
    times: Sequence[EventDocument] = ()
    """Those that were taken in it."""


NOTHING_ELSE = Beside()


def course_document(course: Course, stage: StageConfig) -> CourseDocument:
    """The road with at most `MAX_POINTS` points, and whose stage it stands in for."""
    chosen = np.unique(np.linspace(0, len(course.distance) - 1, MAX_POINTS).round().astype(int))
    columns = (
        ("km", course.distance[chosen] / 1000, 3),
        ("lat", course.lat[chosen], 6),
        ("lon", course.lon[chosen], 6),
        ("ele", course.elevation[chosen], 1),
        ("gradient", course.gradient[chosen], 4),
    )
    points = _rows({name: _rounded(values, digits) for name, values, digits in columns})
    return {
        "name": course.name,
        "stands_in_for": f"{stage.edition} stage {stage.number}, {stage.start} → {stage.finish}",
        "attribution": course.attribution,
        "official_km": course.official_km,
        "points": cast(list[CoursePoint], points),
        "climbs": [
            {
                "name": climb.name or None,
                "category": climb.category,
                "from_km": round(climb.from_m / 1000, 2),
                "to_km": round(climb.to_m / 1000, 2),
                "gain_m": round(climb.gain_m),
                "mean_gradient": round(climb.mean_gradient, 4),
            }
            for climb in course.climbs
        ],
        "sprints": [{"name": sprint.name or None, "km": round(sprint.at_m / 1000, 2)} for sprint in course.sprints],
    }


def snapshot_document(
    frame: StateFrame | None, stage: StageConfig, stack: str, beside: Beside = NOTHING_ELSE
) -> SnapshotDocument:
    """The race, its groups in road order, its riders in race order, and how well the readings flow."""
    riders = np.zeros(0, RIDER_STATE) if frame is None else np.sort(frame.riders, order="position")
    groups = [_group(group, stage, beside) for group in groups_of(riders[riders["quality"] <= PREDICTED])]
    return {
        "race": _race(frame, stage, stack),
        "time_trial": _time_trial(frame, stage, beside),
        "groups": groups if beside.trial is None else named(groups, beside.trial),
        "riders": _riders(riders, beside.temperature),
        "events": list(beside.events[:MAX_EVENTS]),
        "forecast": beside.forecast,
        "thresholds": beside.thresholds,
        "health": _health(frame),
        "replay": beside.replay,
    }


def local_time(time_ms: int, stage: StageConfig) -> str:
    """A moment of the race as ISO 8601 on the clock of the stage's town."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(stage.race_start.tzinfo).isoformat()


def _race(frame: StateFrame | None, stage: StageConfig, stack: str) -> RaceDocument:
    head_m = 0.0 if frame is None else float(np.nanmax(frame.riders["distance_m"], initial=0.0))
    return {
        "stack": stack,
        "edition": stage.edition,
        "stage": stage.number,
        "start": stage.start,
        "finish": stage.finish,
        "race_start": stage.race_start.isoformat(),
        "clock": local_time(frame.clock_ms, stage) if frame else None,
        "clock_ms": frame.clock_ms if frame else None,
        "speed_factor": frame.speed_factor if frame else 1.0,
        "status": cast(Status, (frame.status if frame else RaceStatus.WAITING).name.lower()),
        "km_done": round(head_m / 1000, 3),
        "simulated": True,
        "kind": stage.kind,
    }


def _time_trial(frame: StateFrame | None, stage: StageConfig, beside: Beside) -> TimeTrialDocument | None:
    trial = beside.trial
    if trial is None or frame is None or not np.array_equal(frame.riders["rider"], trial.numbers):
        return None
    return trial_document(trial, frame.riders, beside.times, stage.race_start.tzinfo)


def _group(group: Group, stage: StageConfig, beside: Beside) -> GroupDocument:
    since_ms = beside.since_ms.get(group.group_id)
    return {
        "id": group.ordinal,
        "group_id": group.group_id or None,
        "since": None if since_ms is None else local_time(since_ms, stage),
        "name": group.name,
        "size": len(group.riders),
        "riders": list(group.riders),
        "jerseys": [jersey for jersey, wearer in beside.jerseys.items() if wearer in group.riders],
        "km": _figure(group.distance_m / 1000, 3),
        "to_go_km": _figure(group.to_go_m / 1000, 3),
        "gap_s": _figure(group.gap_s, 1),
        "gap_m": _figure(group.gap_m, 0),
        "gap_to_previous_s": _figure(group.head_gap_s, 1),
        "tail_gap_s": _figure(group.tail_gap_s, 1),
        "length_s": _figure(group.length_s, 1),
        "speed_kmh": _figure(group.speed_ms * KMH, 1),
    }


def _riders(riders: np.ndarray, temperature: Temperature | None) -> list[RiderDocument]:
    unseen_ms = np.where(riders["quality"] == FINISHED, 0, riders["time_ms"] - riders["seen_ms"])
    warm = np.full(len(riders), np.nan) if temperature is None else temperature.over(riders["distance_m"])
    columns = {
        "rider": riders["rider"].tolist(),
        "km": _rounded(riders["distance_m"] / 1000, 3),
        "to_go_km": _rounded(riders["to_go_m"] / 1000, 3),
        "lat": _rounded(riders["lat"], 6),
        "lon": _rounded(riders["lon"], 6),
        "elevation_m": _rounded(riders["elevation_m"], 0),
        "heading_deg": _rounded(riders["heading_deg"], 0),
        "gradient": _rounded(riders["gradient"], 4),
        "speed_kmh": _rounded(riders["speed_ms"] * KMH, 1),
        "speed_10s_kmh": _rounded(riders["speed_10s_ms"] * KMH, 1),
        "speed_average_kmh": _rounded(riders["speed_average_ms"] * KMH, 1),
        "acceleration_ms2": _rounded(riders["acceleration_ms2"], 2),
        "power_w": _rounded(riders["power_w"], 0),
        "head_wind_kmh": _rounded(riders["head_wind_ms"] * KMH, 1),
        "cross_wind_kmh": _rounded(riders["cross_wind_ms"] * KMH, 1),
        "temperature_c": _rounded(warm, 1),
        "position": riders["position"].tolist(),
        "group": riders["group"].tolist(),
        "group_id": _known(riders["group_id"]),
        "position_in_group": _known(riders["group_position"]),
        "gap_s": _rounded(riders["gap_s"], 1),
        "gap_m": _rounded(riders["gap_m"], 0),
        "gap_previous_s": _rounded(riders["gap_previous_s"], 1),
        "gap_previous_m": _rounded(riders["gap_previous_m"], 0),
        "gap_yellow_s": _rounded(riders["gap_yellow_s"], 1),
        "gap_yellow_m": _rounded(riders["gap_yellow_m"], 0),
        "virtual_rank": _known(riders["virtual_rank"]),
        "virtual_gap_s": _rounded(np.where(riders["virtual_rank"] > 0, riders["virtual_gap_s"], np.nan), 0),
        "seen_ms": riders["seen_ms"].tolist(),
        "unseen_s": _rounded(np.where(riders["seen_ms"] > 0, np.maximum(unseen_ms, 0) / 1000, np.nan), 1),
        "quality": riders["quality"].tolist(),
        "revision": riders["revision"].tolist(),
    }
    return cast(list[RiderDocument], _rows(columns))


def _health(frame: StateFrame | None) -> FlowDocument:
    return {
        "readings": frame.readings if frame else 0,
        "per_second": round(frame.per_second, 1) if frame else 0.0,
        "duplicates": frame.duplicates if frame else 0,
        "late": frame.late if frame else 0,
        "lag_ms": round((frame.published_ns - frame.ingest_ns) / 1e6, 1) if frame else None,
        "fix_ms": int(frame.riders["seen_ms"].max(initial=0)) or None if frame else None,
        "ingest_ms": round(frame.ingest_ns / 1e6, 1) if frame else None,
        "published_ms": round(frame.published_ns / 1e6, 1) if frame else None,
    }


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _rounded(values: np.ndarray, digits: int) -> list[float | None]:
    rounded = np.round(values.astype(float), digits)
    return [value if known else None for value, known in zip(rounded.tolist(), np.isfinite(rounded), strict=True)]


def _known(numbers: np.ndarray) -> list[int | None]:
    return [number or None for number in numbers.tolist()]


def _figure(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
