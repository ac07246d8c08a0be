"""Reads the GeoJSON of a course and says everything that is wrong with it, in words, at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LENGTH_TOLERANCE = 0.08
"""A trace may differ from its official distance by this share; mislabelled traces differ by more."""
LARGEST_HOLE_M = 2000.0
FEWEST_POINTS = 50
EARTH_RADIUS_M = 6_371_008.8
EUROPE = ((-12.0, 32.0), (34.0, 62.0))
"""Longitudes and latitudes that a race on European roads keeps to; tells swapped columns from a far country."""
SOURCE = "Course: florentfgrs/tour_de_france_geodata on GitHub, licensed ODbL 1.0"


@dataclass(frozen=True, slots=True)
class CourseMistake:
    """One thing that is wrong with a course file."""

    file: str
    field: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.reason}. {self.remedy}."


class CourseError(Exception):
    """The course file cannot be used; `mistakes` holds every reason."""

    def __init__(self, mistakes: tuple[CourseMistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Trace:
    """A course as it was drawn: points of uneven spacing, and what the file says about the stage."""

    start: str
    finish: str
    kind: str
    year: int
    stage: int
    official_km: float
    attribution: str
    lon: np.ndarray
    lat: np.ndarray
    elevation: np.ndarray


def read_trace(path: Path) -> Trace:
    """The checked trace of a GeoJSON file; CourseError with all mistakes where there are any."""
    document = _load(path)
    properties, geometry = _the_feature(path.name, document)
    mistakes = [CourseMistake(path.name, *m) for m in (*_property_mistakes(properties), *_shape_mistakes(geometry))]
    if not mistakes:
        points = np.asarray([point[:3] for point in geometry["coordinates"]], dtype=float)
        mistakes = [CourseMistake(path.name, *m) for m in _point_mistakes(points, float(properties["official_km"]))]
    if mistakes:
        raise CourseError(tuple(mistakes))
    return Trace(
        start=properties["start"],
        finish=properties["finish"],
        kind=str(properties.get("kind", "road")),
        year=int(properties.get("year", 0)),
        stage=int(properties.get("stage", 0)),
        official_km=float(properties["official_km"]),
        attribution=str(properties.get("attribution", SOURCE)),
        lon=points[:, 0],
        lat=points[:, 1],
        elevation=points[:, 2],
    )


def segment_lengths(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Metres between neighbouring points (n-1,), on a sphere; exact enough below some kilometres."""
    north = np.radians(np.diff(lat))
    east = np.radians(np.diff(lon)) * np.cos(np.radians((lat[1:] + lat[:-1]) / 2))
    return EARTH_RADIUS_M * np.hypot(north, east)


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = ("file", f"cannot be read ({error.strerror})", "Put the course there or name another one")
    except UnicodeDecodeError:
        problem = ("file", "is not text in UTF-8", "Export the course as GeoJSON")
    except json.JSONDecodeError as error:
        problem = (f"line {error.lineno}", f"is not JSON ({error.msg})", "Export the course as GeoJSON again")
    raise CourseError((CourseMistake(path.name, *problem),))


def _the_feature(file: str, document: Any) -> tuple[dict, dict]:
    """Properties and geometry of the file's only feature."""
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or len(features) != 1 or not isinstance(features[0], dict):
        reason = "is not a FeatureCollection with exactly one feature"
        raise CourseError((CourseMistake(file, "features", reason, "Keep one feature, the course, in a file"),))
    feature = features[0]
    properties, geometry = feature.get("properties"), feature.get("geometry")
    return (properties if isinstance(properties, dict) else {}, geometry if isinstance(geometry, dict) else {})


def _property_mistakes(properties: dict) -> Iterator[tuple[str, str, str]]:
    for name in ("start", "finish"):
        if not isinstance(properties.get(name), str) or not properties[name]:
            yield f"properties.{name}", "is missing", "Give the town as text"
    for name in ("year", "stage"):
        if not isinstance(properties.get(name, 0), int):
            yield f"properties.{name}", f"is {properties[name]!r}, not a whole number", "Give a number or leave it out"
    km = properties.get("official_km")
    if isinstance(km, bool) or not isinstance(km, int | float) or not 0 < km < 1000:
        yield "properties.official_km", f"is {km!r}, not a distance in kilometres", "Give the official distance"


def _shape_mistakes(geometry: dict) -> Iterator[tuple[str, str, str]]:
    kind, points = geometry.get("type"), geometry.get("coordinates")
    if kind != "LineString" or not isinstance(points, list):
        yield "geometry.type", f"is {kind!r}, not a LineString", "Join the parts into one line from start to finish"
        return
    if len(points) < FEWEST_POINTS:
        remedy = f"Trace the road with at least {FEWEST_POINTS} points"
        yield "geometry.coordinates", f"has {len(points)} points, too few for a course", remedy
    bad = [i for i, point in enumerate(points) if not _is_numbers(point)]
    flat = [i for i, point in enumerate(points) if _is_numbers(point) and len(point) < 3]
    if bad:
        reason = f"{len(bad)} points are not [longitude, latitude, elevation]"
        yield f"coordinates[{bad[0]}]", reason, "Correct or remove these points"
    if flat:
        reason = f"{len(flat)} points have no elevation"
        yield f"coordinates[{flat[0]}]", reason, "Add the elevation in metres as third number"


def _is_numbers(point: Any) -> bool:
    return isinstance(point, list) and len(point) >= 2 and all(type(number) in (int, float) for number in point)


def _point_mistakes(points: np.ndarray, official_km: float) -> Iterator[tuple[str, str, str]]:
    if not np.isfinite(points).all():
        first = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        yield f"coordinates[{first}]", "is not a number (NaN or infinite)", "Correct or remove this point"
        return
    lon, lat, elevation = points.T
    if _in_europe(lat, lon) and not _in_europe(lon, lat):
        reason = "longitude and latitude are swapped"
        yield "geometry.coordinates", reason, "GeoJSON wants longitude first, then latitude"
        return
    outside = np.flatnonzero((abs(lon) > 180) | (abs(lat) > 90))
    if len(outside):
        reason = f"{len(outside)} points lie outside of -180..180, -90..90 degrees"
        yield f"coordinates[{outside[0]}]", reason, "Give WGS 84 degrees"
        return
    if len(wild := np.flatnonzero((elevation < -450) | (elevation > 6000))):
        reason = f"elevation {elevation[wild[0]]:g} m is on no road ({len(wild)} such points)"
        yield f"coordinates[{wild[0]}]", reason, "Give metres above the sea"
    yield from _length_mistakes(segment_lengths(lon, lat), official_km)


def _length_mistakes(lengths: np.ndarray, official_km: float) -> Iterator[tuple[str, str, str]]:
    for i in np.flatnonzero(lengths > LARGEST_HOLE_M):
        reason = f"the next point is {lengths[i] / 1000:.1f} km away: a part of the course is missing"
        yield f"coordinates[{i}]", reason, "Complete the trace"
    traced_km = lengths.sum() / 1000
    off = traced_km / official_km - 1
    if abs(off) > LENGTH_TOLERANCE:
        reason = (
            f"says {official_km:g} km but the trace measures {traced_km:.1f} km, "
            f"{off:+.0%}, more than {LENGTH_TOLERANCE:.0%} off"
        )
        yield "properties.official_km", reason, "This is another stage's trace or distance: correct one of them"


def _in_europe(lon: np.ndarray, lat: np.ndarray) -> bool:
    (west, east), (south, north) = EUROPE
    return bool((lon.min() > west) and (lon.max() < east) and (lat.min() > south) and (lat.max() < north))
