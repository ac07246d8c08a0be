"""One second of a simulated race as a single compiled call."""

from tracking.compiled import compiled
from tracking.simulation.dynamics import step
from tracking.simulation.radio import transmit


@compiled
def pass_second(second, time_ms, seed, riders, attacks, order, group, road, plan, devices, sent, due, faults):
    """Moves the field into `second` (it stands still before the start) and lets the devices report; see `transmit`."""
    if second > 0:
        step(second - 1, riders, attacks, order, group, road, plan)
    return transmit(second, time_ms, seed, riders, devices, road, sent, due, faults)
