"""How warm the air is along the road."""

from dataclasses import dataclass

import numpy as np

from tracking.course import Course
from tracking.weather.source import Weather, places_along

EVERY_MS = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Temperature:
    """Of the air over the road at one moment."""

    at_m: np.ndarray
    """Places by their distance from the start, (k,), ascending."""
    celsius: np.ndarray
    """(k,); NaN for what is not known."""

    def over(self, distance_m: np.ndarray) -> np.ndarray:
        """°C at distances from the start in metres, same shape."""
        return np.interp(distance_m, self.at_m, self.celsius)


class TemperatureAlong:
    """The temperature over one road, as its weather's source says it once a minute."""

    def __init__(self, course: Course, weather: Weather) -> None:
        self._weather = weather
        self._places = places_along(course)
        self._at_m = np.linspace(0, course.length_m, len(self._places.lat))
        self._minute = -1
        self._newest = Temperature(self._at_m, np.full(len(self._at_m), np.nan))

    def at(self, time_ms: int) -> Temperature:
        """In the minute of that moment, Unix milliseconds."""
        minute = time_ms // EVERY_MS
        if minute != self._minute:
            celsius = self._weather.at(self._places, minute * EVERY_MS).temperature_c
            self._newest, self._minute = Temperature(self._at_m, celsius), minute
        return self._newest
