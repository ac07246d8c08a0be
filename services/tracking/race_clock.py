"""The clock of a simulated race: from when it started on the wall to where it is now, over restarts."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RaceClock:
    """At `wall_s` (Unix seconds) the race was `race_s` old, and since then it goes on at `speed`."""

    race: str
    """What is raced; a clock of another race is not taken over."""
    wall_s: float
    race_s: float
    speed: float

    def at(self, wall_s: float) -> float:
        """Race seconds since the start at a moment."""
        return self.race_s + (wall_s - self.wall_s) * self.speed

    def wall_of(self, race_s: float) -> float:
        """Unix seconds at which the race is `race_s` old."""
        return self.wall_s + (race_s - self.race_s) / self.speed

    def paced(self, speed: float, wall_s: float) -> "RaceClock":
        """The same race, at another speed from this moment on."""
        return self if speed == self.speed else replace(self, wall_s=wall_s, race_s=self.at(wall_s), speed=speed)


def load_clock(file: Path, race: str) -> RaceClock | None:
    """The clock that an earlier process left for this race; None where there is none."""
    try:
        clock = RaceClock(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return clock if clock.race == race else None


def save_clock(file: Path, clock: RaceClock) -> None:
    """Written whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    with draft.open("w") as stream:
        json.dump(asdict(clock), stream)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(file)
