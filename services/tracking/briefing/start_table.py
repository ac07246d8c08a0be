"""The start times of a time trial: from a file that people write, refused with all that is wrong in it, or by rule."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.briefing.history import Classification
from tracking.briefing.roster import Roster
from tracking.briefing.start_order import Starts, counted_in, individual_starts, parted, team_starts, units_of
from tracking.briefing.tables import Row, Table, read_table
from tracking.service import Mistakes, StageConfig

LATEST_S = 12 * 3600
"""After the start of the race."""


@dataclass(frozen=True, eq=False)
class StartTable:
    """What a file says; (n,) in the order of the riders that were asked for."""

    file: Path
    start_ms: int
    """Of the race, Unix milliseconds."""
    offset_s: np.ndarray
    teams: tuple[str | None, ...]
    """Names, None where none is given."""

    def individual(self) -> Starts:
        """As those of an individual time trial."""
        return Starts(self.offset_s, np.arange(len(self.offset_s)), 1)

    def by_teams(self, riders: Sequence[Hashable], teams: Sequence[str | None], counted: int) -> Starts:
        """As those of a team time trial; `teams` (n,) are asked where the file names none. Raises `Mistakes`."""
        try:
            unit = units_of(riders, self.teams if any(self.teams) else teams)
        except ValueError as error:
            raise Mistakes([f"{self.file}: team: {error}; name the team of every rider."]) from None
        apart = [
            f"{self.file}: rider {riders[i]}: starts apart from rider {riders[unit[i]]} of the same team; "
            "give both the same start."
            for i in parted(self.offset_s, unit)
        ]
        if apart:
            raise Mistakes(apart)
        return Starts(self.offset_s, unit, counted)


def stage_starts(
    stage: StageConfig, roster: Roster, before: Classification | None, file: Path | None, counted: int | None
) -> Starts | None:
    """When each rider of a time trial starts; None where all start together. Raises `Mistakes`.

    As the table `file` says, by default by the usual rule from the classification `before` the stage; `counted`: at
    which rider a team's time is taken, by default as the year's rules have it.
    """
    if stage.kind == "road":
        return None
    numbers: list[int] = roster.numbers.tolist()
    teams = [entrant.team for entrant in roster.entrants]
    counted = counted or counted_in(stage.edition)
    if file is not None:
        table = read_starts(file, numbers, stage.start_ms)
        return table.individual() if stage.kind == "individual time trial" else table.by_teams(numbers, teams, counted)
    classified: list[int] = [] if before is None else before.riders.tolist()
    if stage.kind == "individual time trial":
        return individual_starts(numbers, classified)
    try:
        return team_starts(numbers, teams, counted, classified)
    except ValueError as error:
        raise Mistakes([f"the start list: team: {error}; name the team of every rider."]) from None


def read_starts(file: Path, riders: Sequence[Hashable], start_ms: int | None) -> StartTable:
    """The starts of a table with the columns rider, starts_at (ISO 8601) or offset_s, and where it is known team.

    Every one of `riders` is in it once, and nobody else. `start_ms` of the race, Unix milliseconds; None where it is
    the table's first start. Raises `Mistakes`.
    """
    table = read_table(file, ("rider",), ("starts_at", "offset_s", "team"))
    rows = _by_rider(table, [str(rider) for rider in riders])
    at_ms = {name: row.time_ms("starts_at") for name, row in rows.items()}
    after_s = {name: row.number("offset_s", 0, LATEST_S) for name, row in rows.items()}
    for row in rows.values():
        said = [column for column in ("starts_at", "offset_s") if row.text(column)]
        if len(said) != 1:
            reason = "says both starts_at and offset_s" if said else "says no start"
            table.wrong(row.where, reason, "give one of starts_at and offset_s")
    moments = [moment for moment in at_ms.values() if moment is not None]
    if start_ms is None and len(moments) < len(rows):
        table.wrong("offset_s", "counts from a start of the race that is not known", "give starts_at, or the start")
    race_ms = start_ms if start_ms is not None else min(moments, default=0)
    for name, moment in at_ms.items():
        if moment is not None and not 0 <= moment - race_ms <= 1000 * LATEST_S:
            reason = "is before the start of the race or more than 12 hours after it"
            table.wrong(f"{rows[name].where}: starts_at", reason, "correct it")
    table.check()
    offset_s = [_offset_s(after_s[str(rider)], at_ms[str(rider)], race_ms) for rider in riders]
    return StartTable(file, race_ms, np.array(offset_s), tuple(rows[str(rider)].text("team") for rider in riders))


def _by_rider(table: Table, riders: Sequence[str]) -> dict[str, Row]:
    """The row of each rider; notes strangers, doubles and riders without one."""
    known, rows = set(riders), dict[str, Row]()
    for row in table.rows:
        name = row.text("rider")
        if name is None:
            continue
        if name not in known:
            table.wrong(f"{row.where}: rider", f"{name} is not on the start list", "correct it or leave the row out")
        elif name in rows:
            table.wrong(f"{row.where}: rider", f"{name} is in {rows[name].where} too", "keep one of them")
        else:
            rows[name] = row
    for name in riders:
        if name not in rows:
            table.wrong(f"rider {name}", "has no start", "add a row")
    return rows


def _offset_s(after_s: float | None, at_ms: int | None, race_ms: int) -> float:
    return after_s if after_s is not None else ((at_ms or race_ms) - race_ms) / 1000
