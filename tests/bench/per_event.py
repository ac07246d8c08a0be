"""The peer of the tracking bench: the same task done the straightforward way, one reading after the other.

Nearest segment with numpy near the last known place, an alpha-beta filter, duplicates by a set, gaps as passage times
from a dictionary, groups in a loop. Less than the kernel does: no late readings, no lost riders, no faults but repeats.
"""

import numpy as np
from tracking.course import Course

from tests.bench.peers.task import Follower, Known, Road


def flat_road(course: Course) -> Road:
    """The course as the peers get it."""
    origin = course.plane.lat, course.plane.lon
    return Road(course.x, course.y, course.step_m, origin, course.plane.metres_per_degree)


class PerEventTracker:
    """Rider states in dictionaries."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._follower = Follower(flat_road(course))
        self._seen: set[tuple[int, int]] = set()
        self._riders: dict[int, Known] = {}
        """By device."""
        self._passed: dict[int, int] = {}

    def ingest(self, readings: np.ndarray) -> None:
        """READINGs (n,), in order of time for each device."""
        for reading in readings:
            device, time_ms = int(reading["device"]), int(reading["time_ms"])
            if (device, time_ms) in self._seen:
                continue
            self._seen.add((device, time_ms))
            known = self._riders.get(device)
            self._riders[device] = self._follower.follow(known, time_ms, reading["lat"], reading["lon"])

    def frame(self, clock_ms: int) -> list[dict[str, float]]:
        """A state for each known rider, in race order."""
        order = sorted(self._riders.items(), key=lambda item: -item[1].distance_m)
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
