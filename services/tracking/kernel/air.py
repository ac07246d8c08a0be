"""The air over the road: how the wind meets a rider, and how dense the air is.

Wind is known at places spread evenly from start to finish, and interpolated between them.
"""

import numpy as np

from tracking.compiled import compiled

AIR = np.dtype(
    [
        ("east", "f8"),  # m/s that the air moves towards the east, NaN where the weather is not known
        ("north", "f8"),
        ("density", "f8"),  # kg/m³
    ],
    align=True,
)
"""The air at one place."""

AIR_EVERY_M = 1000.0
SEA_LEVEL_DENSITY = 1.225
"""kg/m³, of the standard atmosphere of ISO 2533 (15 °C), as are the next two."""
LAPSE_PER_M = 2.25577e-5
DENSITY_EXPONENT = 4.2559


def standard_density(elevation: np.ndarray) -> np.ndarray:
    """kg/m³ at elevations in metres, same shape, on a day of the standard atmosphere."""
    return SEA_LEVEL_DENSITY * (1 - LAPSE_PER_M * elevation) ** DENSITY_EXPONENT


def unknown_air(length_m: float, distance: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """AIR over a profile (n,), (n,): no wind is known, the density is that of the standard atmosphere."""
    air = np.zeros(max(round(length_m / AIR_EVERY_M), 1) + 1, AIR)
    air["east"] = air["north"] = np.nan
    air["density"] = standard_density(np.interp(np.linspace(0, length_m, len(air)), distance, elevation))
    return air


@compiled
def air_at(distance, air, air_per_m):
    """(east m/s, north m/s, kg/m³) at a distance; NaN as far as the weather is not known."""
    at = distance * air_per_m
    place = min(int(at), len(air) - 2)
    share = at - place
    here, there = air[place], air[place + 1]
    return (
        here.east + share * (there.east - here.east),
        here.north + share * (there.north - here.north),
        here.density + share * (there.density - here.density),
    )


@compiled
def wind_on(here, east, north):
    """(against, from the left) in m/s, of a wind on a rider at this VIEW."""
    return -(east * here.east + north * here.north), east * here.north - north * here.east
