"""From what a config says to a race day: the road, who starts, what was before, how the wind blows."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tracking.groups_config import GroupsConfig
from tracking.history import read_classification
from tracking.live import RaceDay
from tracking.roster import bare_roster, read_roster
from tracking.service import Mistakes, Section, StageConfig
from tracking.stage import stage_course
from tracking.weather_config import WeatherConfig, weather_of

A = TypeVar("A")
T = TypeVar("T")


class BriefingConfig(Section):
    """What is known before the race; nothing of it is needed to follow one. Files are on this node."""

    roster: Path | None = None
    """Start list, a table; by default numbers without names."""
    classification: Path | None = None
    """General classification before the stage, a table."""
    weather: WeatherConfig = WeatherConfig()
    groups: GroupsConfig = GroupsConfig()


def race_day(stage: StageConfig, speed: float, briefing: BriefingConfig) -> RaceDay:
    """The race day of a config; raises `Mistakes` with all that is wrong in any of its files."""
    mistakes: list[str] = []
    course = _read(stage_course, stage, mistakes)
    roster = _read(read_roster, briefing.roster, mistakes) if briefing.roster else bare_roster()
    before = _read(read_classification, briefing.classification, mistakes) if briefing.classification else None
    weather = _read(weather_of, briefing.weather, mistakes)
    if course is None or roster is None or mistakes:
        raise Mistakes(mistakes)
    rules = briefing.groups.rules
    start_ms = round(stage.race_start.timestamp() * 1000)
    return RaceDay(course, start_ms, speed, roster, before, weather, rules)


def _read(reader: Callable[[A], T], source: A, mistakes: list[str]) -> T | None:
    try:
        return reader(source)
    except Mistakes as found:
        mistakes.extend(found.sentences)
        return None
