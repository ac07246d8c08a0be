"""How well bike changes and riders in cars are found by themselves, what is found wrongly, and what it costs.

Stages with mishaps are simulated for as long as mishaps come, and a bit beyond; nobody announces a change. The readings
of each second go into the race as a batch, as the broker would bring them. What the race then says is held against the
truth:

- a change is *found* where the rider's new device was given to him, *wrong* where a device was given to one who does
  not ride it;
- a car is *found* where a rider whom it carries is taken for that; who is so taken while he rides is *wrongly in* one;
- a proposal is *wrong* where none of the riders it names rides the device, or the rider goes on racing.

The cost is that of a race second in the same race with and without the watch, in seconds of this process's CPU.

For a study: `python -m tests.bench.watching 2023-09 11 12 13`, or `--calm` for stages without mishaps.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tracking.briefing.riders import start_list
from tracking.briefing.roster import Entrant, Roster
from tracking.course import read_course
from tracking.live import LiveRace, RaceDay
from tracking.simulation.mishaps import Fate, Mishaps
from tracking.simulation.simulator import Race
from tracking.transport.wire import Batch
from tracking.watch.proposals import BIKE_CHANGE, Proposal

from tests.bench.figure import Figure

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
STAGES = (("2022-12", 41), ("2022-21", 42))
START_MS = 1_499_596_500_000
SECONDS = 4200
"""The last mishap comes 3300 s after the start."""
CALM_S = 3600
WARM_UP_S = 60
CARRIED = (Fate.AHEAD, Fate.BEHIND)


class Unwatched(LiveRace):
    """The same race, in which nothing is looked for."""

    def _notice(self, states: np.ndarray, clock_ms: int) -> None:
        self._spares = self._spares[:0]


@dataclass
class Outcome:
    """What was told of one stage, or of several, and what was true."""

    changes: int = 0
    found_s: list[float] = field(default_factory=list)
    """Seconds from when the rider went on until his change was found."""
    changes_wrong: int = 0
    carried: int = 0
    cars: int = 0
    wrongly_in_cars: int = 0
    proposals: int = 0
    proposals_wrong: int = 0
    cost_s: float = 0.0
    without_s: float = 0.0
    """Of the same race without the watch."""
    seconds: int = 0
    remarks: list[str] = field(default_factory=list)

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})


def figures() -> Iterator[Figure]:
    """The shares found, the seconds it took, what was wrong, and the cost of a race second."""
    with ProcessPoolExecutor(len(STAGES)) as workers:
        outcomes = list(workers.map(watched, *zip(*STAGES, strict=True)))
    told = sum(outcomes, Outcome())
    found_s = float(np.median(told.found_s)) if told.found_s else float("nan")
    yield _figure("bike_changes_found", len(told.found_s) / told.changes, f"of {told.changes}", higher=True)
    yield _figure("bike_changes_wrong", told.changes_wrong, f"in {len(STAGES)} stages", goal=0)
    yield _figure("bike_change_found_s_p50", found_s, "s")
    yield _figure("cars_found", told.cars / told.carried, f"of {told.carried}", higher=True)
    yield _figure("riders_wrongly_in_cars", told.wrongly_in_cars, f"in {len(STAGES)} stages", goal=0)
    yield _figure("proposals_wrong", told.proposals_wrong, f"of {told.proposals}")
    with_ms, without_ms = (1000 * cost / told.seconds for cost in (told.cost_s, told.without_s))
    yield _figure("watch_ms", with_ms, "ms a race second", peer=round(without_ms, 3), peer_name="without the watch")


def _figure(name: str, value: float, unit: str, **more: object) -> Figure:
    return Figure(f"tracking.{name}", round(value, 3), unit, **more)  # type: ignore[arg-type]  # as Figure names them


def watched(stem: str, seed: int, *, calm: bool = False) -> Outcome:
    """Rides a stage, with mishaps unless it is `calm`, and judges what was told of it."""
    course = read_course(COURSES / f"{stem}.geojson")
    simulated = Race(course, seed, START_MS, with_mishaps=not calm)
    day = RaceDay(course, START_MS, 1.0, Roster(tuple(Entrant(i, i) for i in start_list().tolist())))
    race, plain = LiveRace(day, 1), Unwatched(day, 1)
    found: dict[tuple[int, int], float] = {}
    asked: dict[Proposal, None] = {}
    outcome = Outcome(seconds=(CALM_S if calm else SECONDS) - WARM_UP_S)
    devices = dict(zip(start_list().tolist(), start_list().tolist(), strict=True))
    for second in range(CALM_S if calm else SECONDS):
        batch = Batch(1, second, 0, simulated.tick())
        costs_s = tuple(_cost(each, batch) for each in (race, plain))
        if second >= WARM_UP_S:
            outcome.cost_s += costs_s[0]
            outcome.without_s += costs_s[1]
        for event in race.noticed():
            (rider,) = event.riders
            devices[rider] = race._tracker.device_of(rider)
            found[rider, devices[rider]] = second - (event.time_ms - START_MS) / 1000
        asked |= dict.fromkeys(race.proposals)
    _judge(outcome, simulated.mishaps, found, list(asked))
    return outcome


def _cost(race: LiveRace, batch: Batch) -> float:
    began = time.process_time()
    race.take(batch)
    return time.process_time() - began


def _judge(
    outcome: Outcome, mishaps: Mishaps | None, found: dict[tuple[int, int], float], asked: Sequence[Proposal]
) -> None:
    numbers = start_list()
    spare = {} if mishaps is None else dict(zip(numbers.tolist(), mishaps.spare.tolist(), strict=True))
    true = {(rider, device) for rider, device in spare.items() if device}
    carried, gave_up = set(), set()
    if mishaps is not None:
        left = mishaps.abandons_at < SECONDS
        gave_up = set(numbers[left].tolist())
        carried = set(numbers[left & np.isin(mishaps.fate, CARRIED)].tolist())
    said = [asking for asking in asked if asking.kind != BIKE_CHANGE]
    in_cars = {asking.riders[0] for asking in said}
    rode = {asking.riders[0] for asking in said if asking.since_ms < _rode_until_ms(mishaps, asking.riders[0])}
    outcome.changes, outcome.carried = len(true), len(carried)
    outcome.found_s = [took_s for change, took_s in found.items() if change in true]
    outcome.changes_wrong = len(found.keys() - true)
    outcome.cars, outcome.wrongly_in_cars = len(in_cars & carried), len(rode)
    outcome.proposals = len(asked)
    for asking in asked:
        changes = {(rider, asking.device) for rider in asking.riders}
        right = changes & true if asking.kind == BIKE_CHANGE else in_cars & gave_up & set(asking.riders)
        outcome.proposals_wrong += not right
        outcome.remarks.append(f"{'right' if right else 'WRONG'} proposal: {asking.reason}")
    outcome.remarks += [f"wrong change: rider {rider}, device {device}" for rider, device in found.keys() - true]
    outcome.remarks += [f"not found: rider {rider}, device {device}" for rider, device in true - found.keys()]
    outcome.remarks += [f"not found in a car: rider {rider}" for rider in carried - in_cars]


def _rode_until_ms(mishaps: Mishaps | None, rider: int) -> float:
    """Until when a rider rode with the device of the start, Unix milliseconds."""
    if mishaps is None:
        return float("inf")
    i = int(np.searchsorted(start_list(), rider))
    return START_MS + 1000 * float(min(mishaps.rides_at[i], mishaps.abandons_at[i]))


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.bench.watching")
    parser.add_argument("course")
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--calm", action="store_true", help="without mishaps")
    options = parser.parse_args()
    for seed in options.seeds:
        told = watched(options.course, seed, calm=options.calm)
        print(
            f"{options.course} {seed}: changes {len(told.found_s)}/{told.changes}, wrong {told.changes_wrong}, "
            f"cars {told.cars}/{told.carried}, wrong {told.wrongly_in_cars}, "
            f"proposals {told.proposals}, wrong {told.proposals_wrong}, cost {told.cost_s / told.without_s:.2f}",
            *told.remarks,
            sep="\n  ",
            flush=True,
        )


if __name__ == "__main__":
    main()
