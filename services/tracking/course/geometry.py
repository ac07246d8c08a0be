"""Lengths and places on the earth, at the scale of a race: a sphere, and a flat map of some hundred kilometres."""

from dataclasses import dataclass

import numpy as np

EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = np.pi / 180 * EARTH_RADIUS_M
"""Of latitude, and of longitude at the equator."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A local flat map: metres east and north of an origin."""

    lat: float
    lon: float

    @property
    def metres_per_degree(self) -> tuple[float, float]:
        """(of longitude, of latitude) at the origin."""
        return float(METRES_PER_DEGREE * np.cos(np.radians(self.lat))), METRES_PER_DEGREE

    def project(self, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Degrees to (x east, y north) in metres, same shape."""
        east, north = self.metres_per_degree
        return (lon - self.lon) * east, (lat - self.lat) * north


def segment_lengths(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Metres between neighbouring points (n-1,), on a sphere; exact enough below some kilometres."""
    north = np.radians(np.diff(lat))
    east = np.radians(np.diff(lon)) * np.cos(np.radians((lat[1:] + lat[:-1]) / 2))
    return EARTH_RADIUS_M * np.hypot(north, east)


def along_trace(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Metres from the first point to each one (n,), as the trace measures."""
    return np.concatenate(([0.0], np.cumsum(segment_lengths(lon, lat))))
