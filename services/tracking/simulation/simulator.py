"""A simulated race over a real course: what the radio delivers second by second, and the truth to compare with.

`Race` is stepped at 1 Hz and may be moved forward to any second; `record_stage` runs a whole stage at full speed. Both
are the same computation, so they give the same readings for the same seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.briefing.riders import start_list
from tracking.briefing.start_order import Starts
from tracking.course import Course
from tracking.records import READING
from tracking.simulation import radio
from tracking.simulation.detours import Detours
from tracking.simulation.dynamics import Plan
from tracking.simulation.mishaps import MISHAPS, Mishaps, draw_mishaps
from tracking.simulation.road import build_road
from tracking.simulation.script import draw_script
from tracking.simulation.second import pass_second
from tracking.simulation.time_trial import draw_trial, pass_second_of_trial

LONGEST_RACE_S = 10 * 3600
AFTER_LAST_S = radio.SWITCHED_OFF_AFTER_S + 40
"""The last late reading has arrived this long after the last rider has finished."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Where everyone really is in one second, in start-list order; arrays (198,)."""

    second: int
    """Since the start; below 0 before it."""
    distance: np.ndarray
    """Official metres; the line is crossed at the course's length, and rolled beyond."""
    speed: np.ndarray
    """m/s"""
    finished: np.ndarray
    device: np.ndarray
    """Number of the device that each rode with, u2; 0 for who has given up."""

    def places(self, course: Course) -> tuple[np.ndarray, np.ndarray]:
        """(lat, lon) in degrees on the road."""
        return (
            np.interp(self.distance, course.distance, course.lat),
            np.interp(self.distance, course.distance, course.lon),
        )


class Race:
    """The field on the road, one second after the other."""

    def __init__(
        self,
        course: Course,
        seed: int,
        start_ms: int,
        lead_in_s: int = 0,
        *,
        with_mishaps: bool = False,
        starts: Starts | None = None,
    ) -> None:
        """`start_ms`: Unix milliseconds of the start; the first second is `lead_in_s` before it.

        `with_mishaps`: bikes are changed, devices start anew, clocks go wrong and riders give up, as `mishaps` says.
        `starts`: those of a time trial; by default all start together.
        """
        script = draw_script(seed, course.length_m)
        self.numbers = start_list()
        self.start_ms = start_ms
        self.next_second = -lead_in_s
        self._seed = seed
        self._road = build_road(course)
        self._plan = Plan(script.allowed_gap_s, script.catch_share)
        self._riders = script.riders
        self._attacks = script.attacks
        self._trial = (
            None if starts is None else draw_trial(seed, self._riders, starts.offset_s, starts.unit, self._road)
        )
        self._devices = np.zeros(len(self.numbers), radio.DEVICE)
        self._devices["number"] = self.numbers
        self._devices["in_depot"][: radio.DEPOT_DEVICES] = True
        self._order = np.arange(len(self.numbers))
        self._group = np.zeros(len(self.numbers), np.int64)
        self._sent = np.zeros(2 * len(self.numbers), READING)
        self._due = np.zeros(2 * len(self.numbers), np.int64)
        self._underway = (np.zeros(0, READING), np.zeros(0, np.int64))
        self._faults = np.zeros(len(radio.FAULTS), np.int64)
        self.mishaps: Mishaps | None = draw_mishaps(seed, len(self.numbers)) if with_mishaps else None
        self._befell = np.zeros(len(MISHAPS), np.int64)
        self._detours = None if self.mishaps is None else Detours(self.mishaps, self.numbers, self._road)

    @property
    def faults(self) -> dict[str, int]:
        """How many readings suffered what, so far: those of `radio.FAULTS`, and with mishaps of `MISHAPS`."""
        faults = dict(zip(radio.FAULTS, self._faults.tolist(), strict=True))
        return faults if self.mishaps is None else faults | dict(zip(MISHAPS, self._befell.tolist(), strict=True))

    @property
    def is_over(self) -> bool:
        """Whether every rider has finished and nothing more is to come."""
        if self.next_second > LONGEST_RACE_S:
            return True
        return bool((self.next_second - self._riders["finished_at"] > AFTER_LAST_S).all())

    def tick(self) -> np.ndarray:
        """Lets one second of the race pass and returns the READINGs that arrive in it, in order of arrival."""
        second = self.next_second
        sent = self._pass(second)
        self.next_second = second + 1
        arrived = self._deliver(second, self._sent[:sent], self._due[:sent])
        if self.mishaps is None or self._detours is None:
            return arrived
        return self._befall(self.mishaps, self._detours, arrived)

    def _pass(self, second: int) -> int:
        """Moves the field into a second; returns how many readings are sent in it."""
        time_ms, radio_of = self.start_ms + second * 1000, (self._devices, self._sent, self._due, self._faults)
        if self._trial is not None:
            return pass_second_of_trial(second, time_ms, self._seed, self._riders, self._trial, self._road, *radio_of)
        return pass_second(
            second,
            time_ms,
            self._seed,
            self._riders,
            self._attacks,
            self._order,
            self._group,
            self._road,
            self._plan,
            *radio_of,
        )

    def skip_to(self, second: int) -> None:
        """Lets the race pass up to a second, unheard: the next tick is that second."""
        while self.next_second < second and not self.is_over:
            self.tick()

    def truth(self) -> Truth:
        """Where everyone was when the last tick's readings were measured."""
        second, finished = self.next_second - 1, ~np.isnan(self._riders["finished_at"])
        distance, speed = self._riders["distance"].copy(), self._riders["speed"].copy()
        if self.mishaps is None or self._detours is None:
            return Truth(second, distance, speed, finished, self.numbers)
        distance, speed = self._detours.distance(), self._detours.speed(speed)
        finished &= (distance >= self._road.length_m) & np.isinf(self._detours.stands_at)
        return Truth(second, distance, speed, finished, self.mishaps.ridden(self.numbers, second))

    def _befall(self, mishaps: Mishaps, detours: Detours, readings: np.ndarray) -> np.ndarray:
        """The readings after the mishaps of the second, and those of bikes that nobody rides."""
        second = self.next_second - 1
        detours.step(second, self._riders["distance"])
        riders = np.searchsorted(self.numbers, readings["device"])
        fixed_at = (readings["time_ms"] - self.start_ms) // 1000
        diverted = detours.divert(readings.copy(), riders, fixed_at)
        sent = mishaps.befall(second, fixed_at, diverted, riders, self._befell)
        return np.concatenate((sent, detours.on_cars(self._seed, self.start_ms + second * 1000)))

    def _deliver(self, second: int, sent: np.ndarray, due: np.ndarray) -> np.ndarray:
        waiting, waiting_due = self._underway
        readings, due = np.concatenate((waiting, sent)), np.concatenate((waiting_due, due))
        now = due <= second
        self._underway = (readings[~now], due[~now])
        arrived = readings[now]
        order = radio.arrival_order(len(arrived), self._seed, second)
        self._faults[radio.REORDERED] += np.count_nonzero(np.diff(order) < 0)
        return arrived[order]


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole simulated stage: T seconds, 198 riders."""

    start_ms: int
    """Unix milliseconds of the start."""
    first_ms: int
    """Unix milliseconds of the first recorded second."""
    readings: np.ndarray
    """READING (m,), in order of arrival."""
    arrived: np.ndarray
    """(T + 1,) `readings[arrived[t]:arrived[t + 1]]` came in second t."""
    distance: np.ndarray
    """Truth: official metres (T, 198)."""
    speed: np.ndarray
    """Truth: m/s (T, 198)."""
    finished: np.ndarray
    """Truth: bool (T, 198)."""
    device: np.ndarray
    """Truth: number of the device that each rode with, 0 for who has given up; u2 (T, 198)."""
    faults: dict[str, int]

    def batches(self) -> Iterator[tuple[int, np.ndarray]]:
        """(clock in Unix milliseconds, READINGs that came in this second), for every second."""
        for t in range(len(self.arrived) - 1):
            yield self.first_ms + t * 1000, self.readings[self.arrived[t] : self.arrived[t + 1]]

    def save(self, path: Path) -> None:
        """Writes the recording as .npz; `load` reads it."""
        columns = {name: getattr(self, name) for name in self.__slots__ if name != "faults"}
        names, counts = list(self.faults), list(self.faults.values())
        np.savez(path, **columns, fault_names=names, fault_counts=counts)

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """A recording that `save` wrote."""
        with np.load(path) as saved:
            faults = dict(zip(saved["fault_names"].tolist(), saved["fault_counts"].tolist(), strict=True))
            arrays = {name: saved[name] for name in ("readings", "arrived", "distance", "speed", "finished", "device")}
            return cls(int(saved["start_ms"]), int(saved["first_ms"]), **arrays, faults=faults)


def record_stage(
    course: Course,
    seed: int,
    *,
    start_ms: int = 1_499_596_500_000,
    lead_in_s: int = 60,
    hours: float | None = None,
    with_mishaps: bool = False,
    starts: Starts | None = None,
) -> Recording:
    """Runs a stage at full speed, to the end or for some hours from the start; see `Race` for mishaps and starts."""
    race = Race(course, seed, start_ms, lead_in_s, with_mishaps=with_mishaps, starts=starts)
    until = LONGEST_RACE_S if hours is None else round(hours * 3600)
    batches, truths = [], []
    while race.next_second < until and not race.is_over:
        batches.append(race.tick())
        truths.append(race.truth())
    return Recording(
        start_ms=start_ms,
        first_ms=start_ms - lead_in_s * 1000,
        readings=np.concatenate(batches),
        arrived=np.concatenate(([0], np.cumsum([len(batch) for batch in batches]))),
        distance=np.array([truth.distance for truth in truths]),
        speed=np.array([truth.speed for truth in truths], dtype=np.float32),
        finished=np.array([truth.finished for truth in truths]),
        device=np.array([truth.device for truth in truths]),
        faults=race.faults,
    )
