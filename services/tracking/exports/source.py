"""Where exported states come from: a file of `scripts/replay`, or a stage in the archive, as `replay.sheet` has it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tracking.records import RIDER_STATE
from tracking.replay.sheet import NOTES, table_of
from tracking.store.parts import PartStore, Shelf

NEEDED = ("time_ms", "rider", "lat", "lon", "speed_kmh", "quality", "revision")


class SourceError(Exception):
    """States that cannot be exported; one sentence."""


def from_file(path: Path) -> Iterator[pa.Table]:
    """The states of a file, a row group after the other; SourceError."""
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise SourceError(f"{path}: is not there. Make it with scripts/replay.") from None
    except (pa.ArrowException, OSError):
        raise SourceError(f"{path}: is no whole Parquet file; it was cut short or is something else.") from None
    missing = [name for name in NEEDED if name not in file.schema_arrow.names]
    if missing:
        raise SourceError(f"{path}: has no column {', '.join(missing)}. Make it with scripts/replay.")
    names = [name for name in file.schema_arrow.names if name in NOTES]
    for number in range(file.num_row_groups):
        yield file.read_row_group(number, columns=names)


def from_archive(store: PartStore, shelf: Shelf) -> Iterator[pa.Table]:
    """The states of a stage's run, each second in its last revision; part by part, so not always in order.

    Raises one of `STORE_TROUBLE`.
    """
    last = _last_revisions(store, shelf)
    for rows in store.read(shelf, RIDER_STATE):
        wanted = rows["revision"] == [last[time_ms] for time_ms in rows["time_ms"].tolist()]
        if wanted.any():
            yield table_of(rows[wanted])


def _last_revisions(store: PartStore, shelf: Shelf) -> dict[int, int]:
    last: dict[int, int] = {}
    for rows in store.read(shelf, RIDER_STATE, ("time_ms", "revision")):
        told = np.unique(rows[["time_ms", "revision"]])
        for time_ms, revision in told.tolist():
            last[time_ms] = max(last.get(time_ms, 0), revision)
    return last


def chosen(tables: Iterator[pa.Table], riders: frozenset[str], every_s: int) -> Iterator[pa.Table]:
    """Of these riders only (all where there are none), and every so many seconds of the Unix clock."""
    for table in tables:
        wanted = np.asarray(table["time_ms"]) // 1000 % every_s == 0
        if riders:
            names = pc.cast(table["rider"], pa.string())
            wanted &= np.asarray(pc.is_in(names, pa.array(sorted(riders))))
        if wanted.any():
            yield table.filter(pa.array(wanted))
