"""What a page is told: the course once, and the race at one second. Pure; JSON-ready, and NaN becomes null."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tracking.course import Course
from tracking.groups import name_groups
from tracking.records import RIDER_STATE
from tracking.service import StageConfig
from tracking.wire import RaceStatus, StateFrame

MAX_POINTS = 1000
ON_THE_ROAD = 1
"""Quality of riders up to which they are part of a group."""
KMH = 3.6

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def course_document(course: Course, stage: StageConfig) -> dict[str, Any]:
    """The road with at most `MAX_POINTS` points, and whose stage it stands in for."""
    chosen = np.unique(np.linspace(0, len(course.distance) - 1, MAX_POINTS).round().astype(int))
    columns = (
        ("km", course.distance[chosen] / 1000, 3),
        ("lat", course.lat[chosen], 6),
        ("lon", course.lon[chosen], 6),
        ("ele", course.elevation[chosen], 1),
        ("gradient", course.gradient[chosen], 4),
    )
    return {
        "name": course.name,
        "stands_in_for": f"{stage.edition} stage {stage.number}, {stage.start} → {stage.finish}",
        "attribution": course.attribution,
        "official_km": course.official_km,
        "points": _rows({name: _rounded(values, digits) for name, values, digits in columns}),
        "climbs": [
            {
                "category": climb.category,
                "from_km": round(climb.from_m / 1000, 2),
                "to_km": round(climb.to_m / 1000, 2),
                "gain_m": round(climb.gain_m),
                "mean_gradient": round(climb.mean_gradient, 4),
            }
            for climb in course.climbs
        ],
    }


def snapshot_document(frame: StateFrame | None, stage: StageConfig, stack: str) -> dict[str, Any]:
    """The race, its groups in road order, its riders in race order, and how well the readings flow."""
    riders = np.zeros(0, RIDER_STATE) if frame is None else np.sort(frame.riders, order="position")
    return {
        "race": _race(frame, stage, stack),
        "groups": _groups(riders),
        "riders": _riders(riders),
        "health": _health(frame),
    }


def _race(frame: StateFrame | None, stage: StageConfig, stack: str) -> dict[str, Any]:
    clock = (
        None if frame is None else (_EPOCH + timedelta(milliseconds=frame.clock_ms)).astimezone(stage.race_start.tzinfo)
    )
    head_m = 0.0 if frame is None else float(np.nanmax(frame.riders["distance_m"], initial=0.0))
    return {
        "stack": stack,
        "edition": stage.edition,
        "stage": stage.number,
        "start": stage.start,
        "finish": stage.finish,
        "race_start": stage.race_start.isoformat(),
        "clock": clock.isoformat() if clock else None,
        "clock_ms": frame.clock_ms if frame else None,
        "speed_factor": frame.speed_factor if frame else 1.0,
        "status": (frame.status if frame else RaceStatus.WAITING).name.lower(),
        "km_done": round(head_m / 1000, 3),
        "simulated": True,
    }


def _groups(riders: np.ndarray) -> list[dict[str, Any]]:
    """Of riders in race order, so that the first of each group leads it."""
    riding = riders[(riders["quality"] <= ON_THE_ROAD) & (riders["group"] > 0)]
    members = [riding[riding["group"] == number] for number in np.unique(riding["group"])]
    names = name_groups([len(group) for group in members])
    documents: list[dict[str, Any]] = []
    previous_gap_s = None
    for group, name in zip(members, names, strict=True):
        leader = group[0]
        gap_s = _figure(leader["gap_s"], 1)
        documents.append(
            {
                "id": int(leader["group"]),
                "name": name,
                "size": len(group),
                "riders": group["rider"].tolist(),
                "km": _figure(leader["distance_m"] / 1000, 3),
                "to_go_km": _figure(leader["to_go_m"] / 1000, 3),
                "gap_s": gap_s,
                "gap_m": _figure(leader["gap_m"], 0),
                "gap_to_previous_s": None
                if gap_s is None or previous_gap_s is None
                else round(gap_s - previous_gap_s, 1),
                "speed_kmh": _figure(np.median(group["speed_ms"]) * KMH, 1),
            }
        )
        previous_gap_s = gap_s
    return documents


def _riders(riders: np.ndarray) -> list[dict[str, Any]]:
    return _rows(
        {
            "rider": riders["rider"].tolist(),
            "km": _rounded(riders["distance_m"] / 1000, 3),
            "to_go_km": _rounded(riders["to_go_m"] / 1000, 3),
            "lat": _rounded(riders["lat"], 6),
            "lon": _rounded(riders["lon"], 6),
            "speed_kmh": _rounded(riders["speed_ms"] * KMH, 1),
            "gradient": _rounded(riders["gradient"], 4),
            "position": riders["position"].tolist(),
            "group": riders["group"].tolist(),
            "gap_s": _rounded(riders["gap_s"], 1),
            "gap_m": _rounded(riders["gap_m"], 0),
            "seen_ms": riders["seen_ms"].tolist(),
            "quality": riders["quality"].tolist(),
        }
    )


def _health(frame: StateFrame | None) -> dict[str, Any]:
    return {
        "readings": frame.readings if frame else 0,
        "per_second": round(frame.per_second, 1) if frame else 0.0,
        "duplicates": frame.duplicates if frame else 0,
        "late": frame.late if frame else 0,
        "lag_ms": round((frame.published_ns - frame.ingest_ns) / 1e6, 1) if frame else None,
    }


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _rounded(values: np.ndarray, digits: int) -> list[float | None]:
    rounded = np.round(values.astype(float), digits)
    return [value if known else None for value, known in zip(rounded.tolist(), np.isfinite(rounded), strict=True)]


def _figure(value: Any, digits: int) -> float | None:
    return _rounded(np.array([value]), digits)[0]
