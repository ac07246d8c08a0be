"""Bike changes that nobody announced: a device that nobody rides leaves from where a rider's device has stopped.

A team car brings the spare bike, so its device comes behind the race, stands where the rider stands, and goes on while
the old device still stands there or is not heard any more. It is the rider's when only one rider stood there, when it
left before anything else from there did, and when it then rides as riders do, beside the first rider's times on the
same road. No car leaves its rider standing: one who goes on with it, or right after it, may ride a repaired bike. All
else that leaves from there is proposed to race control, and in a time trial, where cars go as fast as their riders all
day and the best times are of many riders, everything is. What is found follows from the readings alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np

from tracking.course import Course
from tracking.course.geometry import METRES_PER_DEGREE
from tracking.kernel.standing import STANDS_MS, UNDER_WAY_M
from tracking.records import FRESH
from tracking.watch.proposals import BIKE_CHANGE, Proposal

STOOD_MS = 7_000
"""So long a spare device stands at least before it is taken from the car."""
STANDING_M = 15.0
"""A device within this stands."""
NEAR_M = 40.0
"""A rider and a spare bike closer than this are at one place."""
LEFT_M = 80.0
"""A device has left a place when it is so far from it."""
OVERLAP_MS = 300_000
"""A rider who stood there so recently may be the one who rides."""
FIRST_MS = 8_000
"""What leaves this much earlier is not in the same car."""
SETTLED_MS = 15_000
"""Then it is known what did not leave with it."""
LEFT_BEHIND_MS = 12_000
"""A rider whose device stands there so much longer has left it there, or to a car that follows."""
SURE_MS, UNSURE_MS, ASKED_MS = 60_000, 180_000, 300_000
"""How long a device has to ride well: where the old one was left there; where it is not heard; then it is asked."""
RIDDEN_M = 300.0
FASTER = 1.35
"""Nobody rides so much faster than the first rider did on the same road for a minute."""
FASTEST_UNSEEN_MS = 16.0
"""m/s, where the first rider was not seen on it."""
FORGOTTEN_MS = 300_000
MOST_ASKED = 8
"""Where more riders stood, the field came to a halt: there is nothing that race control could be asked."""
MOST = 256
"""Spare devices that are followed at once."""
TRAIL_MS, TRAIL = 2_000, 150
"""How often it is noted where a spare device is, and how many of these are kept."""
ON_THE_WAY_MS = 30_000
HARDLY_M = 11.0
"""What is no farther from where it was two notes ago may have stood in between."""
WINDOW_M, FASTEST_MS = 60.0, 30.0
"""How far along the road a device is looked for: so far, and so much farther each second since it was found."""

NEVER_MS = 1 << 62
TOGETHER = "another spare device may have left with it"


@dataclass(slots=True)
class Stop:
    """Where a rider stood last."""

    place_m: float
    from_ms: int
    until_ms: int


@dataclass(slots=True)
class Stranger:
    """A device that nobody rides, as far as is known."""

    lat: float
    lon: float
    """Where it stands, or was when it moved on."""
    since_ms: int
    heard_ms: int
    left_lat: float = 0.0
    left_lon: float = 0.0
    left_ms: int = 0
    """When it left a place where it had stood; 0 for none that matters."""
    riders: list[int] = field(default_factory=list)
    """Indices of those who stood there; empty until it has left."""
    from_m: float = 0.0
    at_m: float = 0.0
    at_ms: int = 0
    timed_m: float = 0.0
    timed_ms: int = 0
    """Where its riding began to be timed, and when; 0 for not yet."""
    trail: list[list[float]] = field(default_factory=list)
    """(ms, latitude, longitude) of late, oldest first."""

    def dismiss(self) -> None:
        """It did not leave for a rider."""
        self.riders, self.left_ms, self.timed_ms = [], 0, 0

    def last_stood(self, lat: float, lon: float) -> int:
        """When it last stood or hardly moved at a place, as those do that are just taken from a car; 0 for never."""
        near = [
            (at_ms, there_lat, there_lon)
            for at_ms, there_lat, there_lon in self.trail
            if apart_m(there_lat, there_lon, lat, lon) < NEAR_M
        ]
        hardly_moved = (
            at_ms
            for (_, before_lat, before_lon), (at_ms, now_lat, now_lon) in zip(near, near[2:], strict=False)
            if apart_m(before_lat, before_lon, now_lat, now_lon) < HARDLY_M
        )
        return int(max(hardly_moved, default=0))

    def on_the_way(self, until_ms: int) -> dict[int, tuple[float, float]]:
        """(latitude, longitude) by number of `TRAIL_MS` in the half minute before."""
        return {
            int(at_ms // TRAIL_MS): (lat, lon)
            for at_ms, lat, lon in self.trail
            if until_ms - ON_THE_WAY_MS < at_ms <= until_ms
        }


class BikeChanges:
    """Those of one race."""

    def __init__(self, course: Course, numbers: np.ndarray, *, is_trial: bool = False) -> None:
        """`numbers` (n,) of the riders, in the order of their states; `is_trial`: all is proposed."""
        self._course, self._numbers, self._is_trial = course, numbers, is_trial
        self._stops: dict[int, Stop] = {}
        self._strangers: dict[int, Stranger] = {}
        self._decided: set[int] = set()
        """Devices that race control has given away: nothing is found of them any more."""
        self._found: dict[int, int] = {}
        """Rider's number by the device that was found."""
        self.proposals: list[Proposal] = []

    def memory(self) -> dict[str, Any]:
        """All that is remembered, ready for JSON."""
        return {
            "stops": {str(rider): asdict(stop) for rider, stop in self._stops.items()},
            "strangers": {str(device): asdict(stranger) for device, stranger in self._strangers.items()},
            "decided": sorted(self._decided),
            "found": {str(device): rider for device, rider in self._found.items()},
            "proposals": [proposal.memory() for proposal in self.proposals],
        }

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Go on where another one gave this `memory`; KeyError or TypeError where it is none."""
        self._stops = {int(rider): Stop(**stop) for rider, stop in memory["stops"].items()}
        self._strangers = {int(device): Stranger(**stranger) for device, stranger in memory["strangers"].items()}
        self._decided = set(memory["decided"])
        self._found = {int(device): rider for device, rider in memory["found"].items()}
        self.proposals = [Proposal.remembering(proposal) for proposal in memory["proposals"]]

    def overrule(self, rider: int, device: int) -> list[int]:
        """Race control gave this device to this rider, or to nobody (0): devices that were wrongly found for him."""
        self._decided.add(device)
        wrong = [found for found, whose in self._found.items() if whose == rider and found != device]
        self._decided.update(wrong)
        self._found = {found: whose for found, whose in self._found.items() if found != device and whose != rider}
        self.proposals = [asked for asked in self.proposals if asked.device != device and rider not in asked.riders]
        self._strangers.pop(device, None)
        return wrong

    def withdraw(self, rider: int) -> None:
        """A rider takes no part any more, and no bike."""
        self._stops = {i: stop for i, stop in self._stops.items() if self._numbers[i] != rider}
        for stranger in self._strangers.values():
            if any(self._numbers[i] == rider for i in stranger.riders):
                stranger.dismiss()
        self.proposals = [asked for asked in self.proposals if rider not in asked.riders]

    def see(
        self, spares: np.ndarray, states: np.ndarray, passage: np.ndarray, clock_ms: int
    ) -> list[tuple[int, int, int]]:
        """(device, rider, from_ms) of the changes that this second makes certain.

        `spares`: READING (k,) of devices that nobody rides; `states` RIDER_STATE (n,); `passage` (places,) when the
        first rider passed each place.
        """
        for i in np.flatnonzero((states["speed_ms"] < STANDS_MS) & (states["quality"] == FRESH)).tolist():
            self._stand(i, float(states["distance_m"][i]), clock_ms)
        certain = []
        for device, time_ms, lat, lon in sorted(spares.tolist(), key=itemgetter(1, 0, 2, 3)):
            if device in self._decided or not self._move(device, time_ms, lat, lon):
                continue
            stranger = self._strangers[device]
            if stranger.left_ms and self._rides(device, stranger, time_ms, lat, lon, states, passage):
                certain.append((device, int(self._numbers[stranger.riders[0]]), stranger.left_ms))
        for device, rider, _ in certain:
            self._found[device] = rider
            del self._strangers[device]
            self.proposals = [asked for asked in self.proposals if asked.device != device]
        return certain

    def _stand(self, i: int, distance_m: float, clock_ms: int) -> None:
        if distance_m < UNDER_WAY_M:
            return
        stop = self._stops.get(i)
        if stop is None or abs(stop.place_m - distance_m) > NEAR_M:
            self._stops[i] = Stop(distance_m, clock_ms, clock_ms)
        else:
            stop.place_m, stop.until_ms = distance_m, clock_ms

    def _move(self, device: int, time_ms: int, lat: float, lon: float) -> bool:
        """Notes where a spare device is; whether that is news."""
        stranger = self._strangers.get(device)
        if stranger is None:
            if len(self._strangers) >= MOST:
                self._forget(time_ms)
            if len(self._strangers) < MOST:
                self._strangers[device] = Stranger(lat, lon, time_ms, time_ms)
            return False
        if time_ms <= stranger.heard_ms:
            return False
        stood_ms = stranger.heard_ms - stranger.since_ms
        if apart_m(lat, lon, stranger.lat, stranger.lon) > STANDING_M:
            if stood_ms >= STOOD_MS and not stranger.riders:
                stranger.left_lat, stranger.left_lon, stranger.left_ms = stranger.lat, stranger.lon, stranger.heard_ms
            stranger.lat, stranger.lon, stranger.since_ms = lat, lon, time_ms
        stranger.heard_ms = time_ms
        if not stranger.trail or time_ms // TRAIL_MS > stranger.trail[-1][0] // TRAIL_MS:
            stranger.trail = [*stranger.trail[1 - TRAIL :], [time_ms, lat, lon]]
        return True

    def _forget(self, time_ms: int) -> None:
        kept = {d: s for d, s in self._strangers.items() if s.heard_ms > time_ms - FORGOTTEN_MS}
        self._strangers = kept

    def _rides(
        self,
        device: int,
        stranger: Stranger,
        time_ms: int,
        lat: float,
        lon: float,
        states: np.ndarray,
        passage: np.ndarray,
    ) -> bool:
        """Whether a device that has left a place is certainly ridden by the one who stood there."""
        if not stranger.riders:
            is_settled = time_ms >= stranger.left_ms + SETTLED_MS
            if is_settled and apart_m(lat, lon, stranger.left_lat, stranger.left_lon) >= LEFT_M:
                self._suspect(device, stranger, states, time_ms)
            return False
        rider = stranger.riders[0]
        stop = self._stops[rider]
        self._advance(stranger, lat, lon, time_ms)
        if not stranger.timed_ms and stranger.at_m > stranger.from_m + LEFT_M:
            stranger.timed_m, stranger.timed_ms = stranger.at_m, time_ms
        rode_ms = time_ms - stranger.left_ms
        if rode_ms < SURE_MS or not stranger.timed_ms or stranger.at_m < stranger.from_m + RIDDEN_M:
            if rode_ms > ASKED_MS:
                stranger.dismiss()
            return False
        was_left = stop.until_ms >= stranger.left_ms + LEFT_BEHIND_MS
        goes_on = states["quality"][rider] == FRESH and states["distance_m"][rider] > stop.place_m + LEFT_M
        if goes_on and not was_left:
            self._ask(device, stranger, "the rider's own device went on with it")
        elif rode_ms >= (SURE_MS if was_left else UNSURE_MS) and self._is_ridden(stranger, time_ms, passage):
            if self._is_trial:
                self._ask(device, stranger, "it may be in a car")
            elif self._others_leave_ms(stranger) < stranger.left_ms + FIRST_MS:
                self._ask(device, stranger, TOGETHER)
            elif self._is_in_doubt(stranger):
                self._ask(device, stranger, "another spare device stood there too")
            else:
                return True
        elif rode_ms > ASKED_MS:
            self._ask(device, stranger, "it goes faster than anyone rode there")
        return False

    def _suspect(self, device: int, stranger: Stranger, states: np.ndarray, time_ms: int) -> None:
        """Finds out who stood where a device has left."""
        there = [
            i
            for i, stop in self._stops.items()
            if self._apart_m(stop.place_m, stranger) < NEAR_M
            and stop.from_ms <= stranger.left_ms
            and stop.until_ms >= stranger.left_ms - OVERLAP_MS
        ]
        remain = [i for i in there if states["distance_m"][i] < self._stops[i].place_m + LEFT_M / 2]
        if not remain or len(there) > MOST_ASKED:
            stranger.left_ms = 0
            return
        stranger.riders = remain + [i for i in there if i not in remain]
        stranger.from_m = stranger.at_m = self._stops[remain[0]].place_m
        stranger.at_ms = stranger.left_ms
        others_ms = self._others_leave_ms(stranger)
        if others_ms < stranger.left_ms - FIRST_MS:
            stranger.dismiss()
        elif others_ms < stranger.left_ms + FIRST_MS:
            self._ask(device, stranger, TOGETHER)
        elif len(there) > 1:
            self._ask(device, stranger, f"{len(there)} riders stood where it left")

    def _others_leave_ms(self, stranger: Stranger) -> int:
        """When the first of the other spare devices left that stood there too; `NEVER_MS` for none."""
        stop, riders = self._stops[stranger.riders[0]], {int(self._numbers[i]) for i in stranger.riders}
        since_ms = stranger.left_ms - OVERLAP_MS
        left_ms = [asked.since_ms for asked in self.proposals if riders & {*asked.riders} and asked.since_ms > since_ms]
        for other in self._strangers.values():
            if other is not stranger and (stood_ms := other.last_stood(stranger.left_lat, stranger.left_lon)):
                left_ms.append(stood_ms)
        return min((at_ms for at_ms in left_ms if at_ms > stop.from_ms), default=NEVER_MS)

    def _is_in_doubt(self, stranger: Stranger) -> bool:
        """Whether spare devices stood there that did not come on this one's car, or one of that car was gone before."""
        stop, number = self._stops[stranger.riders[0]], int(self._numbers[stranger.riders[0]])
        came = stranger.on_the_way(stop.from_ms)
        for other in self._strangers.values():
            theirs = other.on_the_way(stop.from_ms)
            apart = [float(apart_m(*came[at], *theirs[at])) for at in came.keys() & theirs.keys()]
            stood_ms = other.last_stood(stranger.left_lat, stranger.left_lon)
            on_same_car = bool(apart) and np.median(apart) < STANDING_M
            if other is not stranger and (stood_ms < stranger.left_ms if on_same_car else stood_ms > stop.from_ms):
                return True
        return any(number in asked.riders and asked.since_ms > stop.from_ms for asked in self.proposals)

    def _ask(self, device: int, stranger: Stranger, why: str) -> None:
        riders = tuple(int(self._numbers[i]) for i in stranger.riders)
        known = [asked for asked in self.proposals if asked.device != device]
        reason = f"Device {device} left the place where {_named(riders)} stood, but {why}."
        self.proposals = [*known, Proposal(BIKE_CHANGE, stranger.left_ms, riders, device, reason)]
        stranger.dismiss()

    def _advance(self, stranger: Stranger, lat: float, lon: float, time_ms: int) -> None:
        """Follows a device along the road from where it left: so it is on the leg that the rider was on."""
        course = self._course
        low = int(stranger.at_m / course.step_m)
        reach_m = WINDOW_M + FASTEST_MS * (time_ms - stranger.at_ms) / 1000.0
        high = min(low + int(reach_m / course.step_m), len(course.lat))
        away = apart_m(course.lat[low:high], course.lon[low:high], lat, lon)
        if len(away) and away.min() < NEAR_M:
            stranger.at_m, stranger.at_ms = float((low + int(away.argmin())) * course.step_m), time_ms

    def _is_ridden(self, stranger: Stranger, time_ms: int, passage: np.ndarray) -> bool:
        """Whether it goes as a rider can, beside the first rider's time on the same road."""
        first, last = (int(m / self._course.step_m) for m in (stranger.timed_m, stranger.at_m))
        took_ms = time_ms - stranger.timed_ms
        heads_ms = passage[last] - passage[first]
        if np.isnan(heads_ms):
            return (stranger.at_m - stranger.timed_m) / took_ms * 1000.0 < FASTEST_UNSEEN_MS
        return bool(heads_ms < FASTER * took_ms)

    def _apart_m(self, place_m: float, stranger: Stranger) -> float:
        cell = min(int(place_m / self._course.step_m), len(self._course.lat) - 1)
        return float(apart_m(self._course.lat[cell], self._course.lon[cell], stranger.left_lat, stranger.left_lon))


def apart_m(lat: Any, lon: Any, other_lat: float, other_lon: float) -> Any:
    """Metres between places in degrees that are near to each other; of arrays (n,) an array (n,)."""
    north = (lat - other_lat) * METRES_PER_DEGREE
    east = (lon - other_lon) * METRES_PER_DEGREE * np.cos(np.radians(other_lat))
    return np.sqrt(north * north + east * east)


def _named(riders: tuple[int, ...]) -> str:
    return f"rider {riders[0]}" if len(riders) == 1 else f"riders {', '.join(map(str, riders))}"
