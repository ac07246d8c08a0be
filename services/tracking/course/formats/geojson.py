"""GeoJSON: one line, and points beside it for what the road book names."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from tracking.course.formats.drawing import MOST_MARKS, Drawing, Mark, MarkKind, Problem, Unreadable, is_number, points

LABEL = "coordinates"
LINES = ("LineString", "MultiLineString")
_AGAIN = "Export the course as GeoJSON again"
_ONE_LINE = "Keep one line, the course, in a file, and only points beside it"
_LISTS = {"checkpoints": MarkKind.CHECKPOINT, "climbs": MarkKind.CLIMB, "sprints": MarkKind.SPRINT}
"""What the line's own properties may list."""


def read(content: bytes) -> Drawing:
    """The drawing of a Feature, or of a FeatureCollection with one line and any points."""
    road, features = _the_features(_load(content))
    said, geometry = _object(features[road].get("properties")), _geometry(features[road])
    marked = (_marked(f"features[{i}]", feature) for i, feature in enumerate(features) if i != road)
    marks = [*_listed(said), *marked]
    problems = [*_line_problems(geometry), *(mark for mark in marks if not isinstance(mark, Mark))]
    return Drawing(
        label=LABEL,
        parts=() if problems else tuple(points(map(_row, part), LABEL) for part in _parts(geometry) if part),
        said=said,
        prefix="properties.",
        order="GeoJSON wants longitude first, then latitude",
        heights="Add the elevation in metres as third number",
        marks=tuple(mark for mark in marks if isinstance(mark, Mark)),
        problems=tuple(problems),
    )


def _load(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("file", "is not text in UTF-8", "Export the course as GeoJSON") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}", f"is not JSON ({error.msg})", _AGAIN) from None
    except RecursionError:
        raise Unreadable("file", "is nested too deeply for a course", _AGAIN) from None
    except ValueError:
        raise Unreadable("file", "holds a number of thousands of digits", _AGAIN) from None


def _the_features(document: Any) -> tuple[int, list[dict]]:
    """Which feature is the road, and all of them."""
    features = document.get("features") if isinstance(document, dict) else None
    if isinstance(document, dict) and document.get("type") == "Feature":
        features = [document]
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise Unreadable("features", "is not a FeatureCollection", "Give a FeatureCollection with one line, the course")
    if len(features) > MOST_MARKS:
        raise Unreadable("features", f"has {len(features)} features, more than {MOST_MARKS}", _ONE_LINE)
    lines = [i for i, feature in enumerate(features) if len(features) == 1 or _geometry(feature).get("type") in LINES]
    if len(lines) != 1:
        reason = f"is not a FeatureCollection with exactly one line but with {len(lines)}"
        raise Unreadable("features", reason, _ONE_LINE)
    return lines[0], features


def _marked(at: str, feature: dict) -> Mark | Problem:
    place = _geometry(feature).get("coordinates")
    if _geometry(feature).get("type") != "Point" or not isinstance(place, list) or not _is_numbers(place):
        return at, "is neither the course nor a Point", _ONE_LINE
    said = _object(feature.get("properties"))
    kind = said.get("type", said.get("kind", MarkKind.CHECKPOINT))
    if kind not in [*MarkKind]:
        return f"{at}.properties.type", f"is {kind!r:.60}", f"Give one of {', '.join(MarkKind)}"
    return _mark(at, MarkKind(kind), said, (place[1], place[0]))


def _listed(said: dict) -> Iterator[Mark | Problem]:
    """What the properties of the line list, by official distance or by place."""
    for name, kind in _LISTS.items():
        entries = said.get(name, [])
        if not isinstance(entries, list):
            yield f"properties.{name}", "is not a list", "Give a list of objects or leave it out"
            continue
        for i, entry in enumerate(entries):
            entry, at = _object(entry), f"properties.{name}[{i}]"
            place = entry.get("traced_km")
            if _is_numbers([entry.get("lon"), entry.get("lat")]):
                place = (entry["lat"], entry["lon"])
            yield _mark(at, kind, entry, place)


def _mark(at: str, kind: MarkKind, said: dict, place: Any) -> Mark | Problem:
    km = said.get("official_km", said.get("km"))
    if km is not None and not is_number(km):
        return f"{at}.official_km", f"is {km!r:.60}, not a distance in kilometres", "Give a number or leave it out"
    if not (place is None or is_number(place) or isinstance(place, tuple)):
        return f"{at}.traced_km", f"is {place!r:.60}, not a distance in kilometres", "Give a number or leave it out"
    name, category = said.get("name") or "", str(said.get("category") or "").upper()
    if not isinstance(name, str):
        return f"{at}.name", f"is {name!r:.60}, not text", "Give the name as text or leave it out"
    return Mark(at, kind, name, place, km, category)


def _line_problems(geometry: dict) -> Iterator[Problem]:
    kind = geometry.get("type")
    parts = _parts(geometry)
    if kind not in LINES or not all(isinstance(part, list) for part in parts):
        remedy = "Join the parts into one line from start to finish"
        yield "geometry.type", f"is {kind!r:.60}, not a LineString", remedy
        return
    rows = [point for part in parts for point in part]
    bad = [i for i, point in enumerate(rows) if not _is_numbers(point)]
    if bad:
        reason = f"{len(bad)} points are not [longitude, latitude, elevation]"
        yield f"coordinates[{bad[0]}]", reason, "Correct or remove these points"


def _parts(geometry: dict) -> list:
    lines = geometry.get("coordinates")
    if geometry.get("type") == "LineString":
        return [lines]
    return lines if isinstance(lines, list) else [None]


def _row(point: list) -> tuple[float, float, float | None]:
    lon, lat, *up = point
    return _number(lon), _number(lat), _number(up[0]) if up else None


def _number(value: float) -> float:
    """A whole number may be larger than any float."""
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _geometry(feature: dict) -> dict:
    return _object(feature.get("geometry"))


def _is_numbers(point: Any) -> bool:
    return isinstance(point, list) and len(point) >= 2 and all(map(is_number, point))


def _object(value: Any) -> dict:
    return value if isinstance(value, dict) else {}
