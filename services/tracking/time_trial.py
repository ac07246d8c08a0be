"""A time trial as people follow it: where times are taken, who is timed together, who passed when, and who is next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np

from tracking.briefing.roster import Roster
from tracking.briefing.start_order import Kind, Starts
from tracking.course import Course
from tracking.race_events import RaceEvent
from tracking.records import FINISHED, LOST

SETTLED_MS = 10_000
"""After this long no reading changes a time at the line any more."""
HOLE_MS = 60_000
"""Who was unheard for longer is not said to have passed a time check at a moment."""
PASSED_BY_M = 5.0
"""Who is this far ahead has been passed for certain."""


@dataclass(frozen=True, slots=True)
class TimeCheck:
    """A place where times are taken."""

    name: str
    at_m: float


@dataclass(frozen=True, eq=False)
class Trial:
    """What does not change during a time trial."""

    kind: Kind
    starts: Starts
    numbers: tuple[int, ...]
    """Of the riders, in the order of the states."""
    teams: tuple[str | None, ...]
    checks: tuple[TimeCheck, ...]
    """In the order of the road, the finish last."""
    start_ms: int
    """Of the race, Unix milliseconds."""

    @cached_property
    def units(self) -> Mapping[int, np.ndarray]:
        """Indices of the riders who are timed together, by that of their first."""
        return {unit: np.flatnonzero(self.starts.unit == unit) for unit in np.unique(self.starts.unit).tolist()}

    def starts_ms(self, unit: int) -> int:
        """When a unit starts, Unix milliseconds."""
        return self.start_ms + round(1000 * float(self.starts.offset_s[unit]))

    def name(self, unit: int) -> str:
        """What a unit is called."""
        members = self.units[unit]
        if self.kind == "individual time trial":
            return f"Rider {self.numbers[unit]}"
        return self.teams[unit] or f"Team of riders {self.numbers[unit]} to {self.numbers[members[-1]]}"


def trial_of(kind: Kind, course: Course, roster: Roster, starts: Starts | None, start_ms: int) -> Trial | None:
    """The time trial of a stage; None where it is none."""
    if starts is None:
        return None
    numbers: list[int] = roster.numbers.tolist()
    teams = tuple(entrant.team for entrant in roster.entrants)
    return Trial(kind, starts, tuple(numbers), teams, time_checks(course), start_ms)


def time_checks(course: Course) -> tuple[TimeCheck, ...]:
    """The tops of the climbs and the sprints, or where there are none a third and two thirds of the way; the finish."""
    marks = [(climb.to_m, climb.name) for climb in course.climbs]
    marks += [(sprint.at_m, sprint.name) for sprint in course.sprints]
    places = marks or [(course.length_m / 3, ""), (course.length_m * 2 / 3, "")]
    on_the_way = sorted(place for place in places if 0 < place[0] < course.length_m - 100)
    checks = [TimeCheck(name or f"km {at_m / 1000:.1f}", at_m) for at_m, name in on_the_way]
    return (*checks, TimeCheck("Finish", course.length_m))


class TrialEvents:
    """Follows one time trial: tells each time that is taken, the best ones among them, and who is caught.

    What it tells depends on the frames only.
    """

    def __init__(self, trial: Trial, memory: Mapping[str, Any] | None = None) -> None:
        """Goes on where another one gave this `memory`; TypeError, KeyError or ValueError where it is none."""
        self._trial = trial
        self._units = trial.units
        self._unit: list[int] = trial.starts.unit.tolist()
        self._starts_ms = [trial.starts_ms(rider) for rider in range(len(self._unit))]
        self._passed: dict[tuple[int, int], int] = {}
        """When each rider (index) passed each time check (index), Unix milliseconds."""
        self._best_ms: dict[int, int] = {}
        self._caught: set[tuple[int, int]] = set()
        """(unit, the unit that caught it)"""
        self._before: dict[int, tuple[int, float]] = {}
        """When and where each rider was last known to be."""
        if memory is not None:
            self._passed = {(check, rider): time_ms for check, rider, time_ms in memory["passed"]}
            self._best_ms = {int(check): best_ms for check, best_ms in memory["best_ms"].items()}
            self._caught = {(unit, by) for unit, by in memory["caught"]}
            self._before = {int(rider): (time_ms, at_m) for rider, (time_ms, at_m) in memory["before"].items()}

    def memory(self) -> dict[str, Any]:
        """All that is remembered, ready for JSON."""
        return {
            "passed": [[check, rider, time_ms] for (check, rider), time_ms in self._passed.items()],
            "best_ms": {str(check): best_ms for check, best_ms in self._best_ms.items()},
            "caught": sorted(self._caught),
            "before": {str(rider): before for rider, before in self._before.items()},
        }

    def follow(self, states: np.ndarray) -> tuple[RaceEvent, ...]:
        """What RIDER_STATE (n,) of the next second makes certain, in the order in which it happened."""
        clock_ms = int(states["time_ms"].max(initial=0))
        riding = np.flatnonzero((states["quality"] < LOST) & np.isfinite(states["gap_s"])).tolist()
        at_m = dict(zip(riding, states["distance_m"][riding].tolist(), strict=True))
        told: list[RaceEvent] = []
        for rider in riding:
            told += self._pass_on_the_way(rider, at_m[rider], clock_ms)
        home = np.flatnonzero((states["quality"] == FINISHED) & (states["seen_ms"] <= clock_ms - SETTLED_MS))
        for rider, crossed_ms in zip(home.tolist(), states["seen_ms"][home].tolist(), strict=True):
            told += self._pass(len(self._trial.checks) - 1, rider, crossed_ms)
        told += self._catches(at_m, clock_ms)
        return tuple(sorted(told, key=lambda event: event.time_ms))

    def _pass_on_the_way(self, rider: int, at_m: float, clock_ms: int) -> Iterable[RaceEvent]:
        """The time checks that a rider has passed since the last frame."""
        before_ms, before_m = self._before.get(rider, (self._starts_ms[rider], 0.0))
        if at_m <= before_m:
            return
        self._before[rider] = clock_ms, at_m
        if clock_ms - before_ms > HOLE_MS:
            return
        for number, check in enumerate(self._trial.checks[:-1]):
            if before_m < check.at_m <= at_m:
                share = (check.at_m - before_m) / (at_m - before_m)
                yield from self._pass(number, rider, before_ms + round(share * (clock_ms - before_ms)))

    def _pass(self, number: int, rider: int, time_ms: int) -> Iterable[RaceEvent]:
        """A rider passes a time check: the time of the unit where it is this rider who counts."""
        if (number, rider) in self._passed:
            return
        self._passed[number, rider] = time_ms
        unit = self._unit[rider]
        members = self._units[unit].tolist()
        passed = sorted(self._passed[number, i] for i in members if (number, i) in self._passed)
        if len(passed) == min(self._trial.starts.counted, len(members)):
            yield self._time(number, self._trial.checks[number], unit, passed[-1])

    def _time(self, number: int, check: TimeCheck, unit: int, time_ms: int) -> RaceEvent:
        took_ms = time_ms - self._starts_ms[unit]
        best_ms = self._best_ms.get(number)
        self._best_ms[number] = took_ms if best_ms is None else min(took_ms, best_ms)
        kind, behind = "time_check", ""
        if best_ms is not None:
            kind = "best_time" if took_ms < best_ms else kind
            behind = f", {abs(took_ms - best_ms) / 1000:.1f} s {'ahead' if took_ms < best_ms else 'behind'}"
        where = "at the finish" if check is self._trial.checks[-1] else f"at {check.name}"
        said = "the best time " if kind == "best_time" else ""
        text = f"{self._trial.name(unit)}: {said}{_minutes(took_ms / 1000)} {where}{behind}."
        return self._event(time_ms, kind, unit, check.at_m, text, took_ms / 1000)

    def _catches(self, at_m: Mapping[int, float], clock_ms: int) -> Iterable[RaceEvent]:
        """Who is passed on the road by one who started later; `at_m`: metres of the riders on the road."""
        lines: dict[int, list[float]] = {}
        for rider, place_m in at_m.items():
            lines.setdefault(self._unit[rider], []).append(place_m)
        places: dict[int, float] = {}
        for unit, line in lines.items():
            due = min(self._trial.starts.counted, len(self._units[unit]))
            if len(line) >= due:
                places[unit] = sorted(line)[-due]
        for unit, by in permutations(places, 2):
            waited_ms = self._starts_ms[by] - self._starts_ms[unit]
            if waited_ms <= 0 or places[by] <= places[unit] + PASSED_BY_M or (unit, by) in self._caught:
                continue
            self._caught.add((unit, by))
            names = f"{self._trial.name(unit)} is caught by {_inside(self._trial.name(by))}"
            text = f"{names}, who started {_minutes(waited_ms / 1000)} behind."
            yield self._event(clock_ms, "caught", unit, places[unit], text)

    def _event(
        self, time_ms: int, kind: str, unit: int, at_m: float, text: str, elapsed_s: float | None = None
    ) -> RaceEvent:
        riders = tuple(self._trial.numbers[i] for i in self._units[unit].tolist())
        to_go_km = round((self._trial.checks[-1].at_m - at_m) / 1000, 1)
        return RaceEvent(time_ms, kind, 0, None, riders, to_go_km, text, round(at_m / 1000, 3), elapsed_s)


def _inside(name: str) -> str:
    """A name within a sentence."""
    return name.replace("Rider ", "rider ", 1).replace("Team of", "the team of", 1)


def _minutes(seconds: float) -> str:
    """m:ss"""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"
