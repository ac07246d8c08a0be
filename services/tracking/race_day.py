"""From what a config says to a race day: the road, who starts, what was before, how the wind blows."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tracking.groups_config import GroupsConfig
from tracking.history import Classification, read_classification
from tracking.live import RaceDay
from tracking.roster import Roster, bare_roster, read_roster
from tracking.service import Mistakes, Section, StageConfig
from tracking.stage import stage_course
from tracking.start_order import Starts, counted_in, individual_starts, team_starts
from tracking.start_table import read_starts
from tracking.weather_config import WeatherConfig, weather_of

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
    start_ms = round(stage.race_start.timestamp() * 1000)
    return RaceDay(course, start_ms, speed, roster, before, weather, rules, starts)


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
    return roster, before, _read(lambda riders: stage_starts(stage, briefing, riders, before), roster, mistakes)


def stage_starts(
    stage: StageConfig, briefing: BriefingConfig, roster: Roster, before: Classification | None
) -> Starts | None:
    """When each rider of a time trial starts; None where all start together. Raises `Mistakes`."""
    if stage.kind == "road":
        return None
    numbers: list[int] = roster.numbers.tolist()
    teams = [entrant.team for entrant in roster.entrants]
    counted = briefing.counted or counted_in(stage.edition)
    if briefing.starts is not None:
        table = read_starts(briefing.starts, numbers, round(stage.race_start.timestamp() * 1000))
        return table.individual() if stage.kind == "individual time trial" else table.by_teams(numbers, teams, counted)
    classified: list[int] = [] if before is None else before.riders.tolist()
    if stage.kind == "individual time trial":
        return individual_starts(numbers, classified)
    try:
        return team_starts(numbers, teams, counted, classified)
    except ValueError as error:
        raise Mistakes([f"{briefing.roster}: team: {error}; name the team of every rider."]) from None


def _read(reader: Callable[[A], T], source: A, mistakes: list[str]) -> T | None:
    try:
        return reader(source)
    except Mistakes as found:
        mistakes.extend(found.sentences)
        return None
