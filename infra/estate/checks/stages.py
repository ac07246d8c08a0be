"""Stages: each once, times in the order of a day, a profile that its kind can have."""

from collections.abc import Iterator
from itertools import pairwise

from infra.estate.mistakes import Mistake
from infra.estate.written import Entry, Written


def unique_numbers(written: Written) -> Iterator[Mistake]:
    """A number names one stage, and a later stage is on a later day."""
    first: dict[int, Entry] = {}
    for line in written.stages:
        before = first.setdefault(line.doc.number, line)
        if before is not line:
            yield line.mistake("number", f"stage {line.doc.number} is already in {before.path}", "number it anew")
    for before, line in pairwise(sorted(first.values(), key=lambda line: line.doc.number)):
        if line.doc.date <= before.doc.date:
            reason = f"{line.doc.date} does not come after {before.doc.date} of stage {before.doc.number}"
            yield line.mistake("date", reason, "give it a later day: the truck is in one town at a time")


def times(written: Written) -> Iterator[Mistake]:
    """The zone opens, the race starts, finishes, the truck is packed: in this order, on the stage's date."""
    for line in written.stages:
        for (before, earlier), (field, later) in pairwise(line.doc.times):
            if later <= earlier:
                yield line.mistake(
                    field, f"{later:%H:%M} is not after {before} at {earlier:%H:%M}", "put the times in order"
                )
        if line.doc.date.year != written.edition:
            reason = f"{line.doc.date} is not in {written.edition}"
            yield line.mistake("date", reason, "give it a day of the edition's year")
        if line.doc.race_start.date() != line.doc.date:
            reason = f"{line.doc.race_start:%Y-%m-%d} is not the stage's date {line.doc.date}"
            yield line.mistake("race_start", reason, "give the times the stage's date")


def profiles(written: Written) -> Iterator[Mistake]:
    """A time trial is one in kind and in profile."""
    for line in written.stages:
        if line.doc.kind.endswith("time trial") is not (line.doc.profile == "time trial"):
            reason = f"a stage of kind {line.doc.kind!r} cannot be {line.doc.profile!r}"
            yield line.mistake("profile", reason, "write time trial for time trials, else flat, hilly or mountain")
