"""What a rider's power is worth on the road, and what it costs the rider: watts, air, weight and the reserve."""

from tracking.compiled import compiled

MASS_KG = 70.0
LOADED_KG = 78.0
WEIGHT_N = LOADED_KG * 9.81
ROLLING = 0.004
DRAG = 0.5 * 1.15 * 0.30
CRACKED_UNTIL = 0.35
"""Share of the reserve that must be back before a cracked rider can follow again."""


@compiled
def drag_share(size):
    """Share of a lone rider's air drag that each of `size` riders taking turns has to overcome."""
    return 0.58 + 0.42 / min(size, 12)


@compiled
def resistance(speed, gradient, drag):
    """Newtons against a rider."""
    return WEIGHT_N * (gradient + ROLLING) + DRAG * drag * speed * speed


@compiled
def driven_speed(speed, power, gradient, drag):
    """Speed one second later, at `power` W/kg."""
    held = max(speed, 2.0)
    push = power * MASS_KG / held - resistance(held, gradient, drag)
    return min(max(speed + min(push / LOADED_KG, 1.0), 1.5), 27.0)


@compiled
def follow(rider, target_m, pace, gradient, drag, burst):
    """Speed and power (m/s, W/kg) of a rider who wants to be at `target_m` in one second."""
    wanted = min(max(target_m - rider.distance, pace - 2.0), pace + 2.5)
    wanted = max(wanted, 1.0)
    limit = rider.power * (0.86 if rider.cracked else 1.75 if burst else 1.45)
    power = max(wanted * resistance(wanted, gradient, drag) / MASS_KG, 0.0)
    if power > limit:
        return min(wanted, driven_speed(rider.speed, limit, gradient, drag)), limit
    return wanted, power


@compiled
def spend(rider, power):
    """Draws on the reserve above the power that can be held, and refills it below."""
    over = power - rider.power
    rider.reserve = min(rider.reserve - (over if over > 0 else 0.5 * over), rider.full_reserve)
    if rider.reserve <= 0.0:
        rider.reserve = 0.0
        rider.cracked = True
    elif rider.reserve > CRACKED_UNTIL * rider.full_reserve:
        rider.cracked = False
