"""What a source of weather is asked, and what it answers."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tracking.course import Course

EVERY_M = 5000.0
ZERO_C = 273.15
DRY_AIR, VAPOUR = 287.058, 461.495
"""J/(kg K), gas constants."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places on the road, arrays (k,)."""

    lat: np.ndarray
    """WGS 84 degrees, as is the next."""
    lon: np.ndarray
    elevation: np.ndarray
    """Metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """The air at some places, arrays (k,); NaN for what is not known."""

    east_ms: np.ndarray
    """How the air moves towards the east at 10 m above the ground, m/s; a west wind is above 0."""
    north_ms: np.ndarray
    temperature_c: np.ndarray
    pressure_hpa: np.ndarray
    """At the place itself, not reduced to the sea."""
    humidity_pct: np.ndarray
    rain_mm_h: np.ndarray

    @property
    def density(self) -> np.ndarray:
        """kg/m³ (k,) of moist air, the vapour's pressure by the formula of Tetens; 50 % where humidity is not known."""
        humidity = np.where(np.isfinite(self.humidity_pct), self.humidity_pct, 50.0)
        saturated_hpa = 6.1078 * 10 ** (7.5 * self.temperature_c / (self.temperature_c + 237.3))
        vapour_hpa = humidity / 100 * saturated_hpa
        kelvin = self.temperature_c + ZERO_C
        return 100 * ((self.pressure_hpa - vapour_hpa) / DRY_AIR + vapour_hpa / VAPOUR) / kelvin


class Weather(Protocol):
    """A source of weather."""

    @property
    def source(self) -> str:
        """Whose it is, as it is shown beside the wind; says so where it is simulated."""

    def at(self, places: Places, time_ms: int) -> Conditions:
        """The air at these places at a moment, Unix milliseconds."""


def places_along(course: Course) -> Places:
    """Places spread evenly from start to finish, about every `EVERY_M`."""
    at = np.linspace(0, course.length_m, max(round(course.length_m / EVERY_M), 1) + 1)
    lat, lon, elevation = (
        np.interp(at, course.distance, column) for column in (course.lat, course.lon, course.elevation)
    )
    return Places(lat, lon, elevation)


def blowing(wind_ms: np.ndarray, from_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(towards east, towards north) in m/s of winds from a direction, degrees clockwise from north, as reported."""
    angle = np.radians(from_deg)
    return -wind_ms * np.sin(angle), -wind_ms * np.cos(angle)
