"""Who starts when in a time trial, and who is timed together: as a table says, or by the usual rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal["road", "individual time trial", "team time trial"]
"""Of a stage, as in stages.csv."""

EVERY_S = 60
LAST_EVERY_S = 120
LAST_RIDERS = 10
"""The best of the classification start `LAST_EVERY_S` apart."""
TEAMS_EVERY_S = 300
BLOCK = 10
"""Numbers of a team are 1 to 9, 11 to 19 and so on where teams are not named."""


@dataclass(frozen=True, eq=False)
class Starts:
    """The starts of a time trial; arrays (n,) in the order of the riders' numbers."""

    offset_s: np.ndarray
    """Seconds after the start of the race."""
    unit: np.ndarray
    """Index of the first of those who are timed together with this rider: in an individual time trial the own one."""
    counted: int
    """At which rider the time of a team is taken; 1 in an individual time trial."""


def counted_in(edition: int) -> int:
    """At which rider a team's time is taken by the rules of a year: at the fifth of nine, since 2018 at the fourth."""
    return 5 if edition < 2018 else 4


def individual_starts(numbers: Sequence[int], classified: Sequence[int] = ()) -> Starts:
    """The usual rule: who is not in the classification in reverse order of numbers, then the others in reverse order
    of it, every minute, the last ten every two.

    `classified`: numbers, best first.
    """
    place = {rider: rank for rank, rider in enumerate(classified)}
    last_first = sorted(range(len(numbers)), key=lambda i: (place.get(numbers[i], len(place)), numbers[i]))
    every_s = np.full(max(len(numbers) - 1, 0), EVERY_S)
    every_s[max(len(every_s) - LAST_RIDERS + 1, 0) :] = LAST_EVERY_S
    offset_s = np.zeros(len(numbers))
    offset_s[last_first[::-1]] = np.concatenate(([0], np.cumsum(every_s)))
    return Starts(offset_s, np.arange(len(numbers)), 1)


def team_starts(
    numbers: Sequence[int], teams: Sequence[str | None], counted: int, classified: Sequence[int] = ()
) -> Starts:
    """The usual rule: every five minutes a team, that of the classification's best rider last; teams that have nobody
    in it start first, in reverse order of their numbers.

    `teams` (n,) as of `units_of`, which raises ValueError.
    """
    unit = units_of(numbers, teams)
    place = {rider: rank for rank, rider in enumerate(classified)}
    ranks = np.array([place.get(number, len(place)) for number in numbers])
    last_first = sorted(np.unique(unit).tolist(), key=lambda first: (ranks[unit == first].min(), first))
    offset_s = np.zeros(len(numbers))
    for turn, first in enumerate(reversed(last_first)):
        offset_s[unit == first] = turn * TEAMS_EVERY_S
    return Starts(offset_s, unit, counted)


def units_of(riders: Sequence[Any], teams: Sequence[str | None]) -> np.ndarray:
    """Index (n,) of the first rider of each rider's team; ValueError with a reason where it cannot be told.

    Where no team is named (n,), numbers of one ten are one team.
    """
    names: list[Any] = list(teams)
    if not any(teams):
        if not all(isinstance(rider, int) and rider % BLOCK for rider in riders):
            raise ValueError("no team is named, and the numbers are not in blocks as 1 to 9, 11 to 19")
        names = [rider // BLOCK for rider in riders]
    elif not all(teams):
        raise ValueError(f"rider {riders[names.index(None)]} has none")
    return np.array([names.index(name) for name in names], np.int64)


def parted(offset_s: np.ndarray, unit: np.ndarray) -> list[int]:
    """Indices of riders who do not start with the first of their unit."""
    return np.flatnonzero(offset_s != offset_s[unit]).tolist()
