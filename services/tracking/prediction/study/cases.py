"""Moments of simulated stages at which a forecast is made, with what became of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tracking.prediction.forecaster import KEEP_S
from tracking.prediction.observation import EVERY_S
from tracking.prediction.pace import AHEAD, PELOTON, STEP_S, Profile, efforts
from tracking.prediction.situation import Situation, Window, situation_of
from tracking.prediction.study.outcome import Catch, catch_of, winner_of
from tracking.prediction.study.stages import Stage

AT_KM = (120, 100, 80, 65, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6.5, 5, 4, 3, 2, 1)
"""A case is taken when the first rider has so far to go."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One moment of one stage."""

    course: str
    seed: int
    at_km: float
    """Of `AT_KM`."""
    profile: Profile
    window: Window
    situation: Situation
    gap_s: float
    """Of the peloton behind the first rider."""
    to_go_km: float
    catch: Catch | None
    """None where there is no breakaway."""
    catch_in_s: float
    winner: int
    """Index of the rider."""
    finish_in_s: float

    @property
    def even_finish_in_s(self) -> float:
        """When the first rider would finish at the mean speed so far: what anybody can work out."""
        ridden_m = self.profile.length_m - self.to_go_km * 1000
        return self.to_go_km * 1000 * self.window.now_s / ridden_m


@dataclass(frozen=True, slots=True)
class Ride:
    """How hard the groups of one kind have ridden in one stage, step by step; arrays (n,)."""

    kind: int
    at_s: np.ndarray
    """Seconds since the start."""
    speed: np.ndarray
    gradient: np.ndarray
    effort: np.ndarray
    """Logarithm of W/kg."""
    to_go_m: np.ndarray


def cases_of(stage: Stage, course: str, seed: int, profile: Profile, at_km: Sequence[float] = AT_KM) -> Iterator[Case]:
    """The cases of a stage in race order."""
    moments = list(_moments(stage, profile, at_km))
    winner = winner_of(stage)
    for km, index in moments:
        now_s = (index + 1) * EVERY_S
        window = Window(stage.seen[max(0, index - KEEP_S // EVERY_S) : index + 1], EVERY_S, now_s)
        situation = window.now
        if situation is None:
            continue
        catch = None
        if situation.breakaway:
            catch = catch_of(stage, situation.breakaway.riders, now_s, profile.length_m)
        yield Case(
            course=course,
            seed=seed,
            at_km=km,
            profile=profile,
            window=window,
            situation=situation,
            gap_s=situation.bunch.gap_s,
            to_go_km=(profile.length_m - situation.packs[0].head_m) / 1000,
            catch=catch,
            catch_in_s=catch.at_s - now_s if catch else float("nan"),
            winner=winner,
            finish_in_s=float(stage.finish_s[winner]) - now_s,
        )


def _moments(stage: Stage, profile: Profile, at_km: Sequence[float]) -> Iterator[tuple[float, int]]:
    on_road = np.where(stage.seen["group"] > 0, stage.seen["distance_m"], 0.0)
    to_go_m = profile.length_m - np.maximum.accumulate(on_road.max(axis=1))
    for km in at_km:
        if km * 1000 < profile.length_m and (to_go_m <= km * 1000).any():
            yield km, int((to_go_m <= km * 1000).argmax())


def rides_of(stage: Stage, profile: Profile) -> tuple[Ride, Ride]:
    """(of the breakaway, of the peloton)."""
    stride = STEP_S // EVERY_S
    rows: tuple[list[tuple[float, ...]], ...] = ([], [])
    for index in range(0, len(stage.seen) - stride, stride):
        situation = situation_of(stage.seen[index])
        if situation is None:
            continue
        for kind, pack in ((AHEAD, situation.breakaway), (PELOTON, situation.bunch)):
            if pack is not None:
                window = Window(stage.seen[index : index + stride + 1], EVERY_S, (index + stride + 1) * EVERY_S)
                distance = window.distance_m(pack.riders)
                step = (float(part[0]) for part in efforts(distance, pack.size, EVERY_S, profile))
                rows[kind].append(((index + 1) * EVERY_S, *step))
    ahead, peloton = (Ride(kind, *np.array(rows[kind]).reshape(-1, 5).T) for kind in (AHEAD, PELOTON))
    return ahead, peloton
