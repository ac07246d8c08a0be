"""What was before the stage: the general classification, and results of earlier stages."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.briefing.tables import Table, read_table

LARGEST = 0xFFFF
LONGEST_S = 48 * 3600.0
"""Behind the leader of a race of three weeks."""
YEARS = (1903, 2100)
STAGES = 30


@dataclass(frozen=True, eq=False)
class Classification:
    """The general classification before a stage, best first."""

    riders: np.ndarray
    """Numbers, u2 (n,)."""
    behind_s: np.ndarray
    """Seconds behind the first, (n,), not descending."""

    @property
    def leader(self) -> int:
        """Who wears the yellow jersey."""
        return int(self.riders[0])


@dataclass(frozen=True, slots=True)
class Result:
    """How one rider did in one stage."""

    year: int
    stage: int
    rider: int
    rank: int
    behind_s: float | None
    """Seconds behind the winner; None where it is not known."""


def read_classification(file: Path) -> Classification:
    """The classification of a table with the columns rider and behind_s; equal ones rank as they stand in the file.

    Raises `Mistakes` with all that is wrong.
    """
    table = read_table(file, ("rider", "behind_s"))
    places = [(row.number("behind_s", 0, LONGEST_S), row.whole("rider", 1, LARGEST)) for row in table.rows]
    table.unique("rider", [rider for _, rider in places])
    known = sorted((gap for gap in places if None not in gap), key=lambda gap: gap[0] or 0.0)
    if known and known[0][0]:
        table.wrong("behind_s", f"the first is {known[0][0]:g} s behind", "give seconds behind the leader, who has 0")
    table.check()
    seconds, riders = zip(*known, strict=True)
    return Classification(np.array(riders, np.uint16), np.array(seconds, float))


def read_results(file: Path) -> tuple[Result, ...]:
    """Results of earlier stages: a table with the columns year, stage, rider, rank and, as far as known, behind_s.

    Raises `Mistakes` with all that is wrong.
    """
    table = read_table(file, ("year", "stage", "rider", "rank"), ("behind_s",))
    results = []
    for row in table.rows:
        year, stage = row.whole("year", *YEARS), row.whole("stage", 0, STAGES)
        rider, rank = row.whole("rider", 1, LARGEST), row.whole("rank", 1, LARGEST)
        behind_s = row.number("behind_s", 0, LONGEST_S)
        if year is not None and stage is not None and rider is not None and rank is not None:
            results.append(Result(year, stage, rider, rank, behind_s))
    _refuse_doubles(table, results)
    table.check()
    return tuple(results)


def _refuse_doubles(table: Table, results: list[Result]) -> None:
    seen: set[tuple[int, int, int]] = set()
    for result in results:
        once = (result.year, result.stage, result.rider)
        if once in seen:
            where = f"{result.year} stage {result.stage}"
            table.wrong(where, f"rider {result.rider} is in it twice", "keep one of the rows")
        seen.add(once)
