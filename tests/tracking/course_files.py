"""The same course in every format that is read, as the usual programs write it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import gpxpy.gpx
import numpy as np
from garmin_fit_sdk import Encoder, Profile
from tracking.course.geometry import EARTH_RADIUS_M

SEMICIRCLES = 2**31 / 180
TCX_TYPES = {("climb", "HC"): "Hors Category", ("climb", "1"): "1st Category", ("sprint", ""): "Sprint"}
FIT_TYPES = {("climb", "HC"): "hors_category", ("climb", "1"): "first_category", ("sprint", ""): "sprint"}


@dataclass(frozen=True)
class Place:
    """A mark beside the line."""

    kind: str
    name: str
    lat: float
    lon: float
    km: float | None = None
    category: str = ""


@dataclass(frozen=True)
class Drawn:
    """A course before it is a file. `points` are (n, 3): longitude, latitude, elevation."""

    points: np.ndarray
    official_km: float | None
    title: str = "A → B"
    places: Sequence[Place] = ()


def north(km: float, step_m: float = 100.0, slope: float = 0.0) -> Drawn:
    """A straight road to the north, of a constant slope."""
    along = np.arange(0.0, km * 1000 + step_m / 2, step_m)
    lat = 45.0 + np.degrees(along / EARTH_RADIUS_M)
    return Drawn(np.column_stack((np.full(len(along), 5.0), lat, 300.0 + slope * along)), km)


def on_road(drawn: Drawn, traced_m: float, kind: str = "checkpoint", name: str = "", **said: Any) -> Place:
    """A mark at so many metres of a road that `north` drew."""
    return Place(kind, name, 45.0 + float(np.degrees(traced_m / EARTH_RADIUS_M)), 5.0, **said)


def geojson(drawn: Drawn) -> bytes:
    """A FeatureCollection with the line and a Point for each mark."""
    start, _, finish = drawn.title.partition(" → ")
    said = {"start": start, "finish": finish}
    if drawn.official_km is not None:
        said["official_km"] = drawn.official_km
    line = {"type": "LineString", "coordinates": drawn.points.tolist()}
    features = [{"type": "Feature", "properties": said, "geometry": line}]
    for place in drawn.places:
        said = {"type": place.kind, "name": place.name, "official_km": place.km, "category": place.category}
        point = {"type": "Point", "coordinates": [place.lon, place.lat]}
        features.append({"type": "Feature", "properties": said, "geometry": point})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def gpx(drawn: Drawn) -> bytes:
    """Written by gpxpy; the official distances as extensions."""
    written = gpxpy.gpx.GPX()
    track = gpxpy.gpx.GPXTrack(drawn.title)
    segment = gpxpy.gpx.GPXTrackSegment()
    segment.points = [gpxpy.gpx.GPXTrackPoint(lat, lon, elevation=up) for lon, lat, up in drawn.points.tolist()]
    track.segments.append(segment)
    if drawn.official_km is not None:
        track.extensions.append(_element("official_km", drawn.official_km))
    written.tracks.append(track)
    for place in drawn.places:
        kind = f"{place.kind} {place.category}".strip()
        waypoint = gpxpy.gpx.GPXWaypoint(place.lat, place.lon, name=place.name, type=kind)
        if place.km is not None:
            waypoint.extensions.append(_element("official_km", place.km))
        written.waypoints.append(waypoint)
    return written.to_xml().encode()


def _element(name: str, number: float) -> ElementTree.Element:
    element = ElementTree.Element(name)
    element.text = str(number)
    return element


def tcx(drawn: Drawn) -> bytes:
    """A course as a route planner exports it; the official distance in an extension, those of marks in their notes."""
    said = f"<Extensions><official_km>{drawn.official_km}</official_km></Extensions>" if drawn.official_km else ""
    points = "".join(
        f"<Trackpoint><Time>2022-07-14T11:00:00Z</Time>{_position(lat, lon)}"
        f"<AltitudeMeters>{up}</AltitudeMeters></Trackpoint>"
        for lon, lat, up in drawn.points.tolist()
    )
    marks = "".join(
        f"<CoursePoint><Name>{escape(place.name)}</Name>{_position(place.lat, place.lon)}"
        f"<PointType>{TCX_TYPES.get((place.kind, place.category), 'Generic')}</PointType>"
        + (f"<Notes>km {place.km}</Notes>" if place.km is not None else "")
        + "</CoursePoint>"
        for place in drawn.places
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><TrainingCenterDatabase '
        'xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Courses><Course>'
        f"<Name>{escape(drawn.title)}</Name><Track>{points}</Track>{marks}{said}"
        "</Course></Courses></TrainingCenterDatabase>"
    ).encode()


def _position(lat: float, lon: float) -> str:
    place = f"<LatitudeDegrees>{lat}</LatitudeDegrees><LongitudeDegrees>{lon}</LongitudeDegrees>"
    return f"<Position>{place}</Position>"


def fit(drawn: Drawn) -> bytes:
    """Written by the format's own maintainer; a mark's official distance can only be its name."""
    numbers, encoder = Profile["mesg_num"], Encoder()
    encoder.on_mesg(numbers["FILE_ID"], {"type": "course", "manufacturer": "development", "product": 1})
    encoder.on_mesg(numbers["COURSE"], {"name": drawn.title})
    for lon, lat, up in drawn.points.tolist():
        place = {"position_lat": round(lat * SEMICIRCLES), "position_long": round(lon * SEMICIRCLES)}
        encoder.on_mesg(numbers["RECORD"], {**place, "altitude": up})
    for mark in drawn.places:
        place = {"position_lat": round(mark.lat * SEMICIRCLES), "position_long": round(mark.lon * SEMICIRCLES)}
        kind = FIT_TYPES.get((mark.kind, mark.category), "generic")
        name = mark.name if mark.km is None else f"km {mark.km}"
        encoder.on_mesg(numbers["COURSE_POINT"], {**place, "type": kind, "name": name})
    return bytes(encoder.close())


WRITERS: dict[str, Callable[[Drawn], bytes]] = {"geojson": geojson, "gpx": gpx, "tcx": tcx, "fit": fit}


def write(folder: Path, drawn: Drawn, kind: str) -> Path:
    """The file of a course in one of the formats."""
    path = folder / f"course.{kind}"
    path.write_bytes(WRITERS[kind](drawn))
    return path
