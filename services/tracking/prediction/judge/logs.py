"""What was forecast and what the tracker saw, from the files that they were kept in."""

import json
from pathlib import Path
from typing import Any

import polars as pl

TEXT = "text"
"""Column of archived messages that holds them as they were published."""
NEEDED = ("clock_ms", "catch", "winner", "finish")
STATES = ("time_ms", "rider", "km_to_go", "gap_s", "group", "quality")


class LogError(Exception):
    """A file that cannot be judged; one sentence."""


def read_log(file: Path) -> list[dict[str, Any]]:
    """The forecasts of a race, in order: lines of JSON, or the Parquet of the archive; LogError."""
    try:
        lines = _archived(file) if file.suffix == ".parquet" else file.read_text().splitlines()
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise LogError(f"{file}: cannot be read ({error}). Name a log of forecasts.") from None
    told = [_forecast(file, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not told:
        raise LogError(f"{file}: holds no forecast. Of a time trial there is none; leave it out.")
    return sorted(told, key=lambda one: one["clock_ms"])


def _archived(file: Path) -> list[str]:
    return pl.read_parquet(file, columns=[TEXT])[TEXT].to_list()


def _forecast(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
        missing = [name for name in NEEDED if name not in told]
    except (ValueError, TypeError):
        raise LogError(f"{file}: line {number} is no JSON. Take the log as it was archived.") from None
    if missing:
        raise LogError(f"{file}: line {number} has no {', '.join(missing)}. Take the log as it was archived.")
    return told


def read_states(file: Path) -> pl.DataFrame:
    """`STATES` and, where it is there, seen_ms, as scripts/replay or its export writes them; LogError."""
    try:
        have = pl.read_parquet_schema(file)
        missing = [name for name in STATES if name not in have]
        if missing:
            raise LogError(f"{file}: has no column {', '.join(missing)}. Make it with scripts/replay.")
        return pl.read_parquet(file, columns=[*STATES, *(name for name in ("seen_ms",) if name in have)])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise LogError(f"{file}: cannot be read ({error}). Make it with scripts/replay.") from None
