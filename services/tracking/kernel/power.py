"""What a rider's power must be: an estimate from how fast the rider goes, where, and behind how many others.

The sum is the usual one of road cycling: rolling, gravity, air and change of speed, over what the drive loses. It
agrees with power meters where its constants are the rider's own. Here they are a typical professional's, so of one
rider it may be wrong by a fifth, and it must be called an estimate wherever it is shown. Braking is not seen: where the
sum is below 0, the rider is said to spend nothing.
"""

import numpy as np

from tracking.compiled import compiled

LOADED_KG = 78.0
"""A rider of 70 kg on the lightest bike that the rules of road racing allow (6.8 kg), with clothes and bottles."""
ROLLING = 0.004
"""Of racing tyres on good asphalt, between the 0.003 of smooth and the 0.005 of rough roads."""
DRAG_AREA_M2 = 0.32
"""Of one rider in racing position on the drops, as wind tunnels find it: 0.30 to 0.35."""
DRIVE = 0.975
"""Share of the power that reaches the road; a clean chain loses two to three hundredths."""
NEAR_GROUND = 0.6
"""Share of the wind at a station's height of 10 m that is left at a rider's: the logarithmic profile over open land."""
LEADING = 0.96
"""Share of a lone rider's drag that is left to the first of a group: the one behind pushes a little."""
BEHIND = (0.70, 0.60, 0.50)
"""The same in the second row, the third, and all further ones. Wind tunnels find less in a dense, still peloton (down
to 0.1); riders of a moving one say that they save about half."""
ABREAST_EVERY = 12
"""With each further so many riders, a group rides one more abreast, up to `WIDEST`."""
WIDEST = 8
SMOOTHED_OVER_S = 10.0
LARGEST_W = 2000.0
"""No rider does more: beyond it the speed is wrong."""


@compiled
def abreast(size):
    """How many riders of a group of `size` ride side by side."""
    return min(1 + size // ABREAST_EVERY, WIDEST)


@compiled
def drag_left(row, size):
    """Share of a lone rider's air drag in a row (from 0) of a group of `size`."""
    if row == 0:
        return LEADING if size > 1 else 1.0
    return BEHIND[min(row, len(BEHIND)) - 1]


@compiled
def power(speed, acceleration, gradient, head_wind, cross_wind, density, drag):
    """Watts at the pedals, below 0 of one who brakes; a wind of NaN is no wind."""
    if np.isnan(head_wind):
        head_wind = cross_wind = 0.0
    along, across = speed + NEAR_GROUND * head_wind, NEAR_GROUND * cross_wind
    air_n = 0.5 * density * DRAG_AREA_M2 * drag * along * np.sqrt(along * along + across * across)
    road_n = LOADED_KG * (9.81 * (gradient + ROLLING) + acceleration)
    return min(max(speed * (air_n + road_n) * (1.0 / DRIVE), -LARGEST_W), LARGEST_W)
