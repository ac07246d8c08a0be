"""Who starts, for whom, and with which device under the saddle: from a file, or only the numbers."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.briefing.riders import start_list
from tracking.briefing.tables import Row, read_table

LARGEST = 0xFFFF
NATIONALITY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Entrant:
    """One rider of the start list; None for what is not known."""

    number: int
    """On the rider's back."""
    device: int
    """Number on the device under the saddle at the start."""
    name: str | None = None
    team: str | None = None
    nationality: str | None = None
    """Three letters, as on the result sheets."""


@dataclass(frozen=True)
class Roster:
    """The start list, by number."""

    entrants: tuple[Entrant, ...]

    @property
    def numbers(self) -> np.ndarray:
        """Of the riders, u2 (n,), ascending."""
        return np.array([entrant.number for entrant in self.entrants], np.uint16)

    @property
    def devices(self) -> np.ndarray:
        """Under their saddles, u2 (n,)."""
        return np.array([entrant.device for entrant in self.entrants], np.uint16)

    @property
    def teams(self) -> tuple[str, ...]:
        """In the order of their first numbers."""
        return tuple(dict.fromkeys(entrant.team for entrant in self.entrants if entrant.team))


def bare_roster() -> Roster:
    """The starters of a simulated race: numbers, and nobody's name."""
    return Roster(tuple(Entrant(number, number) for number in start_list().tolist()))


def read_roster(file: Path) -> Roster:
    """The start list of a table with the columns number and, as far as known, name, team, nationality and device.

    The device is the rider's number where nothing else is said. Raises `Mistakes` with all that is wrong.
    """
    table = read_table(file, ("number",), ("name", "team", "nationality", "device"))
    entrants = [_entrant(row) for row in table.rows]
    table.unique("number", [entrant.number if entrant else None for entrant in entrants])
    table.unique("device", [entrant.device if entrant else None for entrant in entrants])
    table.check()
    return Roster(tuple(sorted((entrant for entrant in entrants if entrant), key=lambda entrant: entrant.number)))


def _entrant(row: Row) -> Entrant | None:
    number, device = row.whole("number", 1, LARGEST), row.whole("device", 1, LARGEST)
    nationality = row.text("nationality")
    if nationality and not NATIONALITY.fullmatch(nationality):
        row.table.wrong(f"{row.where}: nationality", f"{nationality!r} is not three capital letters", "correct it")
    if number is None:
        return None
    return Entrant(number, device or number, row.text("name"), row.text("team"), nationality)
