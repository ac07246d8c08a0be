"""Courses as the estate sees them: of which kind they are, and how they end. Each file is read once."""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, hypot, radians
from pathlib import Path

from tracking.course.file import EARTH_RADIUS_M, CourseError, CourseMistake, Trace, read_trace
from tracking.course.formats import SUFFIXES

from infra.estate.model import Finish

_LAST_M = 5000.0
_SUMMIT = 0.05
_UPHILL = 0.02


@dataclass(frozen=True, slots=True)
class Examined:
    """What a course file says, or what is wrong with it."""

    kind: str | None
    """None where the file cannot be used."""
    finish: Finish
    mistakes: tuple[CourseMistake, ...] = ()


def course_files(folder: Path) -> dict[str, Path]:
    """Every course of a folder by its file name, in any format that the tracking reads."""
    return {path.name: path for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES}


def examine(path: Path) -> Examined:
    """A course file that exists; read again only when it was written again."""
    return _examined(path.resolve(), path.stat().st_mtime_ns)


def finish_on(courses: Path, name: str) -> Finish:
    """How a stage on that course ends; flat where there is no such course, which is told as a mistake elsewhere."""
    path = courses / name
    return examine(path).finish if path.exists() else Finish.FLAT


@lru_cache
def _examined(path: Path, modified_ns: int) -> Examined:
    try:
        trace = read_trace(path)
    except CourseError as error:
        return Examined(None, Finish.FLAT, error.mistakes)
    return Examined(trace.kind, finish_of(trace))


def finish_of(trace: Trace) -> Finish:
    """From the mean gradient of the last five kilometres: 5 % and more is a summit, 2 % and more is uphill."""
    covered, at = 0.0, len(trace.lat) - 1
    while at > 0 and covered < _LAST_M:
        north = radians(trace.lat[at] - trace.lat[at - 1])
        east = radians(trace.lon[at] - trace.lon[at - 1]) * cos(radians(trace.lat[at]))
        covered += hypot(north, east) * EARTH_RADIUS_M
        at -= 1
    gradient = float(trace.elevation[-1] - trace.elevation[at]) / covered if covered else 0.0
    if gradient >= _SUMMIT:
        return Finish.SUMMIT
    return Finish.UPHILL if gradient >= _UPHILL else Finish.FLAT
