"""Small tables that people write, CSV or JSON: read in one go, and refused with all that is wrong in them."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tracking.service import Mistakes

MANY = 50
"""Mistakes that are told one by one."""


@dataclass
class Table:
    """The rows of a file; what is wrong is collected until `check`."""

    file: Path
    rows: list["Row"] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def wrong(self, where: str, reason: str, remedy: str) -> None:
        """Notes a mistake: one sentence and what to do."""
        self.mistakes.append(f"{self.file}: {where}: {reason}; {remedy}.")

    def check(self) -> None:
        """Raises `Mistakes` where there are any."""
        if len(self.mistakes) > MANY:
            self.mistakes[MANY:] = [
                f"{self.file}: {len(self.mistakes) - MANY} more like these; correct the first ones."
            ]
        if self.mistakes:
            raise Mistakes(self.mistakes)

    def unique(self, column: str, numbers: Sequence[int | None]) -> None:
        """Notes every number that is there twice; `numbers` are those of the rows."""
        first: dict[int, Row] = {}
        for row, number in zip(self.rows, numbers, strict=True):
            if number is None:
                continue
            if number in first:
                self.wrong(f"{row.where}: {column}", f"{number} is in {first[number].where} too", "keep one of them")
            first.setdefault(number, row)


@dataclass
class Row:
    """One row; its values are asked for one by one, and each wrong one is noted and told as missing."""

    table: Table
    where: str
    values: dict[str, str]

    def text(self, column: str) -> str | None:
        """What stands there; None where nothing does."""
        return self.values.get(column, "").strip() or None

    def number(self, column: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`; None where nothing stands there or it is wrong."""
        text = self.text(column)
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            self._wrong(column, f"{text!r} is no number from {low:g} to {high:g}")
            return None
        return number

    def whole(self, column: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`; None where nothing stands there or it is wrong."""
        number = self.number(column, low, high)
        if number is not None and number != int(number):
            self._wrong(column, f"{number:g} is not a whole number")
            return None
        return None if number is None else int(number)

    def time_ms(self, column: str) -> int | None:
        """A moment in ISO 8601 with its offset, as Unix milliseconds; None where it is missing or wrong."""
        text = self.text(column)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self._wrong(column, f"{text!r} is no time such as 2017-07-09T13:05:00+02:00")
            return None
        if moment.tzinfo is None:
            self._wrong(column, f"{text!r} has no offset from UTC such as +02:00")
            return None
        return round(moment.timestamp() * 1000)

    def needs(self, *columns: str) -> None:
        """Notes each of these columns that is empty."""
        for column in columns:
            if self.text(column) is None:
                self.table.wrong(f"{self.where}: {column}", "is empty", "fill it in")

    def _wrong(self, column: str, reason: str) -> None:
        self.table.wrong(f"{self.where}: {column}", reason, "correct it")


def read_table(file: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """The rows of a .csv file with a header or of a .json file with a list of objects.

    Raises `Mistakes` where it cannot be read at all or has other columns than these; what is wrong in the rows is
    noted in the table.
    """
    table = Table(file)
    try:
        rows = list(_rows(file))
    except OSError as error:
        table.wrong("the file", f"cannot be read ({error.strerror})", "put it there or leave it out of the config")
    except (ValueError, csv.Error) as error:
        table.wrong("the file", f"is no {file.suffix[1:].upper() or 'table'} ({error})", "save it as UTF-8 again")
    else:
        _take(table, rows, needed, optional)
    table.check()
    for row in table.rows:
        row.needs(*needed)
    return table


def _take(table: Table, rows: list[tuple[str, dict[str, str]]], needed: Sequence[str], optional: Sequence[str]) -> None:
    known = ", ".join((*needed, *optional))
    found = dict.fromkeys(column for _, values in rows for column in values)
    for column in found:
        if column not in (*needed, *optional):
            table.wrong(column or "a column without a name", "is no column of this table", f"use {known}")
    if not rows:
        table.wrong("the file", "has no rows", "add them")
    for column in needed:
        if rows and column not in found:
            table.wrong(column, "is missing", "add this column")
    table.rows = [Row(table, where, values) for where, values in rows]


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(where it stands, its values as text) of each row; ValueError where it is no table."""
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix == ".json":
        yield from _json_rows(json.loads(text))
        return
    lines = csv.reader(io.StringIO(text), strict=True)
    header = [column.strip() for column in next(lines, [])]
    for line in lines:
        if not any(line):
            continue
        if len(line) != len(header):
            raise ValueError(f"line {lines.line_num} has {len(line)} values for {len(header)} columns")
        yield f"line {lines.line_num}", dict(zip(header, line, strict=True))


def _json_rows(document: Any) -> Iterator[tuple[str, dict[str, str]]]:
    if not (isinstance(document, list) and all(isinstance(entry, dict) for entry in document)):
        raise ValueError("it should be a list of objects")
    for number, entry in enumerate(document, 1):
        yield f"entry {number}", {str(name): "" if value is None else str(value) for name, value in entry.items()}
