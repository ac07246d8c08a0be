"""From what a config says to the race day that a tracker follows."""

from tracking.briefing.briefing import BriefingConfig, read_briefing
from tracking.live import RaceDay
from tracking.service import StageConfig


def race_day(stage: StageConfig, speed: float, briefing: BriefingConfig) -> RaceDay:
    """The race day of a config; raises `Mistakes` with all that is wrong in any of its files."""
    known = read_briefing(stage, briefing)
    return RaceDay(
        known.course,
        stage.start_ms,
        speed,
        known.roster,
        known.classification,
        known.weather,
        known.rules,
        known.starts,
    )
