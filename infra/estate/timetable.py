"""The planning values of a stage, from what the race publishes of it: date, towns, distance, kind.

They are this project's, not the official timetable; stacks/README.md says how they are computed.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from tracking.course.file import Trace, read_trace

from infra.estate.courses import course_files
from infra.estate.documents import StageDoc
from infra.estate.fields import Terrain

RACE_ZONE = ZoneInfo("Europe/Paris")
_FINISH = time(17, 30)
_SPEED_KMH: Mapping[Terrain, float] = {"flat": 44, "hilly": 41, "mountain": 37, "time trial": 47}
_STARTERS = {"individual time trial": 198 * timedelta(minutes=1), "team time trial": 22 * timedelta(minutes=5)}
"""From the first start to the last, where not all start together."""
_OPENS_BEFORE = timedelta(hours=4)
_PACK_UP_AFTER = timedelta(hours=2)
_GRID = timedelta(minutes=5)
_COURSE_TERRAINS: Mapping[str, Terrain] = {"hilly": "hilly", "mountain": "mountain", "summit finish": "mountain"}
"""By what a course says of itself after its kind."""


def planned_stage(
    number: int,
    day: date,
    towns: tuple[str, str],
    distance_km: float,
    kind: str,
    profile: Terrain,
    courses: Mapping[str, Trace],
) -> StageDoc:
    """The whole line of stages.csv; `courses` by file name. Raises ValueError where none has that profile."""
    finish = datetime.combine(day, _FINISH, RACE_ZONE)
    ridden = timedelta(hours=distance_km / _SPEED_KMH[profile]) + _STARTERS.get(kind, timedelta())
    start = _to_the_grid(finish - ridden)
    return StageDoc.model_validate(
        {
            "number": number,
            "date": day,
            "start": towns[0],
            "finish": towns[1],
            "distance_km": distance_km,
            "kind": kind,
            "profile": profile,
            "opens": start - _OPENS_BEFORE,
            "race_start": start,
            "expected_finish": finish,
            "pack_up": finish + _PACK_UP_AFTER,
            "course": stand_in(courses, profile, distance_km),
        }
    )


def stand_in(courses: Mapping[str, Trace], profile: Terrain, distance_km: float) -> str:
    """The course of that profile that is nearest in length. Raises ValueError where there is none."""
    fitting = [name for name, trace in sorted(courses.items()) if terrain(trace.kind) == profile]
    if not fitting:
        raise ValueError(f"no course is {profile}")
    return min(fitting, key=lambda name: abs(courses[name].official_km - distance_km))


def read_courses(folder: Path) -> dict[str, Trace]:
    """Every course of a folder by its file name. Raises CourseError."""
    return {name: read_trace(path) for name, path in course_files(folder).items()}


def table_of(stages: Iterable[StageDoc]) -> str:
    """stages.csv."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(StageDoc.model_fields)
    for stage in stages:
        table.writerow(_cell(value) for value in dict(stage).values())
    return text.getvalue()


def terrain(course_kind: str) -> Terrain:
    """The profile of a course by its own words: `road, summit finish`."""
    kind, _, words = course_kind.partition(", ")
    return "time trial" if kind.endswith("time trial") else _COURSE_TERRAINS.get(words, "flat")


def _to_the_grid(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + round((moment - midnight) / _GRID) * _GRID


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return f"{value:g}" if isinstance(value, float) else str(value)
