"""What the services use of the kernel: readings in, frames out, live or from a recording."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tracking.course import Course
from tracking.groups import DEFAULT_RULES, GroupRules
from tracking.kernel import layout
from tracking.kernel.air import unknown_air
from tracking.kernel.checkpoint import CheckpointError, seal, unseal
from tracking.kernel.filtering import ingest
from tracking.kernel.layout import FIX, RACE, REMEMBERED, TRACK
from tracking.kernel.matching import POSITION_VAR
from tracking.kernel.standing import FINISHED_KEY, PROOFS, frame
from tracking.records import FINISHED, LOST, RIDER_STATE


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the readings so far."""

    readings: int
    """Of known devices, those that follow included."""
    duplicates: int
    """Already known: same device, same fix time."""
    late: int
    """Too old to change anything."""
    frozen: int
    """Not believed: the position is exactly the one before."""
    outliers: int
    """Not believed: off the road, or nobody is that fast."""
    unknown: int
    """Of devices that nobody rides with."""


class Tracker:
    """All riders of one race. Not thread-safe; the caller decides the clock."""

    def __init__(
        self,
        course: Course,
        riders: np.ndarray,
        start_ms: int,
        devices: np.ndarray | None = None,
        rules: GroupRules = DEFAULT_RULES,
    ) -> None:
        """`riders` (n,) are numbers, `devices` (n,) those under their saddles, by default the same.

        `start_ms`: start of the race, Unix milliseconds.
        """
        self.riders = np.asarray(riders, np.uint16)
        devices = self.riders if devices is None else np.asarray(devices, np.uint16)
        self._rider_of = np.full(int(devices.max()) + 1, -1, np.int64)
        self._rider_of[devices] = np.arange(len(devices))
        self._road, self._view = layout.road_of(course), layout.view_of(course)
        self._tracks = np.zeros(len(self.riders), TRACK)
        self._tracks["quality"] = LOST
        self._tracks["general"] = np.arange(len(self.riders))
        for name in ("power", "classified_s", "counted_s", "trail"):
            self._tracks[name] = np.nan
        self._history = np.zeros((len(self.riders), REMEMBERED), FIX)
        self._order = np.arange(len(self.riders))
        self._passage = np.full(len(course.distance), np.nan)
        self._air = unknown_air(course.length_m, course.distance, course.elevation)
        self._races = np.zeros(1, RACE)
        self._races["start_ms"] = start_ms
        self._races["field_m"] = np.nan
        self.set_rules(rules)
        self._races["yellow"] = -1
        self._course_crc = _crc_of(course)

    def ingest(self, readings: np.ndarray) -> None:
        """Takes READINGs (n,) in, in any order; what comes twice or too late is counted and changes nothing."""
        ingest(readings, self._rider_of, self._tracks, self._history, self._races[0], self._road)

    def frame(self, clock_ms: int) -> np.ndarray:
        """RIDER_STATE (riders,) in the order of `riders`, at a race clock in Unix milliseconds that never goes back."""
        states = np.zeros(len(self.riders), RIDER_STATE)
        frame(
            clock_ms,
            self.riders,
            self._tracks,
            self._history,
            self._order,
            self._passage,
            self._air,
            self._view,
            self._races[0],
            self._road,
            states,
        )
        return states

    def assign(self, device: int, rider: int, from_ms: int) -> None:
        """A rider goes on with another device: from now on it speaks for the rider, and the one before no more."""
        index = int(np.flatnonzero(self.riders == rider)[0])
        self._rider_of = np.pad(self._rider_of, (0, max(device + 1 - len(self._rider_of), 0)), constant_values=-1)
        self._rider_of[self._rider_of == index] = -1
        self._rider_of[device] = index

    def withdraw(self, rider: int, at_ms: int) -> None:
        """A rider takes no part any more: no device speaks for the rider, who is lost soon after."""
        self._rider_of[self._rider_of == int(np.flatnonzero(self.riders == rider)[0])] = -1

    def set_rules(self, rules: GroupRules) -> None:
        """When riders are one group, from the next frame on."""
        self._races["split_s"], self._races["join_s"] = rules.split_s, rules.join_s

    def set_wind(self, east_ms: np.ndarray, north_ms: np.ndarray, density: np.ndarray | None = None) -> None:
        """How the air moves, m/s towards east and north, from now on; NaN where it is not known.

        Arrays (k,) for k places spread evenly from start to finish, k >= 1; so `density`, kg/m³, which stays as it is
        where it is not given.
        """
        self._air["east"], self._air["north"] = self._along(east_ms), self._along(north_ms)
        if density is not None:
            known = self._along(density)
            self._air["density"] = np.where(np.isnan(known), self._air["density"], known)

    def _along(self, values: np.ndarray) -> np.ndarray:
        """Values (k,) spread evenly over the course, at the places where the air is kept."""
        places = np.linspace(0.0, 1.0, len(self._air))
        return np.interp(places, np.linspace(0.0, 1.0, len(values)), values)

    def set_classification(self, riders: np.ndarray, behind_s: np.ndarray) -> None:
        """The general classification before the stage: seconds (n,) of riders (n,) behind its leader."""
        seconds = dict(zip(np.asarray(riders).tolist(), np.asarray(behind_s, float).tolist(), strict=True))
        self._tracks["classified_s"] = [seconds.get(rider, np.nan) for rider in self.riders.tolist()]
        self._races[0]["classified"] = np.isfinite(self._tracks["classified_s"]).sum()

    def set_yellow(self, rider: int | None) -> None:
        """Who wears the yellow jersey; None, or a number that does not start, where nobody is known to."""
        wearers = np.flatnonzero(self.riders == (0 if rider is None else rider))
        self._races[0]["yellow"] = wearers[0] if len(wearers) else -1

    @property
    def counts(self) -> Counts:
        """What became of the readings so far."""
        return Counts(**{name: int(self._races[name][0]) for name in Counts.__slots__})

    def checkpoint(self) -> bytes:
        """All that is known, exactly: what `restore` makes of it goes on as this tracker does."""
        return seal({name: getattr(self, name) for name in KEPT}, {"course": self._course_crc})

    @classmethod
    def restore(cls, course: Course, data: bytes, riders: np.ndarray | None = None) -> "Tracker":
        """The tracker whose `checkpoint` this is.

        Raises CheckpointError where it is damaged, of another version or course, or not of these `riders`.
        """
        blank = cls(course, np.ones(1, np.uint16), 0)
        dtypes = {name: getattr(blank, name).dtype for name in KEPT}
        kept = unseal(data, {"course": blank._course_crc}, dtypes)
        if riders is not None and not np.array_equal(kept["riders"], riders):
            raise CheckpointError("the checkpoint is of other riders; begin anew from the first reading")
        for name, array in kept.items():
            setattr(blank, name, array)
        return blank

    def resume(self, states: np.ndarray) -> None:
        """Goes on from the last frame of an earlier tracker: a restart in mid-race loses no rider and no gap."""
        clock_ms = int(states["time_ms"].max())
        known = states[np.isin(states["rider"], self.riders) & (states["time_ms"] == clock_ms)]
        self._resume_passages(known, clock_ms)
        for state in known[known["seen_ms"] > 0]:
            self._resume_rider(state)
        self._races[0]["clock_ms"] = clock_ms

    def _resume_rider(self, state: np.ndarray) -> None:
        rider = int(np.flatnonzero(self.riders == state["rider"])[0])
        track, fix = self._tracks[rider], self._history[rider, 0]
        for name, value in (("time_ms", state["time_ms"]), ("lat", np.nan), ("lon", np.nan), ("field_m", np.nan)):
            fix[name] = value
        fix["distance"], fix["speed"], fix["seen_ms"] = state["distance_m"], state["speed_ms"], state["seen_ms"]
        fix["var_distance"], fix["covariance"], fix["var_speed"] = POSITION_VAR, 0.0, 4.0
        fix["proofs"], fix["refusals"] = PROOFS, 0
        track["first"], track["count"], track["forgot"] = 0, 1, True
        track["distance"], track["group"] = state["distance_m"], state["group"]
        if state["quality"] == FINISHED:
            track["quality"], track["finish_ms"], track["seen_ms"] = FINISHED, state["seen_ms"], state["seen_ms"]
            track["key"] = FINISHED_KEY - (state["seen_ms"] - self._races[0]["start_ms"]) / 1000

    def _resume_passages(self, states: np.ndarray, clock_ms: int) -> None:
        """The gaps of the riders say when the head passed their places; between them it rode evenly."""
        finished = states[states["quality"] == FINISHED]
        if len(finished):
            self._races[0]["first_finish_ms"] = finished["seen_ms"].min()
        told = states[(states["quality"] < LOST) & np.isfinite(states["gap_s"])]
        places, passed_ms = told["distance_m"], clock_ms - told["gap_s"].astype(float) * 1000
        if len(finished):
            places = np.append(places, self._road.length_m)
            passed_ms = np.append(passed_ms, float(self._races[0]["first_finish_ms"]))
        if not len(places):
            return
        by_place = np.argsort(places)
        cells = np.arange(len(self._passage)) * self._road.step_m
        within = (cells >= places.min()) & (cells <= places.max())
        self._passage[within] = np.interp(cells[within], places[by_place], passed_ms[by_place])
        self._races[0]["head_m"], self._races[0]["head_ms"] = places.max(), round(passed_ms[by_place[-1]])


KEPT = ("riders", "_rider_of", "_tracks", "_history", "_order", "_passage", "_air", "_races")
"""The arrays of a tracker that change, or that its course does not give: what a checkpoint holds."""


def _crc_of(course: Course) -> int:
    """The same for the same road only."""
    return zlib.crc32(np.concatenate((course.distance, course.lat, course.lon)).tobytes())


def replay(course: Course, riders: np.ndarray, start_ms: int, readings: np.ndarray) -> Iterator[np.ndarray]:
    """The frames of a recorded stage, one for each second from its first to its last fix.

    `readings`: READING (n,) in any order. Each frame knows what was fixed up to its second.
    """
    ordered = readings[np.argsort(readings["time_ms"], kind="stable")]
    seconds = np.arange(ordered["time_ms"][0], ordered["time_ms"][-1] + 1000, 1000)
    ends = np.searchsorted(ordered["time_ms"], seconds, side="right")
    batches = zip(seconds.tolist(), np.split(ordered, ends[:-1]), strict=True)
    yield from run(Tracker(course, riders, start_ms), batches)


def run(tracker: Tracker, batches: Iterable[tuple[int, np.ndarray]]) -> Iterator[np.ndarray]:
    """A frame for each (clock, READINGs that came since the last one)."""
    for clock_ms, batch in batches:
        tracker.ingest(batch)
        yield tracker.frame(clock_ms)
