"""The record of forecasts: how they have done on simulated stages, beside what anybody could have said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracking.prediction.baselines import CHAPATTE_S_PER_KM, chapatte
from tracking.prediction.forecast import CatchForecast, Forecast, forecast
from tracking.prediction.model import Model
from tracking.prediction.situation import Situation
from tracking.prediction.study.cases import Case
from tracking.prediction.study.scores import (
    SURE,
    brier,
    calibration_error,
    coverage,
    log_loss,
    reliability,
    sharpness,
    skill,
)

SCORED_KM = (50, 30, 20, 10, 5)
RESAMPLES = 400
SEED = 2018


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A forecast and what became of it."""

    case: Case
    forecast: Forecast


def score(cases: Sequence[Case], model: Model) -> list[Scored]:
    """The forecasts of cases at `SCORED_KM`."""
    made = ((case, forecast(case.window, model, case.profile)) for case in cases if case.at_km in SCORED_KM)
    return [Scored(case, one) for case, one in made if one is not None]


def record_document(scored: Sequence[Scored]) -> dict[str, Any]:
    """The scores of every kind of forecast: of all, by distance to go, by course."""
    catches = [one for one in scored if one.forecast.catch is not None]
    return {
        "catch": {**_split(catches, catch_scores), "reliability": _reliability(catches)},
        "winner": _split(scored, winner_scores),
        "finish": _split(scored, finish_scores),
    }


def _split(scored: Sequence[Scored], scores: Callable[[Sequence[Scored]], dict[str, Any]]) -> dict[str, Any]:
    courses = sorted({one.case.course for one in scored})
    return {
        "overall": scores(scored),
        "by_km_to_go": [
            {"km_to_go": km, **scores(part)}
            for km in SCORED_KM
            if (part := [one for one in scored if one.case.at_km == km])
        ],
        "by_course": [
            {"course": course, **scores([one for one in scored if one.case.course == course])} for course in courses
        ],
    }


def catch_scores(scored: Sequence[Scored]) -> dict[str, Any]:
    """Of forecasts with a breakaway. The interval of the skill is from stages drawn again and again."""
    forecasts, happened = _catches(scored)
    probability, base, rule = (
        np.array([getattr(one, name) for one in forecasts]) for name in ("probability", "base_rate", "chapatte")
    )
    ours, base_rate, by_rule = (brier(said, happened) for said in (probability, base, rule))
    low, high = skill_interval([one.case for one in scored], (probability - happened) ** 2, (base - happened) ** 2)
    return rounded(
        {
            "forecasts": len(scored),
            "stages": _stages(scored),
            "caught": happened.mean(),
            "brier": ours,
            "brier_base_rate": base_rate,
            "brier_chapatte": by_rule,
            "skill_over_base_rate": skill(ours, base_rate),
            "skill_over_base_rate_p5": low,
            "skill_over_base_rate_p95": high,
            "skill_over_chapatte": skill(ours, by_rule),
            "log_loss": log_loss(probability, happened),
            "log_loss_base_rate": log_loss(base, happened),
            "log_loss_chapatte": log_loss(np.clip(rule, SURE, 1 - SURE), happened),
            "sharpness": sharpness(probability),
            "calibration_error": calibration_error(reliability(probability, happened)),
            "place_error_km": _place_error_km(scored),
        }
    )


def reliability_rows(probability: np.ndarray, happened: np.ndarray) -> list[dict[str, Any]]:
    """Forecasts of similar probability, and how often it happened."""
    return [
        rounded({"forecasts": one.count, "forecast": one.forecast, "observed": one.observed})
        for one in reliability(probability, happened)
    ]


def winner_scores(scored: Sequence[Scored]) -> dict[str, Any]:
    """Beside even chances: of all who are not behind the peloton, of the front, of whom Chapatte's rule names."""
    won = np.array([one.forecast.winner[one.case.winner] for one in scored])
    squares = np.array([np.sum(one.forecast.winner**2) for one in scored]) - 2 * won + 1
    baselines = {
        "even": [_riders_to(one.case.situation, one.case.situation.peloton) for one in scored],
        "front": [_riders_to(one.case.situation, 0) for one in scored],
        "chapatte": [_by_chapatte(one.case) for one in scored],
    }
    told = np.array([one.case.winner in np.argsort(-one.forecast.winner, kind="stable")[:10] for one in scored])
    every = np.ones(len(scored), bool)
    return rounded(
        {
            "forecasts": len(scored),
            "stages": _stages(scored),
            "log_loss": log_loss(won, every),
            "brier": squares.mean(),
            **{
                f"{kind}_{name}": value
                for name, likely in baselines.items()
                for kind, value in _even_scores(likely, scored).items()
            },
            "among_the_ten_told": told.mean(),
        }
    )


def _riders_to(situation: Situation, pack: int) -> np.ndarray:
    return np.concatenate([one.riders for one in situation.packs[: pack + 1]])


def _by_chapatte(case: Case) -> np.ndarray:
    """The breakaway where the rule says that it stays away, the peloton where it says that it does not."""
    stays = case.situation.breakaway is not None and not chapatte(np.array(case.gap_s), np.array(case.to_go_km))
    return (case.situation.packs[0] if stays else case.situation.bunch).riders


def _even_scores(likely: Sequence[np.ndarray], scored: Sequence[Scored]) -> dict[str, float]:
    """Of the same chance for all that are likely; `SURE` of it is left to the others."""
    won, squares = [], []
    for riders, one in zip(likely, scored, strict=True):
        chances = np.full(len(one.forecast.winner), SURE / max(len(one.forecast.winner) - len(riders), 1))
        chances[riders] = (1 - SURE) / len(riders)
        won.append(chances[one.case.winner])
        squares.append(np.sum(chances**2) - 2 * won[-1] + 1)
    return {"log_loss": log_loss(np.array(won), np.ones(len(won), bool)), "brier": float(np.mean(squares))}


def finish_scores(scored: Sequence[Scored]) -> dict[str, Any]:
    """The interval from the 10th to the 90th percentile should hold four of five; beside the mean speed so far."""
    told = np.array([one.forecast.finish_in_s for one in scored])
    actual = np.array([one.case.finish_in_s for one in scored])
    even = np.array([one.case.even_finish_in_s for one in scored])
    return rounded(
        {
            "forecasts": len(scored),
            "stages": _stages(scored),
            "coverage_of_80_percent": coverage(told[:, 0], told[:, 2], actual),
            "width_s": (told[:, 2] - told[:, 0]).mean(),
            "error_s": np.abs(told[:, 1] - actual).mean(),
            "error_at_mean_speed_s": np.abs(even - actual).mean(),
        }
    )


def skill_interval(cases: Sequence[Case], ours: np.ndarray, base: np.ndarray) -> tuple[float, float]:
    """(5th, 95th) percentile of the Brier skill over stages drawn again: forecasts of one stage hang together."""
    number = np.unique([f"{case.course} {case.seed}" for case in cases], return_inverse=True)[1]
    sums = np.array([np.bincount(number, weights=errors) for errors in (ours, base)])
    drawn = np.random.default_rng(SEED).integers(0, sums.shape[1], (RESAMPLES, sums.shape[1]))
    totals = sums[:, drawn].sum(axis=2)
    low, high = np.quantile(1 - totals[0] / np.maximum(totals[1], 1e-9), (0.05, 0.95))
    return float(low), float(high)


def _catches(scored: Sequence[Scored]) -> tuple[list[CatchForecast], np.ndarray]:
    pairs = [(one.forecast.catch, one.case.catch) for one in scored if one.forecast.catch and one.case.catch]
    return [said for said, _ in pairs], np.array([became.caught for _, became in pairs])


def _reliability(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    forecasts, happened = _catches(scored)
    return reliability_rows(np.array([one.probability for one in forecasts]), happened)


def _place_error_km(scored: Sequence[Scored]) -> float:
    """Median error of the place of the catch, of those that came about and whose place was told."""
    errors = [
        abs(one.forecast.catch.at_to_go_m - (one.case.profile.length_m - one.case.catch.at_m)) / 1000
        for one in scored
        if one.forecast.catch and one.case.catch and one.case.catch.caught
    ]
    known = [error for error in errors if np.isfinite(error)]
    return float(np.median(known)) if known else float("nan")


def _stages(scored: Sequence[Scored]) -> int:
    return len({(one.case.course, one.case.seed) for one in scored})


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """JSON-ready; what is not known is null."""
    return {
        name: value if isinstance(value, int) else round(float(value), 4) if np.isfinite(value) else None
        for name, value in figures.items()
    }


RULES = {
    "base_rate": "share of the breakaways that were caught from so far out in the stages that the model was fitted to",
    "chapatte": f"caught if the gap is at most {CHAPATTE_S_PER_KM:g} s for each kilometre to go",
    "even": "the same chance for every rider who is not behind the peloton",
    "front": "the same chance for every rider of the first group",
    "mean_speed": "the first rider goes on at the mean speed so far",
}
"""The baselines, in words."""
