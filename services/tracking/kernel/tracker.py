"""What the services use of the kernel: readings in, frames out, live or from a recording."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tracking.briefing.start_order import Starts
from tracking.course import Course
from tracking.groups import DEFAULT_RULES, GroupRules
from tracking.kernel import layout
from tracking.kernel.air import unknown_air
from tracking.kernel.checkpoint import CheckpointError, seal, unseal
from tracking.kernel.devices import ALWAYS_MS, NEVER_MS, spare_devices
from tracking.kernel.filtering import ingest
from tracking.kernel.layout import FIX, RACE, REMEMBERED, TRACK
from tracking.kernel.standing import LOST, frame
from tracking.records import RIDER_STATE


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
    """Not believed: off the road, nobody is that fast, or no position at all."""
    held: int
    """Not believed yet: it could be on several legs of the road."""
    unknown: int
    """Of devices that nobody rides with."""
    spare: int
    """Of a rider's other device, or of one that was not yet the rider's."""
    clock: int
    """Of a wrong clock: hours away from the race, or in the future."""
    withdrawn: int
    """Of riders who take no part any more."""
    early: int
    """Of riders who wait for their start in a time trial."""


class Tracker:
    """All riders of one race. Not thread-safe; the caller decides the clock."""

    def __init__(
        self,
        course: Course,
        riders: np.ndarray,
        start_ms: int,
        devices: np.ndarray | None = None,
        rules: GroupRules = DEFAULT_RULES,
        starts: Starts | None = None,
    ) -> None:
        """`riders` (n,) are numbers, `devices` (n,) those under their saddles, by default the same.

        `start_ms`: start of the race, Unix milliseconds. `starts`: of a time trial; by default all start together.
        """
        self.riders = np.asarray(riders, np.uint16)
        devices = self.riders if devices is None else np.asarray(devices, np.uint16)
        self._devices = spare_devices(int(devices.max()) + 1)
        self._devices["rider"][devices] = np.arange(len(devices))
        self._devices["from_ms"][devices] = NEVER_MS
        self._road, self._view = layout.road_of(course), layout.view_of(course)
        self._tracks = np.zeros(len(self.riders), TRACK)
        self._tracks["quality"] = LOST
        self._tracks["withdrawn_ms"] = ALWAYS_MS
        self._tracks["general"] = np.arange(len(self.riders))
        self._tracks["starts_ms"] = start_ms
        for name in ("power", "classified_s", "counted_s", "gap_s", "trail"):
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
        self._races["best_ms"] = np.nan
        if starts is not None:
            self._tracks["starts_ms"] += np.round(1000 * starts.offset_s).astype(np.int64)
            self._tracks["unit"], self._races["counted"] = starts.unit, starts.counted
        self._course_crc = _crc_of(course)

    def ingest(self, readings: np.ndarray) -> None:
        """Takes READINGs (n,) in, in any order; what comes twice or too late is counted and changes nothing."""
        ingest(readings, self._devices, self._tracks, self._history, self._races, self._road)

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
            self._races,
            self._road,
            states,
        )
        return states

    def assign(self, device: int, rider: int, from_ms: int) -> None:
        """A rider goes on with another device from a moment on; ValueError where the rider does not start.

        The device before speaks for the rider only as long as it moves and the new one does not.
        """
        index, devices = self._index_of(rider), self._devices
        if device >= len(devices):
            devices = np.concatenate((devices, spare_devices(device + 1 - len(devices))))
        mine = np.flatnonzero((devices["rider"] == index) & (np.arange(len(devices)) != device))
        before = mine[np.argmax(devices["from_ms"][mine])] if len(mine) else -1
        if devices["other"][device] >= 0:
            devices["other"][devices["other"][device]] = -1
        for gone in mine[mine != before]:
            devices[gone] = spare_devices(1)[0]
        devices["rider"][device], devices["from_ms"][device] = index, from_ms
        devices["other"][device] = before
        if before >= 0:
            devices["other"][before] = device
        self._devices = devices

    def release(self, device: int) -> None:
        """Nobody rides with a device any more; it may be assigned again."""
        if device < len(self._devices):
            other = self._devices["other"][device]
            if other >= 0:
                self._devices["other"][other] = -1
            self._devices[device] = spare_devices(1)[0]

    def device_of(self, rider: int) -> int:
        """The number of the device that a rider goes on with, 0 for none."""
        mine = np.flatnonzero(self._devices["rider"] == self._index_of(rider))
        return int(mine[np.argmax(self._devices["from_ms"][mine])]) if len(mine) else 0

    def is_spare(self, devices: np.ndarray) -> np.ndarray:
        """bool (n,): which of these device numbers (n,) nobody rides with."""
        known = np.minimum(devices, len(self._devices) - 1)
        return (devices >= len(self._devices)) | (self._devices["rider"][known] < 0)

    def carry(self, rider: int, carried: bool) -> None:
        """Whether a rider's device is in a car: it is lost to ranking and groups until it is on a bike again."""
        self._tracks["carried"][self._index_of(rider)] = carried

    @property
    def passage(self) -> np.ndarray:
        """When the first rider passed each place of the course, Unix milliseconds, NaN where that was not seen."""
        return self._passage

    def withdraw(self, rider: int, at_ms: int) -> None:
        """A rider takes no part from a moment on: has no place in ranking and groups; ValueError for a stranger."""
        self._tracks["withdrawn_ms"][self._index_of(rider)] = at_ms

    def _index_of(self, rider: int) -> int:
        found = np.flatnonzero(self.riders == rider)
        if not len(found):
            raise ValueError(f"no rider {rider} starts; take a number of the start list")
        return int(found[0])

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
        self._races["classified"] = np.isfinite(self._tracks["classified_s"]).sum()

    def set_yellow(self, rider: int | None) -> None:
        """Who wears the yellow jersey; None, or a number that does not start, where nobody is known to."""
        wearers = np.flatnonzero(self.riders == (0 if rider is None else rider))
        self._races["yellow"] = wearers[0] if len(wearers) else -1

    @property
    def counts(self) -> Counts:
        """What became of the readings so far."""
        return Counts(**{name: int(self._races[name][0]) for name in Counts.__slots__})

    def checkpoint(self) -> bytes:
        """All that is known, exactly: what `restore` makes of it goes on as this tracker does."""
        return self.snapshot()()

    def snapshot(self) -> Callable[[], bytes]:
        """What makes the checkpoint of this moment, whenever and in whichever thread it is called."""
        return partial(seal, {name: _copy(getattr(self, name)) for name in KEPT}, {"course": self._course_crc})

    @classmethod
    def restore(
        cls, course: Course, data: bytes, riders: np.ndarray | None = None, starts: Starts | None = None
    ) -> "Tracker":
        """The tracker whose `checkpoint` this is.

        Raises CheckpointError where it is damaged, of another version or course, or not of these `riders`, where they
        are given, and their `starts`.
        """
        blank = cls(course, np.ones(1, np.uint16), 0)
        dtypes = {name: getattr(blank, name).dtype for name in KEPT}
        kept = unseal(data, {"course": blank._course_crc}, dtypes)
        if riders is not None and not np.array_equal(kept["riders"], riders):
            raise CheckpointError("the checkpoint is of other riders; begin anew from the first reading")
        if riders is not None:
            same = cls(course, riders, int(kept["_races"]["start_ms"][0]), starts=starts)
            timed = ("starts_ms", "unit")
            is_same = all(np.array_equal(same._tracks[name], kept["_tracks"][name]) for name in timed)
            if not is_same or same._races["counted"] != kept["_races"]["counted"]:
                raise CheckpointError("the checkpoint is of other start times; begin anew from the first reading")
        for name, array in kept.items():
            setattr(blank, name, array)
        return blank


KEPT = ("riders", "_devices", "_tracks", "_history", "_order", "_passage", "_air", "_races")
"""The arrays of a tracker that change, or that its course does not give: what a checkpoint holds."""


def _copy(array: np.ndarray) -> np.ndarray:
    """The same bytes; numpy's own copy leaves what lies between the fields of a record to chance."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def _crc_of(course: Course) -> int:
    """The same for the same road only."""
    return zlib.crc32(np.concatenate((course.distance, course.lat, course.lon)).tobytes())
