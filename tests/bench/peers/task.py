"""The small task, in the parts that the peers share. Needs nothing but numpy: it runs in their environment too."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

REACH = 6
"""Segments on either side of the expected place that a rider is looked for on."""
ALPHA, BETA = 0.5, 0.2

FRAME = np.dtype(
    [
        ("clock_ms", "i8"),
        ("rider", "i8"),
        ("time_ms", "i8"),  # of the reading that the rest is told by
        ("distance_m", "f8"),
        ("speed_ms", "f8"),
        ("gap_s", "f8"),
    ]
)
"""One rider in one second."""


class Known(NamedTuple):
    """What is known of a rider after a reading."""

    time_ms: int
    distance_m: float
    speed_ms: float


class Event(NamedTuple):
    """A reading, and the second in which it came in."""

    clock_ms: int
    device: int
    time_ms: int
    lat: float
    lon: float


@dataclass(frozen=True)
class Road:
    """A course as flat arrays (n,) with a place every `step_m`."""

    x: np.ndarray
    y: np.ndarray
    step_m: float
    origin: tuple[float, float]
    """(lat, lon)"""
    per_degree: tuple[float, float]
    """Metres (of longitude, of latitude)."""

    def project(self, lat: np.ndarray | float, lon: np.ndarray | float) -> tuple:
        """Degrees to metres on the plane of x and y."""
        return (lon - self.origin[1]) * self.per_degree[0], (lat - self.origin[0]) * self.per_degree[1]


@dataclass(frozen=True)
class Work:
    """What every peer gets. Arrays (m,) in order of arrival."""

    road: Road
    clock_ms: np.ndarray
    device: np.ndarray
    time_ms: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    known: Mapping[int, Known]
    """Where everyone is at the beginning, by device."""

    def events(self) -> Iterator[Event]:
        """One after the other, as plain numbers."""
        columns = (self.clock_ms, self.device, self.time_ms, self.lat, self.lon)
        yield from map(Event, *(column.tolist() for column in columns))

    def seconds(self) -> Iterator[tuple[int, slice]]:
        """(clock, which readings came in) for each second that has any."""
        clocks, first = np.unique(self.clock_ms, return_index=True)
        ends = [*first[1:].tolist(), len(self.clock_ms)]
        for clock, begin, end in zip(clocks.tolist(), first.tolist(), ends, strict=True):
            yield clock, slice(begin, end)

    def first(self, seconds: int) -> "Work":
        """The same for the first seconds only."""
        some = self.clock_ms < self.clock_ms[0] + seconds * 1000
        columns = (self.clock_ms, self.device, self.time_ms, self.lat, self.lon)
        return Work(self.road, *(column[some] for column in columns), known=self.known)

    def save(self, path: Path) -> None:
        """Writes it as .npz."""
        known = np.array([(device, *known) for device, known in self.known.items()])
        scalars = np.array([self.road.step_m, *self.road.origin, *self.road.per_degree])
        np.savez(
            path,
            x=self.road.x,
            y=self.road.y,
            scalars=scalars,
            known=known,
            clock_ms=self.clock_ms,
            device=self.device,
            time_ms=self.time_ms,
            lat=self.lat,
            lon=self.lon,
        )

    @classmethod
    def load(cls, path: Path) -> "Work":
        """Work that `save` wrote."""
        with np.load(path) as saved:
            step_m, lat, lon, east, north = saved["scalars"].tolist()
            road = Road(saved["x"], saved["y"], step_m, (lat, lon), (east, north))
            known = {int(d): Known(int(t), m, v) for d, t, m, v in saved["known"].tolist()}
            columns = (saved[name] for name in ("clock_ms", "device", "time_ms", "lat", "lon"))
            return cls(road, *columns, known=known)


class Follower:
    """One reading after the other: nearest segment with numpy near the expected place, then an alpha-beta filter."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._last = len(road.x) - 1

    def follow(self, known: Known | None, time_ms: int, lat: float, lon: float) -> Known:
        """What is known of a rider after a reading; readings that are not newer change nothing."""
        x, y = self._road.project(lat, lon)
        if known is None:
            return Known(time_ms, self._nearest(x, y, 0, self._last), 0.0)
        if time_ms <= known.time_ms:
            return known
        passed_s = (time_ms - known.time_ms) / 1000
        expected = known.distance_m + known.speed_ms * passed_s
        cell = min(max(int(expected / self._road.step_m), 0), self._last - 1)
        found = self._nearest(x, y, max(cell - REACH, 0), min(cell + REACH + 1, self._last))
        surprise = found - expected
        return Known(time_ms, expected + ALPHA * surprise, known.speed_ms + BETA * surprise / passed_s)

    def _nearest(self, x: float, y: float, low: int, high: int) -> float:
        """Distance along the course of the nearest point between places `low` and `high`."""
        xs, ys = self._road.x[low : high + 1], self._road.y[low : high + 1]
        dx, dy = np.diff(xs), np.diff(ys)
        length2 = np.maximum(dx * dx + dy * dy, 1e-9)
        share = np.clip(((x - xs[:-1]) * dx + (y - ys[:-1]) * dy) / length2, 0, 1)
        off2 = (xs[:-1] + share * dx - x) ** 2 + (ys[:-1] + share * dy - y) ** 2
        best = int(off2.argmin())
        return float((low + best + share[best]) * self._road.step_m)


class Standings:
    """One second after the other: everyone's passage time behind the first."""

    def __init__(self) -> None:
        self._head_m: list[float] = []
        self._head_ms: list[int] = []

    def frame(self, clock_ms: int, riders: Iterable[tuple[int, Known]]) -> np.ndarray:
        """FRAME (riders,)."""
        rows = [(clock_ms, rider, *known, 0.0) for rider, known in riders]
        frame = np.array(rows, FRAME)
        head_m = float(frame["distance_m"].max())
        if not self._head_m or head_m > self._head_m[-1]:
            self._head_m.append(head_m)
            self._head_ms.append(clock_ms)
        passed_ms = np.interp(frame["distance_m"], self._head_m, self._head_ms)
        frame["gap_s"] = np.maximum(clock_ms - passed_ms, 0) / 1000
        return frame
