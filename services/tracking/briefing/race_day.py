"""From what a config says to a race day: the road, who starts, what was before, how the wind blows."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from tracking.briefing.groups_config import GroupsConfig
from tracking.briefing.history import Classification, read_classification
from tracking.briefing.roster import Roster, bare_roster, read_roster
from tracking.briefing.stage import stage_course
from tracking.briefing.start_order import Starts
from tracking.briefing.start_table import stage_starts
from tracking.briefing.weather_config import WeatherConfig, weather_of
from tracking.live import RaceDay
from tracking.service import Mistakes, Section, StageConfig

A = TypeVar("A")
T = TypeVar("T")


class BriefingConfig(Section):
    """What is known before the race; nothing of it is needed to follow one. Files are on this node."""

    roster: Path | None = None
    """Start list, a table; by default numbers without names."""
    classification: Path | None = None
    """General classification before the stage, a table."""
    starts: Path | None = None
    """Start times of a time trial, a table; by default the usual rule of `start_order`."""
    counted: int | None = Field(default=None, ge=1, le=9)
    """At which rider a team's time is taken; by default as the rules of the edition's year have it."""
    weather: WeatherConfig = WeatherConfig()
    groups: GroupsConfig = GroupsConfig()


def race_day(stage: StageConfig, speed: float, briefing: BriefingConfig) -> RaceDay:
    """The race day of a config; raises `Mistakes` with all that is wrong in any of its files."""
    mistakes: list[str] = []
    course = _read(stage_course, stage, mistakes)
    field = _read_field(stage, briefing, mistakes)
    weather = _read(weather_of, briefing.weather, mistakes)
    if course is None or field is None or mistakes:
        raise Mistakes(mistakes)
    roster, before, starts = field
    rules = briefing.groups.rules
    return RaceDay(course, stage.start_ms, speed, roster, before, weather, rules, starts)


def briefed_starts(stage: StageConfig, briefing: BriefingConfig) -> tuple[Roster, Starts | None]:
    """Who starts, and in a time trial when; raises `Mistakes` with all that is wrong in the files that say so."""
    mistakes: list[str] = []
    field = _read_field(stage, briefing, mistakes)
    if field is None or mistakes:
        raise Mistakes(mistakes)
    return field[0], field[2]


def _read_field(
    stage: StageConfig, briefing: BriefingConfig, mistakes: list[str]
) -> tuple[Roster, Classification | None, Starts | None] | None:
    """The start list, the classification before the stage, and the starts of a time trial."""
    roster = _read(read_roster, briefing.roster, mistakes) if briefing.roster else bare_roster()
    before = _read(read_classification, briefing.classification, mistakes) if briefing.classification else None
    if roster is None:
        return None
    starts = _read(
        lambda riders: stage_starts(stage, riders, before, briefing.starts, briefing.counted), roster, mistakes
    )
    return roster, before, starts


def _read(reader: Callable[[A], T], source: A, mistakes: list[str]) -> T | None:
    try:
        return reader(source)
    except Mistakes as found:
        mistakes.extend(found.sentences)
        return None
