"""The day's phases and what has happened in it, from `day.<stack>`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict


class DayEvent(BaseModel):
    """A step of the day cycle."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    at: AwareDatetime
    phase: str
    step: str = ""
    message: str = ""


class Phase(StrEnum):
    """How far the day is; the strip at the top of the page shows them in this order."""

    RIGGING = "rigging"
    """The estate is being built and checked: what has not come yet is planned, not broken."""
    LIVE = "live"
    """Everything has to be there."""
    DRAINING = "draining"
    """Producers stop; stopped services are planned."""
    DE_RIG = "de-rig"
    """Machines vanish: silence is what was wanted."""
    GONE = "gone"
    """Nothing of the stage is left."""


_WORDS = {
    "rigging": Phase.RIGGING,
    "deploying": Phase.RIGGING,
    "live": Phase.LIVE,
    "draining": Phase.DRAINING,
    "drained": Phase.DRAINING,
    "de-rig": Phase.DE_RIG,
    "destroying": Phase.DE_RIG,
    "destroyed": Phase.GONE,
    "down": Phase.GONE,
    "gone": Phase.GONE,
}


@dataclass(frozen=True, slots=True)
class Day:
    """Where the day of one stack stands."""

    stack: str = ""
    phase: Phase = Phase.RIGGING
    since: datetime | None = None
    message: str = ""


def follow(day: Day, stack: str, event: DayEvent) -> Day:
    """The day after one more event; a phase that is not known changes the message only."""
    phase = _WORDS.get(event.phase, day.phase if day.stack == stack else Phase.RIGGING)
    same = day.stack == stack and day.phase is phase and day.since is not None
    return Day(stack, phase, day.since if same else event.at, event.message)
