"""Fits the model to cases: paces first, then the regressions on what the simulated endings say.

What calibrates it comes from courses that were left out in turn: on the course of the day nobody has measured the
simulated field, let alone a real one, so how wrong forecasts are at home says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracking.prediction import features
from tracking.prediction.baselines import fit_base_rate
from tracking.prediction.forecast import concluded, sharpened
from tracking.prediction.logistic import Logistic, fit_choice, fit_logistic
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
AS_FITTED = Logistic(0.0, np.ones(1))
POWERS = np.linspace(0.5, 1.3, 17)
STUDENT_90 = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
"""The 90th percentile of Student's distribution with 1, 2, … degrees of freedom: few courses tell little."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """Cases of a course, ended and forecast by a model that was fitted to other courses only."""

    ended: Sequence[Ended]
    model: Model


def simulate(cases: Sequence[Case], paces: Paces) -> list[Ended]:
    """Rides the endings of every case."""
    return [_ended(case, paces) for case in cases]


def _ended(case: Case, paces: Paces) -> Ended:
    endings = pursue(case.window, case.situation, paces, case.profile)
    late = lateness(case.window, case.situation, paces, case.profile)
    if case.catch is None:
        return Ended(case, endings, late, None)
    return Ended(case, endings, late, features.catch_features(case.window, case.situation, endings, case.profile))


def fit_model(paces: Paces, fitted: Sequence[Ended]) -> Model:
    """The regressions on `fitted`, without a name and not calibrated."""
    away = [ended for ended in fitted if ended.catch is not None]
    to_go_km = np.array([ended.case.to_go_km for ended in away])
    return Model(
        name="",
        paces=paces,
        catch=fit_logistic(_features(away), _caught(away), CATCH_RIDGE, [feature.sign for feature in features.CATCH]),
        calibration=AS_FITTED,
        away=fit_choice(_choices(away, in_breakaway=True), CHOICE_RIDGE, len(features.AWAY)),
        behind=fit_choice(_choices(fitted, in_breakaway=False), CHOICE_RIDGE, len(features.BEHIND)),
        wins_uncaught=_wins(away, caught=False),
        wins_caught=_wins(away, caught=True),
        winner_power=1.0,
        lateness_carry=0.0,
        finish=np.zeros((len(FINISH_KM) + 1, 3)),
        base_rate=fit_base_rate(to_go_km, _caught(away)),
    )


def calibrated(model: Model, foreign: Sequence[Foreign]) -> Model:
    """The model with the odds, the chances of winners and the intervals that held on courses that were left out.

    Calibration only takes back: odds that seem too unsure on a few courses stay as they are.
    """
    ended = [one for part in foreign for one in part.ended]
    away = [[one for one in part.ended if one.catch is not None] for part in foreign]
    odds = np.concatenate(
        [part.model.catch.log_odds(_features(some))[:, None] for part, some in zip(foreign, away, strict=True) if some]
    )
    caught = np.concatenate([_caught(some) for some in away if some])
    calibration = fit_logistic(odds, caught, CALIBRATION_RIDGE, [1])
    carry = _lateness_carry(ended)
    return replace(
        model,
        calibration=calibration if calibration.weights[0] < 1 else AS_FITTED,
        winner_power=_winner_power(foreign),
        lateness_carry=carry,
        finish=_finish_percentiles([part.ended for part in foreign], carry),
    )


def _winner_power(foreign: Sequence[Foreign]) -> float:
    """The power of `POWERS` under which the winners were likeliest."""
    chances = [
        (concluded(case.window, case.situation, one.endings, part.model, case.profile).winner, case.winner)
        for part in foreign
        for one in part.ended
        for case in (one.case,)
    ]
    likelihoods = [sum(np.log(sharpened(shares, power)[won]) for shares, won in chances) for power in POWERS]
    return float(POWERS[int(np.argmax(likelihoods))])


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


def _finish_percentiles(foreign: Sequence[Sequence[Ended]], carry: float) -> np.ndarray:
    """(phases, 3) logarithms of the actual time over the expected one, `foreign` course by course.

    The courses differ more than the stages on one of them, so the interval is that of one more course, by Student's
    distribution. Their mean is not carried over: a few courses do not tell which way the next one is off.
    """
    ended = [one for part in foreign for one in part]
    expected = np.array([np.log(one.endings.finish_in_s[1]) + carry * one.lateness for one in ended])
    off = np.log([one.case.finish_in_s for one in ended]) - expected
    phase = finish_phase_of(np.array([one.case.to_go_km * 1000 for one in ended]))
    spreads = [
        np.sqrt(np.mean(off[phase == number] ** 2 if (phase == number).any() else off**2))
        for number in range(len(FINISH_KM) + 1)
    ]
    reach = STUDENT_90[min(len(foreign), len(STUDENT_90)) - 1]
    return np.outer(spreads, (-reach, 0.0, reach))


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
