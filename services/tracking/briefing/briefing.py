"""What is known before a race, as a config names it: read in one place for every service that needs it."""

from collections.abc import Callable
from dataclasses import dataclass
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
from tracking.course import Course
from tracking.groups import GroupRules
from tracking.service import Mistakes, Section, StageConfig
from tracking.weather import Weather

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


@dataclass(frozen=True)
class Briefing:
    """The road, who starts and when, what was before, how the wind blows."""

    course: Course
    roster: Roster
    classification: Classification | None
    starts: Starts | None
    """Of a time trial; None where all start together."""
    weather: Weather | None
    rules: GroupRules

    @property
    def leader(self) -> int | None:
        """Of the classification before the stage."""
        return self.classification.leader if self.classification else None


def read_briefing(stage: StageConfig, config: BriefingConfig) -> Briefing:
    """What the files of a config say; raises `Mistakes` with all that is wrong in any of them."""
    mistakes: list[str] = []
    course = _read(stage_course, stage, mistakes)
    roster = _read(read_roster, config.roster, mistakes) if config.roster else bare_roster()
    before = _read(read_classification, config.classification, mistakes) if config.classification else None
    weather = _read(weather_of, config.weather, mistakes)
    starts = None
    if roster is not None:
        starts = _read(lambda who: stage_starts(stage, who, before, config.starts, config.counted), roster, mistakes)
    if course is None or roster is None or mistakes:
        raise Mistakes(mistakes)
    return Briefing(course, roster, before, starts, weather, config.groups.rules)


def _read(reader: Callable[[A], T], source: A, mistakes: list[str]) -> T | None:
    try:
        return reader(source)
    except Mistakes as found:
        mistakes.extend(found.sentences)
        return None
