"""What every reader of a format hands over, and the words that the formats have in common."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

Problem = tuple[str, str, str]
"""(field, reason, remedy) of a mistake."""

MOST_POINTS = 400_000
MOST_MARKS = 300
MOST_LETTERS = 200
CATEGORIES = ("HC", "1", "2", "3", "4")
_AT_KM = re.compile(r"\s*km\s*(\d{1,3}(?:[.,]\d{1,3})?)\s*", re.IGNORECASE)
_TOWNS = re.compile(r"\s+(?:→|->|–|—|-|>)\s+")


class Unreadable(Exception):
    """The file is no file of its format, so that nothing else can be said about it."""

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.field, self.reason, self.remedy = field, reason, remedy


class MarkKind(StrEnum):
    """What a point beside the line stands for."""

    CHECKPOINT = "checkpoint"
    """Nothing but a place whose official distance is known."""
    CLIMB = "climb"
    """Its summit."""
    SPRINT = "sprint"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that a file points out, as the file says it."""

    field: str
    """Where in the file."""
    kind: MarkKind
    name: str = ""
    place: tuple[float, float] | float | None = None
    """(latitude, longitude), or kilometres along the trace; None where only the official distance is told."""
    official_km: float | None = None
    category: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The content of a course file. Longitudes, latitudes and elevations are as written: nothing is checked yet."""

    label: str
    """What the format calls a point: mistakes speak of `label[index]`."""
    parts: tuple[np.ndarray, ...]
    """Each (n, 3): longitude, latitude, elevation; NaN where there is no elevation."""
    said: Mapping[str, Any]
    """What the file says of the stage: start, finish, kind, year, stage, official_km, neutral_km, attribution."""
    prefix: str = ""
    """Stands before the names of `said` in the file."""
    order: str = "Exchange latitudes and longitudes"
    """The remedy for swapped columns."""
    heights: str = "Have a route planner add the elevation of the terrain, and export the course again"
    """The remedy for points without elevation."""
    marks: tuple[Mark, ...] = ()
    problems: tuple[Problem, ...] = ()


def points(rows: Iterable[tuple[Any, Any, Any]], label: str) -> np.ndarray:
    """(n, 3) of rows (longitude, latitude, elevation or None). Raises Unreadable for a course of too many."""
    table = np.asarray([(lon, lat, np.nan if up is None else up) for lon, lat, up in rows], dtype=float).reshape(-1, 3)
    if len(table) > MOST_POINTS:
        reason = f"has {len(table)} points, more than {MOST_POINTS}"
        raise Unreadable(label, reason, "A course needs no more than a point every few metres: thin it out")
    return table


def towns(title: str | None) -> dict[str, str]:
    """Start and finish by a title like `Briançon → Alpe d'Huez`; a title without an arrow is the start's name."""
    start, *rest = _TOWNS.split((title or "").strip()[: 2 * MOST_LETTERS], maxsplit=1)
    return {"start": start or "Start", "finish": rest[0] if rest else "Finish"}


def km_in(text: str | None) -> float | None:
    """The official distance in a note that says nothing else: `km 45.2`."""
    found = _AT_KM.fullmatch(text or "")
    return float(found[1].replace(",", ".")) if found else None


def kind_in(text: str | None) -> tuple[MarkKind | None, str]:
    """(kind, category) of a type like `sprint`, `climb` or `climb HC`; None for what is none of a course's marks."""
    word, _, category = (text or "").strip().partition(" ")
    kind = MarkKind(word.lower()) if word.lower() in set(MarkKind) else None
    return kind, category.strip().upper()


def is_text(value: Any) -> bool:
    """Half of a surrogate pair is a letter to JSON, and to nothing that a page or a log is written with."""
    if not isinstance(value, str) or not 0 < len(value) <= MOST_LETTERS:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def is_number(value: Any) -> bool:
    """Truth values are whole numbers to Python, and to nobody else."""
    return isinstance(value, int | float) and not isinstance(value, bool)
