"""Scores of forecasts that were logged before the outcome, stage by stage and over all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracking.prediction.judge.outcomes import Outcome
from tracking.prediction.study.record import reliability_rows, rounded
from tracking.prediction.study.scores import brier, calibration_error, coverage, log_loss, reliability, skill


def verdict(stages: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Of every stage by its name, and of all; whether any of them was simulated."""
    every = [one for outcomes in stages.values() for one in outcomes]
    return {
        "simulated": any(one.told.get("simulated", True) for one in every),
        "overall": scores(every),
        "by_stage": [{"stage": name, **scores(outcomes)} for name, outcomes in stages.items()],
    }


def scores(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Of the catch (null where none was forecast), the winner and the finish; forecasts of one stage hang together."""
    return {
        "models": sorted({one.told.get("model", "") for one in outcomes}),
        "forecasts": len(outcomes),
        "catch": _catch([one for one in outcomes if one.caught is not None]),
        "winner": rounded({"log_loss": np.mean([-np.log(max(one.winner_chance, 1e-6)) for one in outcomes])}),
        "finish": _finish(outcomes),
    }


def _catch(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    if not outcomes:
        return None
    said = [one.told["catch"] for one in outcomes]
    happened = np.array([bool(one.caught) for one in outcomes])
    probability = np.array([one["probability"] for one in said], float)
    base, rule = (np.array([one["baselines"][name] for one in said], float) for name in ("base_rate", "chapatte"))
    figures = {
        "forecasts": len(outcomes),
        "caught": happened.mean(),
        "brier": brier(probability, happened),
        "brier_base_rate": brier(base, happened),
        "brier_chapatte": brier(rule, happened),
        "skill_over_base_rate": skill(brier(probability, happened), brier(base, happened)),
        "log_loss": log_loss(probability, happened),
        "log_loss_base_rate": log_loss(base, happened),
        "calibration_error": calibration_error(reliability(probability, happened)),
    }
    return {**rounded(figures), "reliability": reliability_rows(probability, happened)}


def _finish(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    low, median, high = (
        np.array([one.told["finish"][name] for one in outcomes]) for name in ("p10_ms", "median_ms", "p90_ms")
    )
    actual = np.array([one.finish_ms for one in outcomes])
    return rounded(
        {
            "coverage_of_80_percent": coverage(low, high, actual),
            "width_s": np.mean(high - low) / 1000,
            "error_s": np.mean(np.abs(median - actual)) / 1000,
        }
    )
