"""A new year: an edition that inherits another one as a whole, with a supernet of its own and the race's stages."""

import csv
import os
import re
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from tracking.course.file import Trace

from infra.day.context import Day
from infra.day.outcome import Refusal
from infra.day.verb import Verb
from infra.estate.documents import StageDoc
from infra.estate.fields import Terrain, Title
from infra.estate.layers import HEAD_FILE, folders
from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.mistakes import EstateError, known
from infra.estate.reading import STAGES_FILE
from infra.estate.schema import hint_for
from infra.estate.timetable import planned_stage, read_courses, table_of

_HEAD = """{hint}# {year}: as {source}, until this says otherwise. `parts` names files that add, replace or drop.
edition: {year}
inherits: {source}
"""
_YEARS = range(2000, 2101)


class RaceDay(BaseModel):
    """A line of what the race publishes of its stages."""

    model_config = ConfigDict(extra="forbid")

    year: int
    stage: Annotated[int, Field(ge=1, le=99)]
    date: date
    start: Title
    finish: Title
    distance_km: Annotated[float, Field(gt=0, le=400)]
    kind: Literal["road", "individual time trial", "team time trial"]
    profile: Annotated[Terrain | None, BeforeValidator(lambda text: text or None)] = None
    """Left out, a road stage is planned as flat."""

    @property
    def terrain(self) -> Terrain:
        return self.profile or ("flat" if self.kind == "road" else "time trial")


def new_edition(root: Path, year: str, source: str | None, stages: Path | None) -> list[StageDoc]:
    """Make the folder of a year that has none; returns its stages. Raises Refusal, and then nothing was made."""
    source = _checked(root, year, source)
    planned = planned_stages(stages, int(year), root / "courses") if stages else []
    files = {
        HEAD_FILE: _HEAD.format(hint=hint_for(HEAD_FILE), year=year, source=source),
        STAGES_FILE: table_of(planned),
    }
    with tempfile.TemporaryDirectory(prefix=".new-", dir=root) as scratch:
        _tried(root, Path(scratch), year, files)
        os.rename(Path(scratch) / year, root / year)
    return planned


def planned_stages(file: Path, year: int, courses: Path) -> list[StageDoc]:
    """The stages of a year in a CSV file, with planned times and stand-in courses. Raises Refusal."""
    days = [day for day in read_race_days(file) if day.year == year]
    if not days:
        raise Refusal(f"{file.name} has no stage of {year}", "name a file with lines of that year")
    traces = read_courses(courses)
    return [_planned(day, traces) for day in sorted(days, key=lambda day: day.stage)]


def read_race_days(file: Path) -> list[RaceDay]:
    """The lines of a CSV file with a header. Raises Refusal with everything that is wrong in it."""
    try:
        table = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read: {error}", "name a CSV file in UTF-8") from None
    wanted = list(RaceDay.model_fields)
    if not {*wanted[:-1]} <= {*(table.fieldnames or ())} <= {*wanted}:
        raise Refusal(
            f"{file.name}: line 1: the columns are {','.join(table.fieldnames or ())}",
            f"write {','.join(wanted)}; {wanted[-1]} may be left out",
        )
    days, wrong = [], []
    for number, row in enumerate(table, start=2):
        try:
            days.append(RaceDay.model_validate(row))
        except ValidationError as error:
            wrong += [f"{file.name}: line {number}.{_field(each)}: {each['msg']}" for each in error.errors()]
    if wrong:
        raise Refusal("\n".join(wrong), "mend these lines; nothing was made")
    return days


def _planned(day: RaceDay, traces: Mapping[str, Trace]) -> StageDoc:
    return planned_stage(day.stage, day.date, (day.start, day.finish), day.distance_km, day.kind, day.terrain, traces)


def _field(error: Mapping) -> str:
    return ".".join(map(str, error["loc"])).replace("None", "more values than columns")


def _checked(root: Path, year: str, source: str | None) -> str:
    there = folders(root)
    if not re.fullmatch(r"\d{4}", year) or int(year) not in _YEARS:
        raise Refusal(f"{year!r} is no year from {_YEARS[0]} to {_YEARS[-1]}", "give a year such as 2027")
    if (root / year).exists():
        raise Refusal(f"stacks/{year} is there already", "edit it, or name another year")
    if source is not None and source not in there:
        raise Refusal(f"there is no edition {source!r} to inherit", f"use one of {known(there)}")
    if not there:
        raise Refusal("there is no edition to inherit", "put stacks/ back")
    return source or there[-1]


def _tried(root: Path, scratch: Path, year: str, files: Mapping[str, str]) -> None:
    """Write the files and load the season and every stage of them beside all that is in stacks/."""
    for path in root.iterdir():
        if path.is_dir() and path != scratch:
            (scratch / path.name).symlink_to(path, target_is_directory=True)
    (scratch / year).mkdir()
    for name, text in files.items():
        (scratch / year / name).write_text(text, encoding="utf-8")
    try:
        for each in list_stacks(scratch):
            if each.edition == int(year):
                load_estate(each.stack, root=scratch)
    except EstateError as error:
        raise Refusal(str(error), "mend what is named above; nothing was made") from None


def _run(day: Day, options: Namespace) -> None:
    stages = new_edition(STACKS, options.year, options.source, options.stages)
    day.progress.say(_told(options, stages))
    day.progress.result(
        edition=int(options.year), files=[HEAD_FILE, STAGES_FILE], stages=len(stages), assumed_flat=_assumed(options)
    )


def _told(options: Namespace, stages: Iterable[StageDoc]) -> str:
    year, count = options.year, len(list(stages))
    lines = [f"stacks/{year} was made: {HEAD_FILE}, {STAGES_FILE} with {count} stages"]
    if assumed := _assumed(options):
        lines.append(f"planned as flat, for the file gives no profile: stages {', '.join(map(str, assumed))}")
    if not count:
        lines.append(
            f"its stages are yours to write: columns and rules are in stacks/README.md; {year}-core can come up"
        )
    return "\n".join([*lines, f"next: scripts/stage show {year}-{'s01' if count else 'core'} --origins"])


def _assumed(options: Namespace) -> list[int]:
    days = read_race_days(options.stages) if options.stages else []
    return [d.stage for d in days if d.year == int(options.year) and d.kind == "road" and d.profile is None]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("year", help="such as 2027")
    parser.add_argument("--from", dest="source", help="the edition that it inherits; default: the latest")
    parser.add_argument("--stages", type=Path, help=f"CSV file with the columns {','.join(RaceDay.model_fields)}")


VERB = Verb(
    "new-edition",
    "a new year, which inherits another one as a whole",
    "scripts/stage new-edition 2027 --from 2018 --stages race.csv",
    _arguments,
    _run,
)
