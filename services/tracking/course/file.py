"""Reads a course in any known format and says everything that is wrong with it, in words, at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracking.course.checks import length_problems, point_problems, road_problems
from tracking.course.formats import read_drawing
from tracking.course.formats.drawing import Mark, MarkKind, Problem, is_number, is_text
from tracking.course.geometry import EARTH_RADIUS_M, segment_lengths
from tracking.course.marks import PlacedMark, mark_problems, placed_marks
from tracking.course.mistakes import CourseError, CourseMistake
from tracking.course.warp import Knot, traced_road, warp

__all__ = ["EARTH_RADIUS_M", "CourseError", "CourseMistake", "Trace", "read_trace", "segment_lengths"]

Checkpoint = tuple[tuple[float, float] | float, float]
"""(place, official km); a place is (latitude, longitude), or kilometres along the trace."""

OFFICIAL_KM = (0.5, 1000.0)
SOURCE = "Course: florentfgrs/tour_de_france_geodata on GitHub, licensed ODbL 1.0"


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
    knots: tuple[Knot, ...] = ()
    """(traced, official) metres of the places whose official distance is known, rising in both, from the official start
    to the finish. None: the whole trace is the official distance."""
    marks: tuple[PlacedMark, ...] = ()
    """Climbs and sprints that the file names."""


def read_trace(
    path: Path,
    official_km: float | None = None,
    checkpoints: Sequence[Checkpoint] | None = None,
    neutral_km: float | None = None,
) -> Trace:
    """The checked trace of a file; CourseError with all mistakes where there are any.

    What is given beside the file goes before what the file says: the official distance, the length of the neutral zone
    before the official start, and places of known official distance (in addition to the file's own).
    """
    drawing = read_drawing(path)
    given = {"official_km": official_km, "neutral_km": neutral_km}
    said = {**drawing.said, **{name: value for name, value in given.items() if value is not None}}
    marks = (*drawing.marks, *_given_marks(checkpoints or ()))
    _refuse(path, (*_said_problems(said, drawing.prefix), *drawing.problems, *mark_problems(marks)))
    points = np.concatenate(drawing.parts or (np.zeros((0, 3)),))
    _refuse(path, point_problems(points, drawing))
    lon, lat, elevation = points.T
    road = traced_road(lon, lat)
    knots, misplaced = warp(road, float(said["official_km"]) * 1000, marks, said.get("neutral_km"))
    wrong_length = length_problems(knots, f"{drawing.prefix}official_km")
    _refuse(path, (*road_problems(points, drawing), *misplaced, *wrong_length))
    placed, misplaced = placed_marks(marks, road, knots)
    _refuse(path, misplaced)
    return Trace(
        start=said["start"],
        finish=said["finish"],
        kind=said.get("kind") or "road",
        year=said.get("year", 0),
        stage=said.get("stage", 0),
        official_km=float(said["official_km"]),
        attribution=said.get("attribution", SOURCE),
        lon=lon,
        lat=lat,
        elevation=elevation,
        knots=knots,
        marks=placed,
    )


def _refuse(path: Path, problems: Iterable[Problem]) -> None:
    if mistakes := tuple(CourseMistake(path.name, *problem) for problem in problems):
        raise CourseError(mistakes)


def _given_marks(checkpoints: Iterable[Checkpoint]) -> Iterator[Mark]:
    for i, (place, km) in enumerate(checkpoints):
        yield Mark(f"checkpoints[{i}]", MarkKind.CHECKPOINT, place=place, official_km=km)


def _said_problems(said: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    for name in ("start", "finish"):
        if not is_text(said.get(name)):
            yield f"{prefix}{name}", "is missing", "Give the town as text"
    for name in ("kind", "attribution"):
        if said.get(name, "") != "" and not is_text(said[name]):
            yield f"{prefix}{name}", "is not text", "Give text or leave it out"
    for name in ("year", "stage"):
        if type(number := said.get(name, 0)) is not int or not 0 <= number < 10_000:
            yield f"{prefix}{name}", f"is {number!r:.60}, not a whole number", "Give a number or leave it out"
    km, (least, most) = said.get("official_km"), OFFICIAL_KM
    if km is None:
        yield f"{prefix}official_km", "is missing", "Give the official distance there, or with --official-km"
    elif not is_number(km) or not least <= km < most:
        reason = f"is {km!r:.60}, not a distance in kilometres"
        yield f"{prefix}official_km", reason, f"Give the official distance, {least:g} to {most:g} km"
    neutral_km = said.get("neutral_km", 0)
    if not is_number(neutral_km) or not 0 <= neutral_km < most:
        reason = f"is {neutral_km!r:.60}, not a distance in kilometres"
        yield f"{prefix}neutral_km", reason, "Give the length of the neutral zone or leave it out"
