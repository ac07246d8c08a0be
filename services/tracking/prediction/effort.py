"""What a group's speed costs its riders, and what speed their effort is worth: watts for each kilogram moved."""

import numpy as np

from tracking.compiled import compiled

GRAVITY = 9.81
ROLLING = 0.004
AIR = 0.18 / 78.0
"""Of half the air's density times a rider's drag area (kg/m), for each kilogram of rider and bicycle."""
SHELTERED, ALONE = 0.6, 0.4
"""In a large group the air costs `SHELTERED` of what it costs a lone rider; the rest is shared by those who lead."""
SLOWEST, FASTEST = 1.5, 25.0
"""m/s."""


@compiled
def air_share(size):
    """Share of a lone rider's air drag that each of `size` riders who take turns has to overcome."""
    return SHELTERED + ALONE / size


def effort(speed: np.ndarray, gradient: np.ndarray, size: float) -> np.ndarray:
    """W/kg that a group of this size spends at these speeds (m/s) on these gradients; below 0 where it brakes."""
    return speed * (GRAVITY * (gradient + ROLLING) + AIR * air_share(size) * speed * speed)


@compiled
def steady_speed(power, gradient, share):
    """m/s that `power` W/kg holds on a gradient, with `share` of a lone rider's air; at most `FASTEST`."""
    slope = GRAVITY * (gradient + ROLLING)
    air = AIR * share
    speed = 14.0
    for _ in range(6):
        spent = speed * (slope + air * speed * speed)
        rise = slope + 3.0 * air * speed * speed
        if rise <= 1e-3:
            return FASTEST
        speed = max(speed - (spent - power) / rise, SLOWEST)
    return min(speed, FASTEST)
