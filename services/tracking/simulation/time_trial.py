"""How a simulated time trial is ridden: everyone sets off at the own time, alone or in the line of a team.

A rider spends more than can be held for hours and spreads the reserve over the expected time, more of it uphill. A team
rides at the mean power of those in its line, who take turns at the front; its weakest lose the line on the way.
"""

import numpy as np

from tracking.compiled import compiled
from tracking.simulation.dynamics import Road, cell_of, ride_on, roll_out, wandering_place
from tracking.simulation.effort import drag_share, driven_speed
from tracking.simulation.radio import transmit

LINE_M = 2.0
"""From rider to rider in a team's line."""
POSTURE = 0.70
"""Share of the air drag of a road bike that is left on one for time trials."""
TYPICAL_SPEED = 13.5
WITHIN_AN_HOUR = 1.08
"""Power that can be held for less than an hour, by that for hours."""
SPENT = 0.8
"""Share of the reserve that is spent on the way."""
UPHILL = 1.5
"""Share of the power that is added for each unit of gradient ..."""
STEEP = 0.08
"""... up to this one, and taken away downhill."""
UNSTEADY = 0.015
FORM = 0.02
"""Standard deviation of a rider's day."""
LOSE_LINE = 3
"""Riders of a team who do not hold its line to the finish, at most."""
DROPPED_POWER = 0.92

TRIAL = np.dtype(
    [
        ("starts_at", "f8"),  # s after the start of the race
        ("unit", "i8"),  # index of the first of those who ride together
        ("power", "f8"),  # W/kg for this distance
        ("until_m", "f8"),  # holds the team's line up to here
    ],
    align=True,
)


def draw_trial(seed: int, riders: np.ndarray, offset_s: np.ndarray, unit: np.ndarray, road: Road) -> np.ndarray:
    """TRIAL (n,) of RIDER (n,), who are set on the start line; the same seed gives the same.

    `offset_s`, `unit` (n,) as those of `tracking.briefing.start_order.Starts`.
    """
    lot = np.random.default_rng([seed, 4])
    trial = np.zeros(len(riders), TRIAL)
    trial["starts_at"], trial["unit"] = offset_s, unit
    spread = SPENT * riders["full_reserve"] / (road.length_m / TYPICAL_SPEED)
    trial["power"] = riders["power"] * lot.normal(WITHIN_AN_HOUR, FORM, len(riders)) + spread
    trial["until_m"] = np.inf
    for first in np.unique(unit):
        weakest = np.flatnonzero(unit == first)
        weakest = weakest[np.argsort(trial["power"][weakest])][: min(lot.integers(0, LOSE_LINE + 1), len(weakest) - 1)]
        trial["until_m"][weakest] = lot.uniform(0.5, 1.0, len(weakest)) * road.length_m
    riders["distance"] = 0.0
    return trial


@compiled
def pass_second_of_trial(second, time_ms, seed, riders, trial, road, devices, sent, due, faults):
    """Moves all who have set off into `second` and lets the devices report; see `transmit`."""
    if second > 0:
        for first in range(len(riders)):
            if trial[first].unit == first:
                ride_together(second - 1, first, riders, trial, road)
    return transmit(second, time_ms, seed, riders, devices, road, sent, due, faults)


@compiled
def in_line(rider, trial, first, second):
    """Whether a rider of the unit that begins at `first` rides in its line."""
    if trial.unit != first or second < trial.starts_at or not np.isnan(rider.finished_at):
        return False
    return rider.distance < trial.until_m


@compiled
def ride_together(second, first, riders, trial, road):
    """One second of a unit: its line, those who have lost it, and those who are home."""
    size, power, head, front_place = 0, 0.0, first, 1.0
    for i in range(first, len(riders)):
        if in_line(riders[i], trial[i], first, second):
            if size == 0 or riders[i].distance > riders[head].distance:
                head = i
            size += 1
            power += (trial[i].power - power) / size
            front_place = min(front_place, wandering_place(riders[i], second))
    head_m, pace = riders[head].distance, speed_of(riders[head], power, drag_share(max(size, 1)), second, road)
    for i in range(first, len(riders)):
        rider = riders[i]
        if trial[i].unit != first or second < trial[i].starts_at:
            continue
        if not np.isnan(rider.finished_at):
            roll_out(rider, road.length_m)
        elif in_line(rider, trial[i], first, second):
            place_m = (wandering_place(rider, second) - front_place) * size * LINE_M
            wanted = head_m + pace - place_m - rider.distance
            ride_on(rider, min(max(wanted, pace - 2.0, 0.5), pace + 1.0), road.length_m, second)
        else:
            ride_on(rider, speed_of(rider, DROPPED_POWER * trial[i].power, 1.0, second, road), road.length_m, second)


@compiled
def speed_of(rider, power, drag, second, road):
    """Speed one second later of who rides at the front, at so many W/kg."""
    cell = cell_of(rider.distance, road)
    gradient = road.gradient[cell]
    unsteady = UNSTEADY * np.sin(2.0 * np.pi * (second / rider.place_period + rider.place_phase))
    spent = power * (1.0 + UPHILL * min(max(gradient, -STEEP), STEEP) + unsteady)
    return min(driven_speed(rider.speed, spent, gradient, POSTURE * drag), road.top_speed[cell])
