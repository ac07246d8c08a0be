"""What the statistical models look at: a few figures of the situation, each with the direction that it must have."""

from dataclasses import dataclass

import numpy as np

from tracking.prediction.pace import Profile
from tracking.prediction.pursuit import Endings
from tracking.prediction.situation import Situation, Window

SHORT_S, LONG_S = 300, 900
LEAST_KM = 0.5
FASTEST_CLOSING = 20.0
"""s/km; more is a group that has only just come about."""
FINAL_M = 15_000.0
CLOSE_KM = 5.0
FEWEST_WINS = 0.01
"""What a group is given that wins none of the simulated endings."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A figure of a situation, and the sign that its weight must have: 1, -1, or 0 where either may be."""

    name: str
    sign: int


CATCH = (
    Feature("log odds of the simulated catch", 1),
    Feature("log odds of the simulated catch, near the line", 1),
    Feature("gap in s for each km to go", -1),
    Feature("log of the gap in s", -1),
    Feature("log of the km to go", 0),
    Feature("log of the breakaway's size", 0),
    Feature("log of the peloton's size", 0),
    Feature("closing of 5 minutes in s/km", 1),
    Feature("closing of 15 minutes in s/km", 1),
    Feature("log of the minutes that it has been away", 0),
    Feature("climbing that remains in 100 m", 0),
    Feature("climbing of the last 15 km in 100 m", 0),
    Feature("chases between", 0),
)
AWAY = (
    Feature("place in the group from 0 to 1", 0),
    Feature("place in the group, near the line", 0),
)
BEHIND = (
    Feature("log of its group's share of the simulated wins, for each rider", 1),
    Feature("minutes behind the peloton's head", -1),
    Feature("ahead of the peloton", 0),
    Feature("place in the group from 0 to 1", 0),
    Feature("place in the group, near the line", 0),
)


def catch_features(window: Window, situation: Situation, endings: Endings, profile: Profile) -> np.ndarray:
    """(len(CATCH),) of a situation with a breakaway."""
    away, bunch = situation.packs[0], situation.bunch
    to_go_m = profile.length_m - away.head_m
    to_go_km = to_go_m / 1000
    gap_s = bunch.gap_s
    odds = np.clip(endings.caught, 0.002, 0.998)
    log_odds = np.log(odds / (1 - odds))
    return np.array(
        [
            log_odds,
            log_odds * np.exp(-to_go_km / CLOSE_KM),
            min(gap_s / (to_go_km + LEAST_KM), 60.0),
            np.log(gap_s + 5.0),
            np.log(to_go_km + LEAST_KM),
            np.log(away.size),
            np.log(bunch.size),
            _closing(window, situation, SHORT_S),
            _closing(window, situation, LONG_S),
            np.log(window.away_s(away.riders) / 60 + 1),
            profile.climbing_m(away.head_m, profile.length_m) / 100,
            profile.climbing_m(max(away.head_m, profile.length_m - FINAL_M), profile.length_m) / 100,
            situation.peloton - 1,
        ]
    )


def _closing(window: Window, situation: Situation, ago_s: int) -> float:
    """Seconds that the peloton has taken back on each kilometre of late; 0 where that is not known."""
    away = situation.packs[0].riders
    before_s = window.gap_s(away, ago_s)
    if np.isnan(before_s):
        return 0.0
    distance = window.distance_m(away)
    ridden_km = (distance[-1] - distance[-1 - ago_s // window.every_s]) / 1000
    return float(
        np.clip((before_s - situation.bunch.gap_s) / max(ridden_km, LEAST_KM), -FASTEST_CLOSING, FASTEST_CLOSING)
    )


def away_features(situation: Situation, to_go_km: float) -> tuple[np.ndarray, np.ndarray]:
    """(riders (n,), features (n, len(AWAY))) of those in the breakaway."""
    riders = situation.packs[0].riders
    return riders, _places(len(riders), to_go_km)


def behind_features(situation: Situation, endings: Endings, to_go_km: float) -> tuple[np.ndarray, np.ndarray]:
    """(riders (n,), features (n, len(BEHIND))) of all on the road who are not in the breakaway."""
    packs = situation.packs[1:] if situation.breakaway else situation.packs
    bunch = situation.bunch
    rows = []
    for pack in packs:
        late = np.clip((pack.gap_s - bunch.gap_s) / 60, -5.0, 5.0)
        wins = np.log((endings.wins_of(pack) + FEWEST_WINS) / pack.size)
        of_pack = np.array([wins, max(late, 0.0), float(late < 0)])
        rows.append(np.column_stack((np.tile(of_pack, (pack.size, 1)), _places(pack.size, to_go_km))))
    return np.concatenate([pack.riders for pack in packs]), np.concatenate(rows)


def _places(size: int, to_go_km: float) -> np.ndarray:
    place = (np.arange(size) + 0.5) / size
    return np.column_stack((place, place * np.exp(-to_go_km / CLOSE_KM)))
