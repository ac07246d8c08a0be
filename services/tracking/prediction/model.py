"""The fitted model: all that was measured on training stages, as one small file with the package."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracking.prediction import features, pace, pursuit
from tracking.prediction.baselines import BaseRate
from tracking.prediction.logistic import Logistic
from tracking.prediction.observation import EVERY_S
from tracking.prediction.pace import Paces
from tracking.prediction.record import FITTED

REMEDY = "fit it again with `python -m tracking.prediction.study`"
DIGITS = 6


class ModelError(Exception):
    """A fitted model that cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    """What turns a situation into a forecast."""

    name: str
    """Tells one fit from another; named in every forecast."""
    paces: Paces
    catch: Logistic
    calibration: Logistic
    """From the log odds of `catch` to calibrated ones; one weight."""
    away: np.ndarray
    """(len(AWAY),) which of the breakaway wins if it does."""
    behind: np.ndarray
    """(len(BEHIND),) which of the others wins if one does."""
    wins_uncaught: float
    """Share of the stages that one of the breakaway wins if it is not caught ..."""
    wins_caught: float
    """... and if it is."""
    winner_power: float
    """Chances of winners are raised to this power: below 1 where they were overdone on unknown courses."""
    lateness_carry: float
    """Share of a race's lateness so far that the rest of it keeps."""
    finish: np.ndarray
    """(phases, 3) the 10th, 50th and 90th percentile: logarithms of the time to the finish over the expected one."""
    base_rate: BaseRate


def basis() -> dict[str, Any]:
    """What a fit depends on beside the data: a file that was fitted on another basis is stale."""
    return {
        "features": {
            "catch": [feature.name for feature in features.CATCH],
            "away": [feature.name for feature in features.AWAY],
            "behind": [feature.name for feature in features.BEHIND],
        },
        "every_s": EVERY_S,
        "phases_km": list(pace.TO_GO_KM),
        "finish_km": list(pace.FINISH_KM),
        "descents": list(pace.DESCENTS),
        "endings": [pursuit.ENDINGS, pursuit.SEED],
    }


def to_json(model: Model) -> dict[str, Any]:
    """The model as it stands in its file."""
    paces = {name: _plain(getattr(model.paces, name)) for name in Paces.__slots__}
    return {
        "name": model.name,
        "simulated": True,
        "basis": basis(),
        "paces": paces,
        "catch": {"bias": _plain(model.catch.bias), "weights": _plain(model.catch.weights)},
        "calibration": {"bias": _plain(model.calibration.bias), "weights": _plain(model.calibration.weights)},
        "away": _plain(model.away),
        "behind": _plain(model.behind),
        "wins_uncaught": _plain(model.wins_uncaught),
        "wins_caught": _plain(model.wins_caught),
        "winner_power": _plain(model.winner_power),
        "lateness_carry": _plain(model.lateness_carry),
        "finish": _plain(model.finish),
        "base_rate": {"km": _plain(model.base_rate.km), "share": _plain(model.base_rate.share)},
    }


def from_json(document: dict[str, Any], source: str) -> Model:
    """The model of a document; ModelError, naming `source`, where it is incomplete or was fitted on another basis."""
    try:
        if document["basis"] != basis():
            raise ModelError(f"{source}: was fitted to other features than these; {REMEDY}.")
        return Model(
            name=document["name"],
            paces=_paces(document["paces"]),
            catch=_logistic(document["catch"], len(features.CATCH)),
            calibration=_logistic(document["calibration"], 1),
            away=_numbers(document["away"], (len(features.AWAY),)),
            behind=_numbers(document["behind"], (len(features.BEHIND),)),
            wins_uncaught=float(document["wins_uncaught"]),
            wins_caught=float(document["wins_caught"]),
            winner_power=float(document["winner_power"]),
            lateness_carry=float(document["lateness_carry"]),
            finish=_numbers(document["finish"], (len(pace.FINISH_KM) + 1, 3)),
            base_rate=BaseRate(*(_numbers(document["base_rate"][name]) for name in ("km", "share"))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{source}: is not a fitted model ({error!r}); {REMEDY}.") from None


def load_model(file: Path = FITTED) -> Model:
    """The fitted model that came with the package, or of another file; ModelError."""
    return from_json(_read(file), file.name)


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{file.name}: cannot be read ({error}); {REMEDY}.") from None


def _paces(document: dict[str, Any]) -> Paces:
    phases = len(pace.TO_GO_KM) + 1
    return Paces(
        level=_numbers(document["level"], (2, 2, phases)),
        descent_ms=_numbers(document["descent_ms"], (2, len(pace.DESCENTS) + 1)),
        carry=_numbers(document["carry"], (2,)),
        lasting_sd=_numbers(document["lasting_sd"], (2,)),
        passing_sd=_numbers(document["passing_sd"], (2,)),
        together=float(document["together"]),
    )


def _logistic(document: dict[str, Any], width: int) -> Logistic:
    return Logistic(float(document["bias"]), _numbers(document["weights"], (width,)))


def _numbers(values: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    array = np.asarray(values, float)
    if shape is not None and array.shape != shape:
        raise ValueError(f"shape {array.shape} instead of {shape}")
    if not np.isfinite(array).all():
        raise ValueError("a number is missing")
    return array


def _plain(value: Any) -> Any:
    return np.round(np.asarray(value, float), DIGITS).tolist()
