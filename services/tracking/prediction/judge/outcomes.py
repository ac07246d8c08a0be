"""What became of each forecast, by what the tracker saw of the race: the same definitions as in the study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tracking.prediction.observation import SEEN
from tracking.prediction.situation import Situation, situation_of
from tracking.prediction.study.outcome import catch_of, winner_of
from tracking.prediction.study.stages import TRUTH_EVERY_S, Stage

NOWHERE_M = -1e9
"""Where a rider is who has not been found yet."""
LINE_M = 0.0
"""Distances are counted from the line: behind it they are negative."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A forecast and what became of it."""

    told: dict[str, Any]
    """As it was logged."""
    caught: bool | None
    """None where no catch was forecast."""
    winner_chance: float
    """What the forecast gave the winner."""
    finish_ms: int


class Race:
    """A whole race as the tracker saw it."""

    def __init__(self, states: pl.DataFrame) -> None:
        """`states`: of `read_states`. Raises ValueError where nobody has finished."""
        self.numbers = states["rider"].unique().sort()
        self._states = states.sort("time_ms", "rider")
        self._from_ms = int(states["time_ms"].min())  # type: ignore[arg-type]  # of integers
        home = states.filter(pl.col("quality") == "finished").group_by("rider")
        crossed = home.agg(pl.col("seen_ms" if "seen_ms" in states.columns else "time_ms").min().alias("at"))
        if crossed.is_empty():
            raise ValueError("nobody has finished")
        finish_s = np.full(len(self.numbers), np.nan)
        finish_s[self.numbers.search_sorted(crossed["rider"])] = (crossed["at"].to_numpy() - self._from_ms) / 1000
        every = states.filter((pl.col("time_ms") - self._from_ms) % (TRUTH_EVERY_S * 1000) == 0)
        road = every.sort("time_ms").pivot(on="rider", index="time_ms", values="km_to_go")
        columns = [str(number) for number in self.numbers]
        truth_m = -1000 * road.select(columns).to_numpy().astype(float)
        self._stage = Stage(np.zeros((0, len(columns)), SEEN), np.nan_to_num(truth_m, nan=NOWHERE_M), finish_s)
        self.winner = self.numbers[winner_of(self._stage)]
        self.finish_ms = self._from_ms + round(float(np.nanmin(finish_s)) * 1000)

    def outcomes(self, log: Sequence[dict[str, Any]]) -> Iterator[Outcome]:
        """Of the forecasts that were made of moments before the finish, and whose moment the tracker saw."""
        clocks = [told["clock_ms"] for told in log]
        moments = dict(self._states.filter(pl.col("time_ms").is_in(clocks)).partition_by("time_ms", as_dict=True))
        for told in log:
            moment = moments.get((told["clock_ms"],))
            if moment is not None and told["clock_ms"] < self.finish_ms:
                caught = self._caught(told["clock_ms"], moment) if told["catch"] else None
                yield Outcome(told, caught, self._chance(told["winner"]), self.finish_ms)

    def _caught(self, clock_ms: int, moment: pl.DataFrame) -> bool | None:
        situation = self._situation(moment)
        if situation is None or situation.breakaway is None:
            return None
        from_s = (clock_ms - self._from_ms) / 1000
        return catch_of(self._stage, situation.breakaway.riders, from_s, LINE_M).caught

    def _situation(self, moment: pl.DataFrame) -> Situation | None:
        seen = np.zeros(len(self.numbers), SEEN)
        of = self.numbers.search_sorted(moment["rider"])
        quality = moment["quality"].cast(pl.String)
        on_road = quality.is_in(["fresh", "predicted"]).to_numpy()
        seen["distance_m"][of] = moment["km_to_go"].fill_null(-NOWHERE_M / 1000).to_numpy() * -1000
        seen["gap_s"][of] = moment["gap_s"].fill_null(np.nan).to_numpy()
        seen["group"][of] = np.where(on_road, moment["group"].to_numpy(), 0)
        seen["finished"][of] = (quality == "finished").to_numpy()
        return situation_of(seen)

    def _chance(self, likeliest: Sequence[dict[str, Any]]) -> float:
        """Of the winner; who is not among those told shares what they have left."""
        told = {one["rider"]: one["probability"] for one in likeliest}
        rest = max(1 - sum(told.values()), 0.0) / max(len(self.numbers) - len(told), 1)
        return float(told.get(self.winner, rest))
