"""Courses: every stage's stand-in is there, is sound, and is of the same kind."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tracking.course_file import CourseError, CourseMistake, read_trace

from infra.estate.mistakes import Mistake, known
from infra.estate.written import Written


def stand_ins(written: Written) -> Iterator[Mistake]:
    """The course that a stage names exists, passes the checks of course files, and is raced in the same way."""
    there = {path.name: path for path in written.courses.glob("*.geojson")}
    for line in written.stages:
        name = line.doc.course
        if name not in there:
            yield line.mistake("course", f"there is no course {name}", f"use one of stacks/courses: {known(there)}")
            continue
        kind, mistakes = _examined(there[name].resolve(), there[name].stat().st_mtime_ns)
        for wrong in mistakes:
            yield Mistake(f"stacks/courses/{name}", wrong.field, wrong.reason, wrong.remedy)
        if kind is not None and _against_the_clock(kind) is not _against_the_clock(line.doc.kind):
            reason = f"{name} is of kind {kind!r}, the stage is of kind {line.doc.kind!r}"
            yield line.mistake("course", reason, "name a stand-in of the same kind")


@lru_cache
def _examined(path: Path, modified_ns: int) -> tuple[str | None, tuple[CourseMistake, ...]]:
    """Kind and mistakes of a course file; read again only when it was written again."""
    try:
        return read_trace(path).kind, ()
    except CourseError as error:
        return None, error.mistakes


def _against_the_clock(kind: str) -> bool:
    return kind.partition(",")[0].endswith("time trial")
