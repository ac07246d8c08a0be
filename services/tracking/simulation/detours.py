"""Where mishaps take riders, cars and the bikes on them, beside a field that rides on as if nothing had happened.

A rider who stops is where the field's script had him some time ago: standing lets that time grow, chasing back lets it
shrink. So he rides every place as fast as he would have, a little faster as long as he chases.
"""

from collections import deque

import numpy as np

from tracking.course.geometry import METRES_PER_DEGREE
from tracking.records import READING
from tracking.simulation import radio
from tracking.simulation.dynamics import Road
from tracking.simulation.mishaps import FIRST_ON_ROOF, FIRST_SPARE, WAITS_S, Fate, Mishaps

REMEMBERED_S = 400
BRAKES_S, STARTS_S = 7, 9
"""Until a rider stands, and until he is under way again."""
CAR_BEHIND_S = 12
"""A team car is so far behind its rider."""
CAR_MS = 17.0
CAR_ACCELERATION = 1.5
CAR_AHEAD_M, BROOM_BEHIND_M = 700.0, 60.0
"""Where cars stay that have overtaken the race, and the broom wagon."""


class Detours:
    """The riders and the cars of one race, moved second by second."""

    def __init__(self, mishaps: Mishaps, numbers: np.ndarray, road: Road) -> None:
        """`numbers` (riders,) are those of the devices that they start with."""
        self._mishaps, self._numbers, self._road = mishaps, numbers, road
        riders = len(mishaps.spare)
        self._lag_s = np.zeros(riders)
        self._car_m, self._car_ms = np.full(riders, np.nan), np.zeros(riders)
        self._scripted: deque[np.ndarray] = deque(maxlen=REMEMBERED_S)
        self._ridden: deque[np.ndarray] = deque(maxlen=REMEMBERED_S)
        self._second = -1
        self.stands_at = np.full(riders, np.inf)
        """Where riders gave up, in official metres."""

    def step(self, second: int, scripted_m: np.ndarray) -> None:
        """The script has everyone at `scripted_m` (riders,) in this second, one after the one before."""
        self._second = second
        self._scripted.append(scripted_m.copy())
        self._lag_s = np.maximum(self._lag_s + self._lag_grows(second), 0.0)
        ridden_m = scripted_m.copy()
        for i in np.flatnonzero(self._lag_s > 0.0).tolist():
            ridden_m[i] = self._earlier(self._scripted, i, self._lag_s[i])
        gives_up = (second >= self._mishaps.abandons_at) & np.isinf(self.stands_at)
        self.stands_at[gives_up] = ridden_m[gives_up]
        self._ridden.append(np.minimum(ridden_m, self.stands_at))
        for i in np.flatnonzero(second >= self._mishaps.car_starts_at).tolist():
            self._drive(i)

    def distance(self) -> np.ndarray:
        """Official metres (riders,) of everyone now; of those who gave up, where that was."""
        return self._ridden[-1]

    def speed(self, scripted_ms: np.ndarray) -> np.ndarray:
        """m/s (riders,), where the script says `scripted_ms`."""
        before = self._ridden[-2] if len(self._ridden) > 1 else self._ridden[-1]
        elsewhere = (self._lag_s > 0.0) | np.isfinite(self.stands_at)
        return np.where(elsewhere, self._ridden[-1] - before, scripted_ms)

    def divert(self, readings: np.ndarray, riders: np.ndarray, fixed_at: np.ndarray) -> np.ndarray:
        """READINGs (n,) of the script, moved with their errors to where these riders were at those seconds."""
        ages = np.clip(self._second - fixed_at, 0, len(self._ridden) - 1)
        for k in np.flatnonzero(self._is_elsewhere(riders)):
            i, at = riders[k], len(self._ridden) - 1 - ages[k]
            there_m = self._ridden[at][i]
            if np.isfinite(self.stands_at[i]) and np.isfinite(self._car_m[i]):
                there_m = self._car_m[i]
            lat, lon = radio.place(self._scripted[at][i], self._road)
            new_lat, new_lon = radio.place(there_m, self._road)
            readings["lat"][k] += new_lat - lat
            readings["lon"][k] += new_lon - lon
        return readings

    def on_cars(self, seed: int, time_ms: int) -> np.ndarray:
        """READINGs (n,) of the bikes that cars carry, and of those that stand beside the road."""
        said = [
            (device, place_m)
            for i in np.flatnonzero(self._mishaps.spare)
            for device, place_m in self._beside(int(i))
            if not radio.is_lost(seed, device, self._second)
        ]
        readings = np.zeros(len(said), READING)
        for reading, (device, place_m) in zip(readings, said, strict=True):
            lat, lon = radio.place(place_m, self._road)
            north, east = radio.normal_pair(seed, device, self._second, 3)
            lat += radio.JITTER_M * north / METRES_PER_DEGREE
            lon += radio.JITTER_M * east / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
            reading["device"], reading["time_ms"] = device, time_ms
            reading["lat"], reading["lon"] = (
                np.rint(lat * radio.GRID) / radio.GRID,
                np.rint(lon * radio.GRID) / radio.GRID,
            )
        return readings

    def _is_elsewhere(self, riders: np.ndarray) -> np.ndarray:
        began = self._second >= np.minimum(self._mishaps.changes_at, self._mishaps.abandons_at)
        return began[riders]

    def _lag_grows(self, second: int) -> np.ndarray:
        """Seconds that riders lose in this second."""
        stops, rides = second - self._mishaps.changes_at, second - self._mishaps.rides_at
        chases = -self._mishaps.chases
        lost = np.where(stops < 0, 0.0, np.minimum((stops + 1) / BRAKES_S, 1.0))
        return np.where(rides < 0, lost, np.maximum(1.0 - (rides + 1) / STARTS_S, chases))

    def _earlier(self, places: deque[np.ndarray], i: int, by_s: float) -> float:
        last = len(places) - 1
        at = min(max(last - by_s, 0.0), last)
        before = int(at)
        after = min(before + 1, last)
        return float(places[before][i] + (at - before) * (places[after][i] - places[before][i]))

    def _beside(self, i: int) -> list[tuple[int, float]]:
        """(device, official metres) of the bikes of a rider's change that he does not ride."""
        mishaps, spare = self._mishaps, int(self._mishaps.spare[i])
        rides_for_s = self._second - mishaps.rides_at[i]
        stopped_m = self._earlier(self._ridden, i, min(max(rides_for_s, 0), REMEMBERED_S - 1.0))
        behind_m = min(self._earlier(self._ridden, i, CAR_BEHIND_S), stopped_m)
        car_m = self._car_m[i] if np.isfinite(self._car_m[i]) else behind_m
        on_roof = (spare - FIRST_SPARE + FIRST_ON_ROOF, car_m)
        if rides_for_s < 0:
            return [(spare, car_m), on_roof]
        old = int(self._numbers[i])
        match mishaps.fate[i]:
            case Fate.LEFT:
                return [(old, stopped_m), on_roof] if rides_for_s < WAITS_S else [on_roof]
            case Fate.SILENT:
                return [on_roof]
            case _:
                return [(old, car_m), on_roof]

    def _drive(self, i: int) -> None:
        """Moves the car of a rider by one second."""
        here_m = self._car_m[i]
        if np.isnan(here_m):
            stands = np.isfinite(self.stands_at[i])
            here_m = self.stands_at[i] if stands else self._earlier(self._ridden, i, CAR_BEHIND_S)
            waited_s = self._second - self._mishaps.rides_at[i]
            here_m = here_m if stands else self._earlier(self._ridden, i, float(waited_s))
        goal_m = self._goal_m(i)
        corner_ms = self._road.top_speed[min(max(int(here_m / self._road.step_m), 0), len(self._road.top_speed) - 1)]
        self._car_ms[i] = min(self._car_ms[i] + CAR_ACCELERATION, CAR_MS, corner_ms, max((goal_m - here_m) / 4.0, 0.0))
        self._car_m[i] = here_m + self._car_ms[i]

    def _goal_m(self, i: int) -> float:
        """Where the car wants to be."""
        now_m, mishaps = self._ridden[-1], self._mishaps
        racing = now_m[np.isinf(self.stands_at)]
        if mishaps.fate[i] == Fate.AHEAD:
            return float(racing.max()) + CAR_AHEAD_M
        if np.isfinite(self.stands_at[i]):
            return float(racing.min()) - BROOM_BEHIND_M if mishaps.fate[i] == Fate.BEHIND else float(self.stands_at[i])
        return float(now_m[i]) - BROOM_BEHIND_M
