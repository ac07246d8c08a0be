"""How good forecasts were: proper scores, and whether their probabilities mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SURE = 0.01
"""A baseline that knows only yes and no is taken to be this unsure, or one miss would cost it everything."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts of similar probability."""

    count: int
    forecast: float
    """Mean probability."""
    observed: float
    """Share that happened."""


def brier(probability: np.ndarray, happened: np.ndarray) -> float:
    """Mean squared error of probabilities (n,); 0 is perfect, 0.25 is a coin."""
    return float(np.mean((probability - happened) ** 2))


def skill(score: float, baseline: float) -> float:
    """Share of the baseline's error that is gone: 1 perfect, 0 no better, below 0 worse; NaN of a perfect baseline."""
    return 1.0 - score / baseline if baseline > 0 else float("nan")


def log_loss(probability: np.ndarray, happened: np.ndarray) -> float:
    """Mean negative log likelihood."""
    held = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(happened, np.log(held), np.log(1 - held))))


def sharpness(probability: np.ndarray) -> float:
    """Variance of the probabilities: 0 for who always says the same."""
    return float(np.var(probability))


def reliability(probability: np.ndarray, happened: np.ndarray, bins: int = 10) -> tuple[Bin, ...]:
    """Bins of equal width, those that are empty left out."""
    number = np.minimum((probability * bins).astype(int), bins - 1)
    return tuple(
        Bin(int(within.sum()), float(probability[within].mean()), float(happened[within].mean()))
        for within in (number == index for index in range(bins))
        if within.any()
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance of forecast and observed share over the bins, each as heavy as its forecasts; 0 is perfect."""
    count = sum(one.count for one in bins)
    return sum(one.count * abs(one.forecast - one.observed) for one in bins) / count if count else float("nan")


def coverage(low: np.ndarray, high: np.ndarray, actual: np.ndarray) -> float:
    """Share of the actual values that lie within their intervals, ends included."""
    return float(np.mean((low <= actual) & (actual <= high)))
