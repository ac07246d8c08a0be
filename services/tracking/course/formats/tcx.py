"""TCX: the trackpoints of a course, or of the laps of an activity, are the road; course points are its marks.

tcxreader knows how a trackpoint is written; it opens activities only, and files that nobody looked at, so the walk down
to the trackpoints is made here. A course point's notes may give its official distance: `km 45.2`.
"""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

import numpy as np
from tcxreader.tcx_track_point import TCXTrackPoint
from tcxreader.tcxreader import GARMIN_XML_SCHEMA, TCXReader

from tracking.course.formats.drawing import Drawing, Mark, MarkKind, Unreadable, km_in, points, towns
from tracking.course.formats.said import said_in
from tracking.course.formats.xml import checked_root, child_texts, local

LABEL = "Trackpoint"
KINDS = {
    "Hors Category": (MarkKind.CLIMB, "HC"),
    "1st Category": (MarkKind.CLIMB, "1"),
    "2nd Category": (MarkKind.CLIMB, "2"),
    "3rd Category": (MarkKind.CLIMB, "3"),
    "4th Category": (MarkKind.CLIMB, "4"),
    "Summit": (MarkKind.CLIMB, ""),
    "Sprint": (MarkKind.SPRINT, ""),
}
"""By a course point's type."""


def read(content: bytes) -> Drawing:
    """The drawing of a TCX file. Raises Unreadable."""
    root, _ = checked_root(content, "TCX")
    journeys = [element for element in root.iter() if local(element) in ("Course", "Activity")]
    if len(journeys) != 1:
        reason = f"holds {len(journeys)} courses or activities, not one"
        raise Unreadable("TrainingCenterDatabase", reason, "Export the course alone")
    (journey,) = journeys
    tracks = [_table(track) for track in journey.iter(f"{GARMIN_XML_SCHEMA}Track")]
    said = said_in(child_texts(journey.find(f"{GARMIN_XML_SCHEMA}Extensions")))
    return Drawing(
        label=LABEL,
        parts=tuple(track for track in tracks if len(track)),
        said={**towns(child_texts(journey).get("Name")), "attribution": "", **said},
        order="Exchange LatitudeDegrees and LongitudeDegrees",
        marks=tuple(_marks(journey.iterfind(f"{GARMIN_XML_SCHEMA}CoursePoint"))),
    )


def _table(track: Element) -> np.ndarray:
    """Of the trackpoints that have a position: a recording begins before there is one."""
    elements = track.iterfind(f"{GARMIN_XML_SCHEMA}{LABEL}")
    placed = (_trackpoint(each) for each in elements if each.find(f"{GARMIN_XML_SCHEMA}Position") is not None)
    return points(((point.longitude, point.latitude, point.elevation) for point in placed), LABEL)


def _trackpoint(element: Element) -> TCXTrackPoint:
    point = TCXTrackPoint(tpx_ext={})
    TCXReader().trackpoint_parser(point, element)
    return point


def _marks(elements: Iterable[Element]) -> Iterator[Mark]:
    for i, element in enumerate(elements):
        texts = child_texts(element)
        place = child_texts(element.find(f"{GARMIN_XML_SCHEMA}Position"))
        km = km_in(texts.get("Notes"))
        kind, category = KINDS.get(texts.get("PointType", ""), (None, ""))
        if kind is None and km is None:
            continue
        yield Mark(
            field=f"CoursePoint[{i}]",
            kind=kind or MarkKind.CHECKPOINT,
            name=texts.get("Name", ""),
            place=(float(place["LatitudeDegrees"]), float(place["LongitudeDegrees"])),
            official_km=km,
            category=category,
        )
