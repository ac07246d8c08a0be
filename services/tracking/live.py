"""The race as it happens: batches of readings in, a state frame for each new second out."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from tracking.briefing.history import Classification
from tracking.briefing.roster import Roster, bare_roster
from tracking.briefing.start_order import Starts
from tracking.clocks import CLOCK, correct, right_clocks
from tracking.course import Course
from tracking.groups import GroupRules
from tracking.kernel import Counts, Tracker
from tracking.kernel.checkpoint import seal, unseal
from tracking.kernel.devices import EARLIEST_MS, LATEST_MS
from tracking.race_control import BikeChange, Decision, Withdrawal, apply
from tracking.race_events import RaceEvent
from tracking.records import FINISHED, LOST, READING
from tracking.transport.wire import Batch, RaceStatus, StateFrame
from tracking.watch.bike_changes import BikeChanges
from tracking.watch.cars import Cars
from tracking.watch.proposals import Proposal
from tracking.weather import Weather, places_along

SECOND_MS = 1000
STEPS_MS = 10_000
"""A clock that jumps further than this, after an outage or at the start, is not followed second by second."""
WEATHER_EVERY_MS = 60_000
SETTING_OFF_MS = 60_000
"""So long after the start the last rider of a time trial may not have been found on the road yet."""
RATE_OVER_NS = 5_000_000_000

LIVE = np.dtype([("run", "i8"), ("clock_ms", "i8"), ("ingest_ns", "i8"), ("wrong_clock", "i8")])
"""What a checkpoint holds beside its tracker."""


@dataclass(frozen=True)
class RaceDay:
    """What does not change during a race."""

    course: Course
    start_ms: int
    """Unix milliseconds."""
    speed_factor: float
    roster: Roster = field(default_factory=bare_roster)
    classification: Classification | None = None
    """The general classification before the stage."""
    weather: Weather | None = None
    rules: GroupRules = field(default_factory=GroupRules)
    starts: Starts | None = None
    """Of a time trial; by default all start together."""


class LiveRace:
    """One run of a race; every reading is processed once."""

    def __init__(self, day: RaceDay, run: int) -> None:
        self.run = run
        self.clock_ms = 0
        """Race clock of the last frame; 0 before the first."""
        self._day = day
        self._tracker = Tracker(
            day.course, day.roster.numbers, day.start_ms, devices=day.roster.devices, starts=day.starts
        )
        if day.classification is not None:
            self._tracker.set_yellow(day.classification.leader)
        self._brief()
        self._all_off_ms = day.start_ms
        if day.starts is not None:
            self._all_off_ms += round(1000 * float(day.starts.offset_s.max())) + SETTING_OFF_MS
        self._places = places_along(day.course)
        self._changes = BikeChanges(day.course, day.roster.numbers, is_trial=day.starts is not None)
        self._cars = Cars(day.course, day.roster.numbers)
        self._noticed: list[RaceEvent] = []
        self._spares = np.zeros(0, READING)
        self._clocks = right_clocks()
        self._wrong_clock = 0
        self._states: np.ndarray | None = None
        self._ingest_ns = 0
        self._rate: deque[tuple[int, int]] = deque()

    def checkpoint(self) -> bytes:
        """All that is known, exactly, but for a state that waits to be taken and the rate of late."""
        return self.snapshot()()

    def snapshot(self) -> Callable[[], bytes]:
        """What makes the checkpoint of this moment, whenever and in whichever thread it is called.

        To copy what is known takes a fiftieth of the time that it takes to compress it.
        """
        live = np.array([(self.run, self.clock_ms, self._ingest_ns, self._wrong_clock)], LIVE)
        watched = json.dumps({"changes": self._changes.memory(), "cars": self._cars.memory()}).encode()
        clocks, spares = self._clocks.copy(), self._spares.copy()
        tracker, start_ms = self._tracker.snapshot(), self._day.start_ms

        def sealed() -> bytes:
            octets = {"watched": watched, "tracker": tracker()}
            kept = {name: np.frombuffer(content, np.uint8) for name, content in octets.items()}
            return seal({"live": live, "clocks": clocks, "spares": spares, **kept}, {"start": start_ms})

        return sealed

    @classmethod
    def restored(cls, day: RaceDay, data: bytes) -> "LiveRace":
        """The race whose `checkpoint` this is; CheckpointError where it is damaged or of another day or course."""
        octets = np.dtype(np.uint8)
        dtypes = {"live": LIVE, "clocks": CLOCK, "spares": READING, "watched": octets, "tracker": octets}
        kept = unseal(data, {"start": day.start_ms}, dtypes)
        live = kept["live"][0]
        race = cls(day, int(live["run"]))
        race._tracker = Tracker.restore(day.course, kept["tracker"].tobytes(), day.roster.numbers, day.starts)
        race._brief()
        race.clock_ms, race._ingest_ns = int(live["clock_ms"]), int(live["ingest_ns"])
        race._clocks, race._wrong_clock = kept["clocks"], int(live["wrong_clock"])
        race._spares = kept["spares"]
        watched = json.loads(kept["watched"].tobytes())
        race._changes.remember(watched["changes"])
        race._cars.remember(watched["cars"])
        return race

    def decide(self, decision: Decision) -> None:
        """Let a decision of race control take effect; one on a rider who does not start changes nothing."""
        if decision.rider in self._day.roster.numbers:
            apply(decision, self._tracker)
            self._defer(decision)

    def _defer(self, decision: Decision) -> None:
        """What was found by itself and is not as race control says is undone, and not found again."""
        match decision:
            case BikeChange(device=device, rider=rider):
                for wrong in self._changes.overrule(rider, device):
                    self._tracker.release(wrong)
                if self._cars.excuse(rider):
                    self._tracker.carry(rider, False)
            case Withdrawal(rider=rider):
                self._changes.withdraw(rider)
                self._cars.excuse(rider)

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """What race control is asked to decide."""
        return (*self._changes.proposals, *self._cars.proposals)

    def noticed(self) -> list[RaceEvent]:
        """The events that were found in the readings since they were last asked for."""
        events, self._noticed = self._noticed, []
        return events

    def _notice(self, states: np.ndarray, clock_ms: int) -> None:
        """Finds bike changes and riders in cars; both take effect from the next second on."""
        spares, self._spares = self._spares, self._spares[:0]
        if clock_ms < self._day.start_ms:
            return
        tracker = self._tracker
        for device, rider, from_ms in self._changes.see(spares, states, tracker.passage, clock_ms):
            before = tracker.device_of(rider)
            tracker.assign(device, rider, from_ms)
            tracker.release(before)
            self._cars.forget(rider)
            to_go_km = round(float(states["to_go_m"][self._day.roster.numbers == rider][0]) / 1000, 1)
            text = f"Rider {rider} has changed bikes, {to_go_km:.1f} km from the finish."
            self._noticed.append(RaceEvent(from_ms, "bike_change", 0, None, (rider,), to_go_km, text))
        if self._day.starts is None:  # against the clock, times on the road are not those of one rider
            for rider in self._cars.see(states, tracker.passage, clock_ms):
                tracker.carry(rider, True)
        if self._status(states) is RaceStatus.FINISHED:
            self._changes.proposals.clear()
            self._cars.proposals.clear()

    def take(self, batch: Batch) -> None:
        """Take the readings of a batch in, and step the clock to where most of them are."""
        rows = self._on_time(batch.readings)
        for clock_ms in self._seconds_until(clock_of(rows)):
            due = rows["time_ms"] <= clock_ms
            self._ingest(rows[due])
            rows = rows[~due]
            self._blow(clock_ms)
            self._states = self._tracker.frame(clock_ms)
            self._notice(self._states, clock_ms)
            self.clock_ms = clock_ms
            self._ingest_ns = batch.sent_at_ns
        self._ingest(rows)

    def _ingest(self, readings: np.ndarray) -> None:
        self._tracker.ingest(readings)
        spares = readings[self._tracker.is_spare(readings["device"])]
        self._spares = np.concatenate((self._spares, spares))

    def frame(self, now_ns: int) -> StateFrame | None:
        """The state at the newest second, once; None while there is no new one. `now_ns`: Unix nanoseconds."""
        states, self._states = self._states, None
        if states is None:
            return None
        counts = self.counts
        return StateFrame(
            run=self.run,
            clock_ms=self.clock_ms,
            ingest_ns=self._ingest_ns,
            published_ns=now_ns,
            status=self._status(states),
            speed_factor=self._day.speed_factor,
            per_second=self._readings_per_second(now_ns, counts.readings),
            readings=counts.readings,
            duplicates=counts.duplicates,
            late=counts.late,
            riders=states,
        )

    @property
    def counts(self) -> Counts:
        """What became of the readings so far."""
        counts = self._tracker.counts
        return replace(counts, clock=counts.clock + self._wrong_clock)

    def _on_time(self, readings: np.ndarray) -> np.ndarray:
        """The readings of this day, of devices with a wrong clock with their times set right."""
        since_start_ms = readings["time_ms"] - self._day.start_ms
        today = readings[(since_start_ms >= EARLIEST_MS) & (since_start_ms <= LATEST_MS)]
        corrected = correct(self._clocks, today)
        self._wrong_clock += len(readings) - len(corrected)
        return corrected

    def _brief(self) -> None:
        """What the day's files say holds, also where a checkpoint was made before they were corrected."""
        self._tracker.set_rules(self._day.rules)
        if self._day.classification is not None:
            self._tracker.set_classification(self._day.classification.riders, self._day.classification.behind_s)

    def _blow(self, clock_ms: int) -> None:
        """Once a minute, the weather is what its source says."""
        if self._day.weather is not None and clock_ms // WEATHER_EVERY_MS != self.clock_ms // WEATHER_EVERY_MS:
            air = self._day.weather.at(self._places, clock_ms)
            self._tracker.set_wind(air.east_ms, air.north_ms, air.density)

    def _seconds_until(self, clock_ms: int) -> Iterator[int]:
        if clock_ms - self.clock_ms > STEPS_MS:
            yield clock_ms
        else:
            yield from range(self.clock_ms + SECOND_MS, clock_ms + 1, SECOND_MS)

    def _status(self, states: np.ndarray) -> RaceStatus:
        if self.clock_ms < self._day.start_ms:
            return RaceStatus.WAITING
        quality = states["quality"]
        over = (quality == FINISHED).any() and (quality >= LOST).all() and self.clock_ms >= self._all_off_ms
        return RaceStatus.FINISHED if over else RaceStatus.LIVE

    def _readings_per_second(self, now_ns: int, readings: int) -> float:
        self._rate.append((now_ns, readings))
        while now_ns - self._rate[0][0] > RATE_OVER_NS and len(self._rate) > 2:
            self._rate.popleft()
        then_ns, before = self._rate[0]
        return (readings - before) / (now_ns - then_ns) * 1e9 if now_ns > then_ns else 0.0


def clock_of(readings: np.ndarray) -> int:
    """The second that a tenth of the readings have reached: no single device can push the clock ahead."""
    if not len(readings):
        return 0
    ahead = len(readings) // 10 + 1
    reached = int(np.partition(readings["time_ms"], -ahead)[-ahead])
    return reached - reached % SECOND_MS
