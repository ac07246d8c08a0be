"""Weather that never was: a day drawn by lot, smooth in time and space, for races that never were."""

import numpy as np

from tracking.weather.source import Conditions, Places

WAVES = 6
SHORTEST_S, LONGEST_S = 1500.0, 14_000.0
SHORTEST_KM, LONGEST_KM = 30.0, 200.0
DAY_S = 86_400.0
WARMEST_S = 15 * 3600.0
"""Of the day in UTC."""
COOLER_PER_M = 0.0065
THINNER_PER_M, PRESSURE_EXPONENT = 2.25577e-5, 5.2559
"""Of the standard atmosphere."""
KM_PER_DEGREE = 111.195


class SimulatedWeather:
    """The same seed gives the same day everywhere."""

    source = "simulated weather"

    def __init__(self, seed: int) -> None:
        lot = np.random.default_rng([seed, 2])
        speed, towards = lot.uniform(1.5, 7.0), lot.uniform(0, 2 * np.pi)
        self._wind = speed * np.sin(towards), speed * np.cos(towards)
        self._gusty = lot.uniform(0.2, 0.5) * speed
        self._mean_c, self._swing_c = lot.uniform(15, 26), lot.uniform(3, 7)
        self._sea_hpa = lot.uniform(1005, 1025)
        self._humidity, self._showers = lot.uniform(40, 75), lot.uniform(-2.5, 1.0)
        self._period_s = lot.uniform(SHORTEST_S, LONGEST_S, (4, WAVES))
        angle, length_km = lot.uniform(0, 2 * np.pi, (4, WAVES)), lot.uniform(SHORTEST_KM, LONGEST_KM, (4, WAVES))
        self._east, self._north = np.sin(angle) / length_km, np.cos(angle) / length_km
        self._phase = lot.uniform(0, 1, (4, WAVES))

    def at(self, places: Places, time_ms: int) -> Conditions:
        """The air at these places; all is known."""
        second = time_ms / 1000
        waves = [self._wave(number, places, second) for number in range(4)]
        temperature = self._mean_c + self._swing_c * np.cos(2 * np.pi * (second - WARMEST_S) / DAY_S) + waves[2]
        return Conditions(
            east_ms=self._wind[0] + self._gusty * waves[0],
            north_ms=self._wind[1] + self._gusty * waves[1],
            temperature_c=temperature - COOLER_PER_M * places.elevation,
            pressure_hpa=self._sea_hpa * (1 - THINNER_PER_M * places.elevation) ** PRESSURE_EXPONENT,
            humidity_pct=np.clip(self._humidity + 8 * waves[3], 10, 100),
            rain_mm_h=np.maximum(2 * (waves[3] + self._showers), 0.0),
        )

    def _wave(self, number: int, places: Places, second: float) -> np.ndarray:
        """A smooth field (k,) of mean 0 and variance 1 over all time."""
        east_km, north_km = KM_PER_DEGREE * np.cos(np.radians(46)) * places.lon, KM_PER_DEGREE * places.lat
        turns = np.multiply.outer(east_km, self._east[number]) + np.multiply.outer(north_km, self._north[number])
        turns += second / self._period_s[number] + self._phase[number]
        return np.sqrt(2 / WAVES) * np.cos(2 * np.pi * turns).sum(axis=1)
