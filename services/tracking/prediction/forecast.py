"""A forecast: what is said of the rest of the race at one moment, before anybody can know."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tracking.prediction.baselines import chapatte
from tracking.prediction.features import away_features, behind_features, catch_features
from tracking.prediction.logistic import choice_shares, sigmoid
from tracking.prediction.model import Model
from tracking.prediction.pace import Profile, finish_phase_of
from tracking.prediction.pursuit import Endings, lateness, pursue
from tracking.prediction.situation import Situation, Window

TOLD_WINNERS = 10
UNSEEN = 0.005
"""Share of the wins that is left to everybody alike: a rider whom the tracker has lost may win too."""
SUREST = 0.001
"""Nothing in a race is surer than this."""


@dataclass(frozen=True, slots=True)
class CatchForecast:
    """Whether the breakaway is caught."""

    probability: float
    at_to_go_m: float
    """Where, if it is; NaN where that is too unlikely to say."""
    in_s: float
    """When, from now."""
    base_rate: float
    chapatte: float
    """What the baselines say."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast."""

    to_go_m: float
    """Of the first rider."""
    catch: CatchForecast | None
    """None where there is no breakaway."""
    winner: np.ndarray
    """(riders,) probability of each, in start-list order; their sum is 1."""
    finish_in_s: np.ndarray
    """(3,) 10th, 50th and 90th percentile of the seconds from now until the first rider finishes."""

    def document(self, clock_ms: int, numbers: np.ndarray, model: str) -> dict[str, Any]:
        """The forecast made at `clock_ms` (Unix milliseconds) as it is logged; `numbers`: of the riders."""
        likeliest = np.argsort(-self.winner, kind="stable")[:TOLD_WINNERS]
        low, median, high = (clock_ms + round(seconds * 1000) for seconds in self.finish_in_s.tolist())
        return {
            "clock_ms": clock_ms,
            "km_to_go": round(self.to_go_m / 1000, 3),
            "catch": None if self.catch is None else _catch_document(self.catch),
            "winner": [
                {"rider": int(numbers[rider]), "probability": round(float(self.winner[rider]), 4)}
                for rider in likeliest
                if self.winner[rider] > 0
            ],
            "finish": {"median_ms": median, "p10_ms": low, "p90_ms": high},
            "model": model,
            "simulated": True,
        }


def _catch_document(catch: CatchForecast) -> dict[str, Any]:
    known = np.isfinite(catch.at_to_go_m)
    return {
        "probability": round(catch.probability, 4),
        "at_km_to_go": round(catch.at_to_go_m / 1000, 2) if known else None,
        "in_s": round(catch.in_s) if known else None,
        "baselines": {"base_rate": round(catch.base_rate, 4), "chapatte": catch.chapatte},
    }


def forecast(window: Window, model: Model, profile: Profile) -> Forecast | None:
    """The forecast of a moment from what was seen up to it; None while nobody is on the road, or once one is home."""
    situation = window.now
    if situation is None:
        return None
    return concluded(window, situation, pursue(window, situation, model.paces, profile), model, profile)


def concluded(window: Window, situation: Situation, endings: Endings, model: Model, profile: Profile) -> Forecast:
    """The forecast of a moment whose endings were ridden."""
    catch = None
    if situation.breakaway:
        catch = _catch(situation, endings, catch_features(window, situation, endings, profile), model, profile)
    to_go_m = profile.length_m - situation.packs[0].head_m
    winner = _winner(situation, endings, catch, window.seen.shape[1], to_go_m / 1000, model)
    finish = _finish(endings, lateness(window, situation, model.paces, profile), to_go_m, model)
    return Forecast(to_go_m, catch, winner, finish)


def _catch(
    situation: Situation, endings: Endings, features: np.ndarray, model: Model, profile: Profile
) -> CatchForecast:
    to_go_km = (profile.length_m - situation.packs[0].head_m) / 1000
    odds = model.calibration.log_odds(model.catch.log_odds(features)[None])
    return CatchForecast(
        probability=float(np.clip(sigmoid(odds), SUREST, 1 - SUREST)),
        at_to_go_m=endings.catch_to_go_m,
        in_s=endings.catch_in_s,
        base_rate=float(model.base_rate.at(np.array(to_go_km))),
        chapatte=float(chapatte(np.array(situation.bunch.gap_s), np.array(to_go_km))),
    )


def _winner(
    situation: Situation, endings: Endings, catch: CatchForecast | None, riders: int, to_go_km: float, model: Model
) -> np.ndarray:
    """The breakaway's share is divided among its riders, the rest among the others."""
    winner = np.zeros(riders)
    share = 0.0
    if catch is not None:
        share = (1 - catch.probability) * model.wins_uncaught + catch.probability * model.wins_caught
        away, features = away_features(situation, to_go_km)
        winner[away] = share * choice_shares(features, model.away)
    others, features = behind_features(situation, endings, to_go_km)
    winner[others] = (1 - share) * choice_shares(features, model.behind)
    return sharpened((1 - UNSEEN) * winner + UNSEEN / riders, model.winner_power)


def sharpened(shares: np.ndarray, power: float) -> np.ndarray:
    """Shares (n,) raised to a power; their sum is 1 again."""
    raised = shares**power
    return raised / raised.sum()


def _finish(endings: Endings, late: float, to_go_m: float, model: Model) -> np.ndarray:
    """The simulated median, with the errors that it has had on unknown courses."""
    phase = finish_phase_of(np.array(to_go_m))
    return endings.finish_in_s[1] * np.exp(model.lateness_carry * late + model.finish[phase])
