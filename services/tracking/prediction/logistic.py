"""Small regressions by plain numpy: logistic, its calibration, and the choice of one among many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEPS = 50
CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Logistic:
    """Log odds = bias + weights · features."""

    bias: float
    weights: np.ndarray

    def log_odds(self, features: np.ndarray) -> np.ndarray:
        """(...,) of features (..., k)."""
        return features @ self.weights + self.bias


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Probabilities of log odds, same shape."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -40.0, 40.0)))


def fit_logistic(features: np.ndarray, happened: np.ndarray, ridge: float, signs: Sequence[int]) -> Logistic:
    """Fits features (n, k) to what happened (n,) by reweighted least squares.

    `ridge` holds the weights of standardised features down. A weight whose sign is not the wanted one is made 0, and
    the rest is fitted again: a law that must hold does not depend on the sample.
    """
    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), CLOSE)
    standard = (features - centre) / scale
    wanted = np.asarray(signs)
    kept = np.ones(features.shape[1], bool)
    while True:
        fitted = _reweighted(standard[:, kept], happened.astype(float), ridge)
        weights = np.zeros(features.shape[1])
        weights[kept] = fitted[1:]
        wrong = (wanted != 0) & (weights * wanted < 0)
        if not wrong.any():
            return Logistic(float(fitted[0] - (weights / scale) @ centre), weights / scale)
        kept &= ~wrong


def _reweighted(features: np.ndarray, happened: np.ndarray, ridge: float) -> np.ndarray:
    """(1 + k,) bias and weights."""
    design = np.column_stack((np.ones(len(features)), features))
    penalty = np.diag(np.concatenate(([CLOSE], np.full(features.shape[1], ridge))))
    fitted = np.zeros(design.shape[1])
    for _ in range(STEPS):
        expected = sigmoid(design @ fitted)
        weight = np.maximum(expected * (1 - expected), CLOSE)
        slope = design.T @ (happened - expected) - penalty @ fitted
        step = np.linalg.solve(design.T @ (design * weight[:, None]) + penalty, slope)
        fitted = fitted + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < CLOSE:
            break
    return fitted


def fit_choice(cases: Sequence[tuple[np.ndarray, int]], ridge: float, width: int) -> np.ndarray:
    """(k,) weights under which the chosen row of each case's features (n, k) is likeliest; Newton's method.

    `cases`: (features, index of the row that was chosen).
    """
    weights = np.zeros(width)
    for _ in range(STEPS):
        slope, curve = -ridge * weights, ridge * np.eye(width)
        for features, chosen in cases:
            shares = choice_shares(features, weights)
            mean = shares @ features
            slope = slope + features[chosen] - mean
            centred = features - mean
            curve = curve + centred.T @ (centred * shares[:, None])
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-6:
            break
    return weights


def choice_shares(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n,) probabilities of the rows of features (n, k); their sum is 1."""
    utility = features @ weights
    shares = np.exp(utility - utility.max())
    return shares / shares.sum()
