"""How the field moves, second by second: groups share the wind, the road takes its toll, the bunch hunts the breakaway.

Everything here is compiled. A rider belongs to the bunch (escape 0) or to an escape; riders of one escape who are close
to each other on the road form a group, which has one pace. Who cannot hold the pace loses the wheel; who is caught
belongs to the bunch again.
"""

from typing import NamedTuple

import numpy as np

from tracking.compiled import compiled
from tracking.simulation.effort import drag_share, driven_speed, follow, spend

LINK_M = 25.0
"""Riders of one escape closer than this ride together."""
GATHERING_M = 400.0
"""Attackers who leave from different places in the bunch look for each other over this distance."""
SPACING_M = 0.8
CATCH_M = 8.0
SETTLED_S = 400.0
"""An escape younger than this cannot be caught yet: it is still leaving the bunch."""
BURST_S = 120.0
BURST_EFFORT = 1.15
"""Share of their power that attackers spend to get away."""
ROLL_OUT_M = 80.0
CLIMBING = 0.035
"""Gradient above which a group rides as on a climb."""
TYPICAL_SPEED = 11.5

GROUP = np.dtype(
    [
        ("head", "i8"),  # index of the foremost rider
        ("head_m", "f8"),
        ("size", "i8"),
        ("power", "f8"),  # W/kg, mean of its riders
        ("front_place", "f8"),  # foremost wandering place of its riders
        ("pace", "f8"),  # m/s for the next second
    ],
    align=True,
)


class Road(NamedTuple):
    """What the field needs of a course; arrays (n,) with a place every `step_m`."""

    gradient: np.ndarray
    top_speed: np.ndarray
    """m/s that the bends allow."""
    lat: np.ndarray
    lon: np.ndarray
    step_m: float
    length_m: float


class Plan(NamedTuple):
    """What the bunch means to do about the breakaway."""

    allowed_gap_s: float
    catch_share: float


@compiled
def sort_by_road(order, riders):
    """Brings `order` into road order, head first; nearly sorted already, so by insertion."""
    for i in range(1, len(order)):
        moving = order[i]
        j = i
        while j > 0 and riders[order[j - 1]].distance < riders[moving].distance:
            order[j] = order[j - 1]
            j -= 1
        order[j] = moving


@compiled
def form_groups(order, riders, group, attacks, second):
    """Writes each rider's group (head first, -1 for finished ones) and returns how many groups there are."""
    newest = np.full(16, -1)
    count = 0
    for i in order:
        if not np.isnan(riders[i].finished_at):
            group[i] = -1
            continue
        escape = riders[i].escape
        ahead = newest[escape]
        reach = LINK_M if is_settled(escape, attacks, second) else GATHERING_M
        if ahead >= 0 and riders[ahead].distance - riders[i].distance < reach:
            group[i] = group[ahead]
        else:
            group[i] = count
            count += 1
        newest[escape] = i
    return count


@compiled
def describe_groups(order, riders, group, groups, second):
    """Fills head, size, mean power and foremost wandering place of every group."""
    for g in range(len(groups)):
        groups[g].size = 0
        groups[g].power = 0.0
        groups[g].front_place = 1.0
    for i in order:
        if group[i] < 0:
            continue
        here = groups[group[i]]
        if here.size == 0:
            here.head = i
            here.head_m = riders[i].distance
        here.size += 1
        here.power += (riders[i].power - here.power) / here.size
        here.front_place = min(here.front_place, wandering_place(riders[i], second))


@compiled
def wandering_place(rider, second):
    """Where in the group a rider wants to be now: 0 at the front, 1 at the back; evenly spread, changing slowly."""
    turn = (second / rider.place_period + rider.place_phase) % 1.0
    return abs(2.0 * turn - 1.0)


@compiled
def main_group(riders, groups):
    """The largest group of the bunch, or -1."""
    main = -1
    for g in range(len(groups)):
        if riders[groups[g].head].escape == 0 and (main < 0 or groups[g].size > groups[main].size):
            main = g
    return main


@compiled
def start_attacks(riders, attacks, front_m, second):
    """Lets the riders of every attack whose place the main group has reached go."""
    for a in range(len(attacks)):
        if np.isnan(attacks[a].began_at) and front_m >= attacks[a].at_m:
            attacks[a].began_at = second
            for i in range(len(riders)):
                if riders[i].attack == a and riders[i].escape == 0 and not riders[i].cracked:
                    riders[i].escape = a + 1


@compiled
def wanted_gap(progress, allowed_s, catch_share):
    """Seconds that the bunch is ready to leave to the breakaway, over the share of the course that is done."""
    if progress < 0.25:
        return allowed_s * (0.4 + 0.6 * progress / 0.25)
    if progress < 0.5:
        return allowed_s
    return max(allowed_s * (catch_share - progress) / (catch_share - 0.5), 0.0)


@compiled
def bunch_effort(progress, gradient, gap_s, wanted_s):
    """Share of its power at which the main group rides."""
    worry = min(max((gap_s - wanted_s) / max(wanted_s, 60.0), -0.5), 1.0)
    effort = 0.68 + 0.20 * worry
    if gradient > CLIMBING:
        effort = max(effort, 0.76 + 0.20 * progress)
    if progress > 0.92:
        effort = max(effort, 0.88 + 1.2 * (progress - 0.92))
    return effort


@compiled
def group_effort(here, escape, attacks, main_m, progress, gradient, second):
    """Share of its mean power at which a group other than the main one rides."""
    if escape > 0:
        attack = attacks[escape - 1]
        return BURST_EFFORT if second - attack.began_at < BURST_S else attack.effort
    if here.head_m > main_m:
        return 0.98 if gradient > CLIMBING or progress > 0.85 else 0.72
    return 0.90 if main_m - here.head_m < 900.0 else 0.84


@compiled
def set_paces(groups, riders, attacks, road, plan, main, progress, second):
    """Decides the speed of every group's head for the next second."""
    main_m = groups[main].head_m if main >= 0 else road.length_m
    gap_s = (groups[0].head_m - main_m) / TYPICAL_SPEED
    wanted_s = wanted_gap(progress, plan.allowed_gap_s, plan.catch_share)
    for g in range(len(groups)):
        here = groups[g]
        cell = cell_of(here.head_m, road)
        gradient = road.gradient[cell]
        if g == main:
            effort = bunch_effort(progress, gradient, gap_s, wanted_s)
        else:
            effort = group_effort(here, riders[here.head].escape, attacks, main_m, progress, gradient, second)
        driven = driven_speed(riders[here.head].speed, effort * here.power, gradient, drag_share(here.size))
        here.pace = min(driven, road.top_speed[cell])


@compiled
def take_back(order, riders, attacks, second):
    """Escapees whom the bunch has reached belong to it again; a chase that reaches an escape joins it."""
    for k in range(len(order) - 1):
        a, b = order[k], order[k + 1]
        ahead, behind = riders[a], riders[b]
        if ahead.escape == behind.escape or ahead.distance - behind.distance > CATCH_M:
            continue
        if not (is_settled(ahead.escape, attacks, second) and is_settled(behind.escape, attacks, second)):
            continue
        escape = 0 if ahead.escape == 0 or behind.escape == 0 else ahead.escape
        riders[a].escape = escape
        riders[b].escape = escape


@compiled
def is_settled(escape, attacks, second):
    """Whether an escape is old enough to be caught."""
    return escape == 0 or second - attacks[escape - 1].began_at > SETTLED_S


@compiled
def roll_out(rider, length_m):
    """A rider beyond the line brakes to a stop."""
    room = length_m + ROLL_OUT_M - rider.distance
    rider.speed = min(rider.speed, max(room / 8.0, 0.0))
    rider.distance += rider.speed


@compiled
def ride_on(rider, speed, length_m, second):
    """Moves a rider by one second and notes the moment of crossing the finish."""
    rider.speed = speed
    if rider.distance + speed >= length_m:
        rider.finished_at = second + (length_m - rider.distance) / speed
    rider.distance += speed


@compiled
def cell_of(distance, road):
    """Index of the road's place at a distance, held to the road."""
    return min(max(int(distance / road.step_m), 0), len(road.gradient) - 1)


@compiled
def move_rider(rider, here, attacks, road, second):
    """One second of one rider of group `here`."""
    cell = cell_of(rider.distance, road)
    place_m = (wandering_place(rider, second) - here.front_place) * here.size * SPACING_M
    burst = rider.escape > 0 and second - attacks[rider.escape - 1].began_at < BURST_S
    target_m = here.head_m + here.pace - place_m
    speed, power = follow(rider, target_m, here.pace, road.gradient[cell], drag_share(here.size), burst)
    spend(rider, power)
    ride_on(rider, min(speed, road.top_speed[cell]), road.length_m, second)


@compiled
def step(second, riders, attacks, order, group, road, plan):
    """Moves the whole field from `second` to `second + 1`; `order` and `group` are scratch of its size."""
    sort_by_road(order, riders)
    groups = np.zeros(form_groups(order, riders, group, attacks, second), GROUP)
    describe_groups(order, riders, group, groups, second)
    main = main_group(riders, groups)
    progress = (groups[main].head_m if main >= 0 else road.length_m) / road.length_m
    if len(groups):
        set_paces(groups, riders, attacks, road, plan, main, progress, second)
    for i in order:
        if group[i] < 0:
            roll_out(riders[i], road.length_m)
        else:
            move_rider(riders[i], groups[group[i]], attacks, road, second)
    start_attacks(riders, attacks, progress * road.length_m, second)
    take_back(order, riders, attacks, second)
