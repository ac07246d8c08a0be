"""A course as the simulated field meets it: how steep, and how fast the bends let it go."""

import numpy as np

from tracking.course import Course
from tracking.simulation.dynamics import Road

SIDEWAYS_G = 4.5
"""m/s² of sideways acceleration that riders dare in a bend."""
BRAKING = 2.5
FASTEST = 25.0
STEEPEST = 0.18
"""Beyond this the elevation model is wrong (bridges, tunnels), not the road."""
BEND_REACH_M = 15.0


def build_road(course: Course) -> Road:
    """The road of a course."""
    return Road(
        gradient=np.clip(course.gradient, -STEEPEST, STEEPEST),
        top_speed=_top_speed(course),
        lat=course.lat,
        lon=course.lon,
        step_m=course.step_m,
        length_m=course.length_m,
    )


def _top_speed(course: Course) -> np.ndarray:
    """m/s at each place (n,), with the braking before a bend."""
    reach = round(BEND_REACH_M / course.step_m)
    heading = np.unwrap(np.arctan2(np.gradient(course.y), np.gradient(course.x)))
    turn = np.zeros_like(heading)
    turn[reach:-reach] = np.abs(heading[2 * reach :] - heading[: -2 * reach]) / (2 * reach * course.step_m)
    speed = np.clip(np.sqrt(SIDEWAYS_G / np.maximum(turn, 1e-6)), 4.0, FASTEST)
    for i in range(len(speed) - 2, -1, -1):
        speed[i] = min(speed[i], np.sqrt(speed[i + 1] ** 2 + 2 * BRAKING * course.step_m))
    return speed
