"""Fits the model to cases: paces first, then the regressions on what the simulated endings say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracking.prediction import features
from tracking.prediction.baselines import fit_base_rate
from tracking.prediction.logistic import fit_choice, fit_logistic
from tracking.prediction.model import Model
from tracking.prediction.pace import (
    AHEAD,
    CLIMBING,
    DESCENTS,
    FINISH_KM,
    PELOTON,
    TO_GO_KM,
    Paces,
    descent_of,
    excess,
    finish_phase_of,
    phase_of,
)
from tracking.prediction.pursuit import Endings, lateness, pursue
from tracking.prediction.riding import DESCENDING
from tracking.prediction.study.cases import Case, Ride

CATCH_RIDGE = 10.0
"""With less of it the odds were overdone on stages that were held out."""
CHOICE_RIDGE = 1.0
CALIBRATION_RIDGE = 0.1
FEWEST_STEPS = 30
"""A kind of road that was ridden for fewer steps has the mean of a more general one."""
AHEAD_S = 1200
"""The spread of efforts is measured over so long from a case."""
PERCENTILES = (0.1, 0.5, 0.9)


Rides = tuple[Ride, Ride]
"""Of the breakaway and of the peloton of one stage."""


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """A case, and how it ended when it was simulated."""

    case: Case
    endings: Endings
    lateness: float
    """How late the race was."""
    catch: np.ndarray | None
    """Features of the catch; None where there is no breakaway."""


def simulate(cases: Sequence[Case], paces: Paces) -> list[Ended]:
    """Rides the endings of every case."""
    return [_ended(case, paces) for case in cases]


def _ended(case: Case, paces: Paces) -> Ended:
    endings = pursue(case.window, case.situation, paces, case.profile)
    late = lateness(case.window, case.situation, paces, case.profile)
    if case.catch is None:
        return Ended(case, endings, late, None)
    return Ended(case, endings, late, features.catch_features(case.window, case.situation, endings, case.profile))


def fit_model(name: str, paces: Paces, fitted: Sequence[Ended], held_out: Sequence[Ended]) -> Model:
    """The regressions on `fitted`, what calibrates them on `held_out`; the spread of the finish on both."""
    away = [ended for ended in fitted if ended.catch is not None]
    catch = fit_logistic(_features(away), _caught(away), CATCH_RIDGE, [feature.sign for feature in features.CATCH])
    calibrating = [ended for ended in held_out if ended.catch is not None]
    odds = catch.log_odds(_features(calibrating))[:, None]
    to_go_km = np.array([ended.case.to_go_km for ended in away])
    carry = _lateness_carry(fitted)
    return Model(
        name=name,
        paces=paces,
        catch=catch,
        calibration=fit_logistic(odds, _caught(calibrating), CALIBRATION_RIDGE, [1]),
        away=fit_choice(_choices(away, in_breakaway=True), CHOICE_RIDGE, len(features.AWAY)),
        behind=fit_choice(_choices(fitted, in_breakaway=False), CHOICE_RIDGE, len(features.BEHIND)),
        wins_uncaught=_wins(away, caught=False),
        wins_caught=_wins(away, caught=True),
        lateness_carry=carry,
        finish=_finish_percentiles([*fitted, *held_out], carry),
        base_rate=fit_base_rate(to_go_km, _caught(away)),
    )


def _features(ended: Sequence[Ended]) -> np.ndarray:
    return np.array([one.catch for one in ended], float)


def _caught(ended: Sequence[Ended]) -> np.ndarray:
    return np.array([one.case.catch is not None and one.case.catch.caught for one in ended])


def _choices(ended: Sequence[Ended], *, in_breakaway: bool) -> list[tuple[np.ndarray, int]]:
    """(features of the riders, row of the winner) where the winner was in the breakaway, or was not."""
    choices = []
    for one in ended:
        case = one.case
        riders, rows = (
            features.away_features(case.situation, case.to_go_km)
            if in_breakaway
            else features.behind_features(case.situation, one.endings, case.to_go_km)
        )
        where = np.flatnonzero(riders == case.winner)
        if len(where):
            choices.append((rows, int(where[0])))
    return choices


def _wins(away: Sequence[Ended], *, caught: bool) -> float:
    """Share of the stages won by the breakaway, where it was caught or where it was not."""
    won = [
        one.case.winner in one.case.situation.packs[0].riders
        for one, was in zip(away, _caught(away), strict=True)
        if was == caught
    ]
    return (sum(won) + 0.5) / (len(won) + 1)


def _lateness_carry(ended: Sequence[Ended]) -> float:
    """Slope of how late the rest of the race was over how late it was before, both as logarithms."""
    before = np.array([one.lateness for one in ended])
    after = np.array([np.log(one.case.finish_in_s / one.endings.finish_in_s[1]) for one in ended])
    spread = before - before.mean()
    return float(np.clip(spread @ after / max(spread @ spread, 1e-9), 0.0, 1.0))


def _finish_percentiles(ended: Sequence[Ended], carry: float) -> np.ndarray:
    """(phases, 3) of actual finishes, from the expected one in widths of the simulated spread."""
    simulated = np.array([one.endings.finish_in_s for one in ended])
    actual = np.array([one.case.finish_in_s for one in ended])
    expected = simulated[:, 1] * np.exp(carry * np.array([one.lateness for one in ended]))
    off = (actual - expected) / np.maximum(simulated[:, 2] - simulated[:, 0], 1e-3)
    phase = finish_phase_of(np.array([one.case.to_go_km * 1000 for one in ended]))
    phases = np.arange(len(FINISH_KM) + 1)
    return np.array(
        [np.quantile(off[phase == number] if (phase == number).any() else off, PERCENTILES) for number in phases]
    )


def fit_paces(rides: Sequence[Rides], cases: Sequence[tuple[Case, Rides]]) -> Paces:
    """The usual paces of all rides, and the spread around them after each case; `cases` with their stages' rides."""
    phases = len(TO_GO_KM) + 1
    level, descent = np.zeros((2, 2, phases)), np.zeros((2, len(DESCENTS) + 1))
    for kind in (AHEAD, PELOTON):
        of_kind = [pair[kind] for pair in rides]
        gradient, spent, speed, to_go_m = (
            np.concatenate([getattr(ride, name) for ride in of_kind])
            for name in ("gradient", "effort", "speed", "to_go_m")
        )
        down, phase = gradient < DESCENDING, phase_of(to_go_m)
        for climbing in (0, 1):
            terrain = ~down & ((gradient >= CLIMBING) == bool(climbing))
            for number in range(phases):
                here = terrain & (phase == number)
                level[kind, climbing, number] = _mean(spent, here, terrain, ~down)
        for number in range(len(DESCENTS) + 1):
            here = down & (descent_of(gradient) == number)
            descent[kind, number] = _mean(speed, here, down)
    zeros = np.zeros(2)
    return _with_spread(Paces(level, descent, zeros, zeros, zeros, 0.0), cases)


def _mean(values: np.ndarray, *choices: np.ndarray) -> float:
    """Mean over the first of the choices (masks) that was ridden long enough, or else over everything."""
    chosen = next((choice for choice in choices if choice.sum() >= FEWEST_STEPS), np.ones(len(values), bool))
    return float(values[chosen].mean())


def _with_spread(paces: Paces, cases: Sequence[tuple[Case, Rides]]) -> Paces:
    carry, lasting, passing = np.zeros(2), np.zeros(2), np.zeros(2)
    left_over: list[np.ndarray] = []
    for kind in (AHEAD, PELOTON):
        now, later, within = [], [], []
        for case, rides in cases:
            pack = case.situation.bunch if kind == PELOTON else case.situation.breakaway
            following = _following(rides[kind], case, paces) if pack is not None else np.zeros(0)
            known = len(following) > 1
            now.append(excess(case.window, pack.riders, kind, paces, case.profile) if known and pack else np.nan)
            later.append(following.mean() if known else np.nan)
            within.append(following.var(ddof=1) if known else np.nan)
        before, after = np.array(now), np.array(later)
        known = np.isfinite(before) & np.isfinite(after)
        carry[kind] = np.clip((before[known] @ after[known]) / max(before[known] @ before[known], 1e-9), 0.0, 1.0)
        rest = after - carry[kind] * before
        left_over.append(rest)
        lasting[kind] = rest[known].std()
        passing[kind] = np.sqrt(np.nanmean(within) / 2)  # two steps are about a kilometre
    both = np.isfinite(left_over[AHEAD]) & np.isfinite(left_over[PELOTON])
    together = float(np.corrcoef(left_over[AHEAD][both], left_over[PELOTON][both])[0, 1]) if both.sum() > 2 else 0.0
    return Paces(paces.level, paces.descent_ms, carry, lasting, passing, float(np.clip(together, 0.0, 0.95)))


def _following(ride: Ride, case: Case, paces: Paces) -> np.ndarray:
    """Excess efforts of the steps after a case, as long as there is something to catch."""
    until_s = case.window.now_s + AHEAD_S
    if case.catch is not None and case.catch.caught:
        until_s = min(until_s, case.catch.at_s)
    here = (ride.at_s >= case.window.now_s) & (ride.at_s < until_s) & (ride.gradient > DESCENDING)
    usual = paces.level[ride.kind, (ride.gradient >= CLIMBING).astype(int), phase_of(ride.to_go_m)]
    return (ride.effort - usual)[here]
