"""Who can do what and who attacks where: all that is drawn by lot before a simulated race begins."""

from dataclasses import dataclass

import numpy as np

from tracking.briefing.riders import start_list

LET_GO_SHARE = 0.4
"""Share of the races in which the bunch lets a good breakaway go: it may then survive to a summit too."""

RIDER = np.dtype(
    [
        ("distance", "f8"),  # official metres; below 0 behind the start line, above the length beyond the finish
        ("speed", "f8"),  # m/s
        ("power", "f8"),  # W/kg that can be held for hours
        ("reserve", "f8"),  # J/kg left above that
        ("full_reserve", "f8"),
        ("cracked", "b1"),  # the reserve was emptied and has not come back yet
        ("attack", "i8"),  # index of the planned attack this rider joins, or -1
        ("escape", "i8"),  # 0 in the bunch, otherwise 1 + index of the attack that carried the rider away
        ("place_period", "f8"),  # s in which the rider wanders through the group and back
        ("place_phase", "f8"),  # 0..1
        ("finished_at", "f8"),  # s after the start, NaN while racing
    ],
    align=True,
)

ATTACK = np.dtype(
    [
        ("at_m", "f8"),  # the attack starts when the head of the main group is here
        ("effort", "f8"),  # share of their power that its riders hold once they are away
        ("began_at", "f8"),  # s after the start, NaN before
    ],
    align=True,
)


@dataclass(frozen=True)
class Script:
    """The cast and the plan of one race."""

    riders: np.ndarray
    """RIDER (198,), in start-list order, lined up behind the start."""
    attacks: np.ndarray
    """ATTACK (k,), in road order."""
    allowed_gap_s: float
    """How far the bunch lets the breakaway go."""
    catch_share: float
    """Share of the course at which the bunch wants the breakaway back; above 1 it comes too late."""


def draw_script(seed: int, length_m: float) -> Script:
    """The same seed and length give the same script."""
    lot = np.random.default_rng([seed, 1])
    riders = _draw_riders(lot, len(start_list()))
    plan = (  # share of the course, riders, effort
        (lot.uniform(0.02, 0.06), lot.integers(4, 9), 0.84),
        (lot.uniform(0.07, 0.10), lot.integers(3, 7), 0.87),
        (lot.uniform(0.45, 0.60), lot.integers(3, 6), 0.90),
        (lot.uniform(0.84, 0.90), lot.integers(2, 4), 0.97),
    )
    attacks = np.zeros(len(plan), ATTACK)
    willing = lot.permutation(np.flatnonzero(riders["power"] > np.median(riders["power"])))
    taken = 0
    for index, (share, size, effort) in enumerate(plan):
        attacks[index] = (share * length_m, effort, np.nan)
        riders["attack"][willing[taken : taken + size]] = index
        taken += int(size)
    allowed_gap_s, catch_share = lot.uniform(150, 330), lot.choice([0.88, 0.93, 0.96, 1.05])
    mood = np.random.default_rng([seed, 3])
    if mood.uniform() < LET_GO_SHARE:
        allowed_gap_s, catch_share = mood.uniform(360, 900), mood.choice([0.96, 1.05, 1.2])
        attacks["effort"][:2] += mood.uniform(0.0, 0.05)
    return Script(riders=riders, attacks=attacks, allowed_gap_s=float(allowed_gap_s), catch_share=float(catch_share))


def _draw_riders(lot: np.random.Generator, count: int) -> np.ndarray:
    riders = np.zeros(count, RIDER)
    riders["distance"] = -0.8 * lot.permutation(count)
    riders["power"] = np.clip(lot.normal(4.95, 0.38, count), 4.35, 6.1)
    riders["full_reserve"] = riders["reserve"] = lot.uniform(180, 320, count)
    riders["attack"] = -1
    riders["place_period"] = lot.uniform(240, 1500, count)
    riders["place_phase"] = lot.uniform(0, 1, count)
    riders["finished_at"] = np.nan
    return riders
