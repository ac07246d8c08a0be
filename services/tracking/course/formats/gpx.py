"""GPX: the segments of all tracks, or else the first route, are the road; waypoints are its marks.

A waypoint's type says what it is (`checkpoint`, `sprint`, `climb`, `climb HC`); its official distance stands in an
extension `official_km` or as the only words of its comment or description: `km 45.2`. What the file says of the stage
(official_km, neutral_km, year, stage, kind, start, finish) are extensions of its metadata or of a track.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import gpxpy
import numpy as np
from gpxpy.gpx import GPX, GPXWaypoint

from tracking.course.formats.drawing import Drawing, Mark, MarkKind, kind_in, km_in, points, towns
from tracking.course.formats.said import said_in
from tracking.course.formats.xml import checked_root, local


def read(content: bytes) -> Drawing:
    """The drawing of a GPX file. Raises Unreadable."""
    _, text = checked_root(content, "GPX")
    gpx = gpxpy.parse(text)
    lines: list[Any] = [segment.points for track in gpx.tracks for segment in track.segments if segment.points]
    label = "trkpt"
    if not lines:
        lines, label = [route.points for route in gpx.routes if route.points][:1], "rtept"
    titled: tuple[Any, ...] = (*gpx.tracks, *gpx.routes)
    extensions = [*gpx.metadata_extensions, *gpx.extensions, *(each for part in titled for each in part.extensions)]
    title = next((part.name for part in titled if part.name), gpx.name)
    return Drawing(
        label=label,
        parts=tuple(_table(line, label) for line in lines),
        said={**towns(title), "attribution": _attribution(gpx), **said_in(_texts(extensions))},
        order="Exchange the attributes lat and lon",
        marks=tuple(_marks(gpx.waypoints)),
    )


def _table(line: Iterable[Any], label: str) -> np.ndarray:
    return points(((point.longitude, point.latitude, point.elevation) for point in line), label)


def _marks(waypoints: Iterable[GPXWaypoint]) -> Iterator[Mark]:
    for i, waypoint in enumerate(waypoints):
        texts = _texts(waypoint.extensions)
        kind, category = kind_in(waypoint.type)
        km = said_in(texts).get("official_km", km_in(waypoint.comment))
        km = km_in(waypoint.description) if km is None else km
        if kind is None and km is None:
            continue
        yield Mark(
            field=f"wpt[{i}]",
            kind=kind or MarkKind.CHECKPOINT,
            name=waypoint.name or "",
            place=(waypoint.latitude, waypoint.longitude),
            official_km=km,
            category=category or texts.get("category", "").upper(),
        )


def _texts(extensions: Iterable[Any]) -> dict[str, str]:
    """Texts of the extensions and of all in them, by local name; the first of a name counts."""
    texts: dict[str, str] = {}
    for extension in extensions:
        for element in extension.iter():
            texts.setdefault(local(element), (element.text or "").strip())
    return texts


def _attribution(gpx: GPX) -> str:
    return " ".join(filter(None, (gpx.copyright_author, gpx.copyright_year, gpx.copyright_license)))
