"""Courses: every stage's stand-in is there, is sound, and is of the same kind."""

from collections.abc import Iterator

from infra.estate.courses import course_files, examine
from infra.estate.mistakes import Mistake, known
from infra.estate.written import Written


def stand_ins(written: Written) -> Iterator[Mistake]:
    """The course that a stage names exists, passes the checks of course files, and is raced in the same way."""
    there = course_files(written.courses)
    for line in written.stages:
        name = line.doc.course
        if name not in there:
            yield line.mistake("course", f"there is no course {name}", f"use one of stacks/courses: {known(there)}")
            continue
        found = examine(there[name])
        for wrong in found.mistakes:
            yield Mistake(f"stacks/courses/{name}", wrong.field, wrong.reason, wrong.remedy)
        if found.kind is not None and _against_the_clock(found.kind) is not _against_the_clock(line.doc.kind):
            reason = f"{name} is of kind {found.kind!r}, the stage is of kind {line.doc.kind!r}"
            yield line.mistake("course", reason, "name a stand-in of the same kind")


def _against_the_clock(kind: str) -> bool:
    return kind.partition(",")[0].endswith("time trial")
