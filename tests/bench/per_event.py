"""The peer of the tracking bench: the same task done the straightforward way, one reading after the other.

Nearest segment with numpy near the last known place, an alpha-beta filter, duplicates by a set, gaps as passage times
from a dictionary, groups in a loop. Less than the kernel does: no late readings, no lost riders, no faults but repeats.
"""

import numpy as np
from tracking.course import Course

REACH = 6
ALPHA, BETA = 0.5, 0.2


class PerEventTracker:
    """Rider states in dictionaries."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._seen: set[tuple[int, int]] = set()
        self._riders: dict[int, tuple[int, float, float]] = {}
        """device: (time_ms, distance, speed)"""
        self._passed: dict[int, int] = {}

    def ingest(self, readings: np.ndarray) -> None:
        """READINGs (n,), in order of time for each device."""
        for reading in readings:
            device, time_ms = int(reading["device"]), int(reading["time_ms"])
            if (device, time_ms) in self._seen:
                continue
            self._seen.add((device, time_ms))
            x, y = self._course.plane.project(reading["lat"], reading["lon"])
            self._riders[device] = self._follow(device, time_ms, float(x), float(y))

    def _follow(self, device: int, time_ms: int, x: float, y: float) -> tuple[int, float, float]:
        if device not in self._riders:
            return time_ms, self._nearest(x, y, 0, len(self._course.x) - 1), 0.0
        before_ms, distance, speed = self._riders[device]
        if time_ms < before_ms:
            return before_ms, distance, speed
        passed_s = (time_ms - before_ms) / 1000
        expected = distance + speed * passed_s
        last = len(self._course.x) - 1
        cell = min(max(int(expected / self._course.step_m), 0), last - 1)
        found = self._nearest(x, y, max(cell - REACH, 0), min(cell + REACH + 1, last))
        surprise = found - expected
        return time_ms, expected + ALPHA * surprise, speed + BETA * surprise / passed_s

    def _nearest(self, x: float, y: float, low: int, high: int) -> float:
        """Distance along the course of the nearest point between places `low` and `high`."""
        xs, ys = self._course.x[low : high + 1], self._course.y[low : high + 1]
        dx, dy = np.diff(xs), np.diff(ys)
        length2 = np.maximum(dx * dx + dy * dy, 1e-9)
        share = np.clip(((x - xs[:-1]) * dx + (y - ys[:-1]) * dy) / length2, 0, 1)
        off2 = (xs[:-1] + share * dx - x) ** 2 + (ys[:-1] + share * dy - y) ** 2
        best = int(off2.argmin())
        return float((low + best + share[best]) * self._course.step_m)

    def frame(self, clock_ms: int) -> list[dict[str, float]]:
        """A state for each known rider, in race order."""
        order = sorted(self._riders.items(), key=lambda item: -item[1][1])
        states, group = [], 1
        for position, (device, (time_ms, distance, speed)) in enumerate(order, 1):
            cell = int(distance / self._course.step_m)
            gap_s = (clock_ms - self._passed.setdefault(cell, clock_ms)) / 1000
            if states and states[-1]["distance"] - distance > 5 * max(speed, 3):
                group += 1
            gradient = self._course.gradient[min(cell, len(self._course.gradient) - 1)]
            states.append(
                {
                    "rider": device,
                    "seen_ms": time_ms,
                    "distance": distance,
                    "speed": speed,
                    "gap": gap_s,
                    "group": group,
                    "position": position,
                    "gradient": gradient,
                }
            )
        return states
