"""The climbs and sprints that a course file names: whether they make sense, and where on the road they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracking.course.formats.drawing import CATEGORIES, MOST_MARKS, Mark, MarkKind, Problem, is_number, is_text
from tracking.course.warp import Knot, TracedRoad, official_of


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """A climb's summit or a sprint on the road."""

    kind: MarkKind
    name: str
    at_m: float
    """Official metres from the start."""
    category: str = ""
    """The organiser's, of a climb: HC, 1, 2, 3, 4; empty where it is not told."""


def mark_problems(marks: Sequence[Mark]) -> Iterator[Problem]:
    """What is wrong with marks by themselves, wherever the road goes."""
    if len(marks) > MOST_MARKS:
        yield "file", f"marks {len(marks)} places, more than {MOST_MARKS}", "Keep those of the road book"
    for mark in marks:
        if mark.name and not is_text(mark.name):
            yield f"{mark.field}.name", "is too long or no text", "Give a short name or leave it out"
        if mark.category not in ("", *CATEGORIES):
            remedy = f"Give one of {', '.join(CATEGORIES)}"
            yield f"{mark.field}.category", f"is {mark.category!r:.60}, not a category", remedy
        if mark.official_km is not None and not _is_distance(mark.official_km):
            reason = f"is {mark.official_km!r:.60}, not a distance in kilometres"
            yield f"{mark.field}.official_km", reason, "Give kilometres from the official start"
        yield from _place_problems(mark)


def _place_problems(mark: Mark) -> Iterator[Problem]:
    if mark.place is None:
        if mark.official_km is None or mark.kind is MarkKind.CHECKPOINT:
            yield mark.field, f"the {mark.kind} has no place", "Give latitude and longitude, or kilometres"
    elif isinstance(mark.place, tuple):
        lat, lon = mark.place
        if not (is_number(lat) and is_number(lon) and abs(lat) <= 90 and abs(lon) <= 180):
            reason = f"latitude {lat!r:.60}, longitude {lon!r:.60} is no place on the earth"
            yield mark.field, reason, "Give WGS 84 degrees"
    elif not _is_distance(mark.place):
        yield mark.field, f"{mark.place!r:.60} is no distance along the trace", "Give kilometres from its first point"
    if mark.kind is MarkKind.CHECKPOINT and mark.place is not None and mark.official_km is None:
        yield mark.field, "the checkpoint has no official distance", "Give its official_km"


def placed_marks(
    marks: Iterable[Mark], road: TracedRoad, knots: Sequence[Knot]
) -> tuple[tuple[PlacedMark, ...], list[Problem]]:
    """The climbs and sprints in road order, and those that are not on the raced road. A place without an official
    distance that is passed several times is meant at the first passage."""
    placed, problems = [], []
    for mark in marks:
        if mark.kind is MarkKind.CHECKPOINT:
            continue
        at_m = _official_m(mark, road, knots)
        if at_m is None or at_m > knots[-1][1]:
            reason = f"{mark.name or f'the {mark.kind}'} is not on the raced road"
            problems.append((mark.field, reason, "Correct its place or its kilometres"))
        else:
            placed.append(PlacedMark(mark.kind, mark.name, at_m, mark.category))
    return tuple(sorted(placed, key=lambda mark: mark.at_m)), problems


def _official_m(mark: Mark, road: TracedRoad, knots: Sequence[Knot]) -> float | None:
    if mark.official_km is not None:
        return float(mark.official_km) * 1000
    if isinstance(mark.place, tuple):
        traced, _ = road.passages(*mark.place)
    else:
        traced = np.array([float(mark.place or 0) * 1000])
    raced = traced[(traced >= knots[0][0]) & (traced <= knots[-1][0])]
    return float(official_of(knots, raced[:1])[0]) if len(raced) else None


def _is_distance(km: Any) -> bool:
    return is_number(km) and 0 <= km < 1000
