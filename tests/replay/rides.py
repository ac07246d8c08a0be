"""Recordings whose truth is known, with noise and faults of their own: nothing here comes from the simulated radio."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from tracking.course import Course

METRES_PER_DEGREE = 111_195.0
START_MS = 1_499_596_500_000


@dataclass(frozen=True)
class Ride:
    """A made-up race: `distance[t, i]` official metres of rider i, t seconds after `first_ms`."""

    first_ms: int
    start_ms: int
    distance: np.ndarray

    def at(self, time_ms: np.ndarray) -> np.ndarray:
        """Rows of `distance` at whole seconds."""
        return self.distance[((time_ms - self.first_ms) // 1000).astype(int)]

    def passage_gap(self, length_m: float) -> np.ndarray:
        """Seconds since the first rider passed each rider's place, (t, i)."""
        head = np.maximum.accumulate(self.distance.max(axis=1))
        seconds = np.arange(len(head), dtype=float)
        rising = np.concatenate(([True], np.diff(head) > 0))
        passed = np.interp(np.minimum(self.distance, length_m), head[rising], seconds[rising])
        return seconds[:, None] - passed


def race(course: Course, seconds: int, riders: int, seed: int, from_m: float = 0.0, lead_in_s: int = 60) -> Ride:
    """Groups that ride off the start, at a pace that the road's gradient decides, and drift apart."""
    lot = np.random.default_rng([seed, 7])
    strength = np.repeat(lot.normal(1.0, 0.02, -(-riders // 20)), 20)[:riders] + lot.normal(0, 0.001, riders)
    here = from_m - lot.permutation(riders) * 1.0
    distance = np.zeros((seconds, riders))
    for t in range(seconds):
        if t >= lead_in_s:
            slope = np.interp(here, course.distance, course.gradient)
            here = here + np.clip(12.0 - 110.0 * slope, 3.5, 21.0) * strength * min((t - lead_in_s) / 20, 1.0)
        distance[t] = here
    return Ride(START_MS - lead_in_s * 1000, START_MS, distance)


def record(course: Course, ride: Ride, seed: int, every_s: int = 1, faults: bool = True) -> pa.Table:
    """What a recorder wrote down: drifting positions with all the faults of real recordings, shuffled."""
    lot = np.random.default_rng([seed, 8])
    seconds, riders = ride.distance.shape
    phase = lot.integers(0, every_s, riders)
    t, i = np.nonzero((np.arange(seconds)[:, None] + phase) % every_s == 0)
    true = ride.distance[t, i]
    lat = np.interp(true, course.distance, course.lat)
    lon = np.interp(true, course.distance, course.lon)
    drift = _drift(lot, seconds, riders)
    north, east = drift[:, t, i] + lot.normal(0, 2.0, (2, len(t)))
    lat = np.round(lat + north / METRES_PER_DEGREE, 6)
    lon = np.round(lon + east / METRES_PER_DEGREE / np.cos(np.radians(lat)), 6)
    keep = np.ones(len(t), bool)
    if faults:
        depot = (i < riders * 4 // 5) & (t < (ride.start_ms - ride.first_ms) // 1000)
        lat[depot], lon[depot] = course.lat[0], course.lon[0]
        wild = lot.random(len(t)) < 0.002
        lat[wild] += lot.normal(0, 0.2, wild.sum())
        absurd = lot.random(len(t)) < 0.0005
        lat[absurd], lon[absurd] = 512.0, -999.0
        lat[lot.random(len(t)) < 0.001] = np.nan
        begins = lot.integers(0, seconds, riders)
        keep &= ~((t >= begins[i]) & (t < begins[i] + 36))
        keep &= ~((i == 3) & (t > seconds // 3) & (t < seconds // 3 + 2040))
    order = lot.permutation(np.flatnonzero(keep))
    order = np.concatenate((order, order[: len(order) // 200])) if faults else order
    columns = {"rider": i[order] + 1, "time_ms": ride.first_ms + t[order] * 1000, "lat": lat[order], "lon": lon[order]}
    return pa.table(columns)


def _drift(lot: np.random.Generator, seconds: int, riders: int) -> np.ndarray:
    """Slow errors of 2 m, (2, seconds, riders)."""
    drift = lot.normal(0, 2.0, (2, seconds, riders))
    for t in range(1, seconds):
        drift[:, t] = 0.97 * drift[:, t - 1] + np.sqrt(1 - 0.97**2) * drift[:, t]
    return drift
