"""After a stage its many small parts become one: sorted, a minute in each row group, so that any moment is found.

Parts are immutable. The compacted one is written beside them, read back from the store and held against them; only when
it has every row do they go. Whoever reads in between finds rows twice, which every reader of the archive knows to bear.
The archive does it in the evening by itself, when nothing more has come for a while.

Example:
  python -m tracking.replay.compaction --config /etc/etape/archive.json
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tracking.command_line import described_parser
from tracking.service import Mistakes, load_config
from tracking.store.collector import Arrivals, Content, Control, Events, Forecasts, Readings, States, Words
from tracking.store.parts import STORE_TROUBLE, PartStore, Shelf, rows_of

KINDS: tuple[type[Content], ...] = (Readings, States, Arrivals, Control, Events, Forecasts)
ORDER = {
    "readings": ("time_ms", "device"),
    "states": ("time_ms", "revision", "rider"),
    "arrivals": ("seq", "row"),
    **dict.fromkeys((Control.kind, Events.kind, Forecasts.kind), ("seq",)),
}
"""Columns by which the rows of a compacted part are sorted; the first also cuts it into row groups."""
WINDOW_ROWS = 400_000
GROUP_ROWS = 15_000
"""About a minute of all riders' states."""


class CompactionError(Exception):
    """The compacted part is not equal to what it should replace; everything is left as it was."""


@dataclass(frozen=True)
class Compacted:
    """What became of the parts of a kind."""

    kind: str
    parts: int
    rows: int
    repeated: int
    size_bytes: int
    key: str


def compact_stage(store: PartStore, edition: int, stage: int, run: int | None = None) -> Iterator[Compacted]:
    """Every kind, each in the last run where none is named; raises as `compact`."""
    for content in KINDS:
        chosen = 0 if issubclass(content, Words) else run or store.newest_run(content.kind, edition, stage)
        if chosen is not None:
            yield from compact(store, content, Shelf(content.kind, edition, stage, chosen))


def compact(store: PartStore, content: type[Content], shelf: Shelf) -> list[Compacted]:
    """One sorted part instead of many, one for each stream where rows are known by their number in it.

    Raises CompactionError, or one of `STORE_TROUBLE`.
    """
    keys = list(store.keys(shelf.prefix))
    lots = by_stream(keys).values() if content.of_stream else [sorted(keys)]
    return [_compact(store, content, shelf, lot) for lot in lots if len(lot) > 1]


def by_stream(keys: Sequence[str]) -> dict[int, list[str]]:
    """Keys of parts, sorted, by when their stream was created, Unix seconds; the oldest stream first."""
    streams: dict[int, list[str]] = {}
    for key in sorted(keys, key=lambda key: (_created(key), key)):
        streams.setdefault(_created(key), []).append(key)
    return streams


def _created(key: str) -> int:
    return int(Path(key).stem.split("-")[0])


def _compact(store: PartStore, content: type[Content], shelf: Shelf, keys: list[str]) -> Compacted:
    """The new part never takes the place of one that is there: what was killed in the middle has lost nothing."""
    first, last = (Path(keys[end]).stem.split("..")[end].split("~")[0] for end in (0, -1))
    key, again = f"{shelf.prefix}{first}..{last}.parquet", 0
    while key in keys:
        again += 1
        key = f"{shelf.prefix}{first}~{again}..{last}.parquet"
    with tempfile.TemporaryDirectory(prefix="etape-compaction-") as folder:
        file = Path(folder) / "part.parquet"
        kept, total, sums = _write(store, keys, content, file)
        size = file.stat().st_size
        store.put_file(key, file)
    if (kept, sums) != _read_back(store, key, content.dtype):
        store.delete([key])
        raise CompactionError(f"{key} is not equal to its {len(keys)} parts; they stay. Run the compaction again.")
    store.delete([old for old in keys if old != key])
    return Compacted(content.kind, len(keys), kept, total - kept, size, key)


def _write(store: PartStore, keys: list[str], content: type[Content], file: Path) -> tuple[int, int, int]:
    """(rows written, rows read, fingerprint of those written)."""
    kept = total = sums = 0
    writer: pq.ParquetWriter | None = None
    try:
        for window in windows(store, keys, content):
            rows = sorted_once(window, ORDER[content.kind])
            kept, total, sums = kept + len(rows), total + len(window), (sums + fingerprint(rows)) % 2**64
            table = pa.table({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()})
            writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table, row_group_size=GROUP_ROWS)
    finally:
        if writer is not None:
            writer.close()
    return kept, total, sums


def windows(store: PartStore, keys: list[str], content: type[Content]) -> Iterator[np.ndarray]:
    """All rows, in stretches of the first sorted column that follow each other."""
    column = ORDER[content.kind][0]
    files = {key: store.open(key) for key in keys}
    groups = []
    for key, file in files.items():
        place = file.schema_arrow.get_field_index(column)
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            groups.append((group.column(place).statistics.min, key, number))
    groups.sort()
    held = np.zeros(0, content.dtype)
    for i, (_, key, number) in enumerate(groups):
        held = np.concatenate((held, rows_of(files[key].read_row_group(number), content.dtype)))
        until = groups[i + 1][0] if i + 1 < len(groups) else None
        if until is None:
            yield held
        elif len(held) >= WINDOW_ROWS:
            done = held[column] < until
            if done.any():
                yield held[done]
                held = held[~done]


def sorted_once(rows: np.ndarray, order: tuple[str, ...]) -> np.ndarray:
    """Sorted, and of rows that are equal in everything one."""
    rows = rows[np.lexsort([_digests(rows), *(rows[name] for name in reversed(order))])]
    of_texts = rows.dtype.hasobject  # they have no bytes of their own in a row
    plain = _digests(rows) if of_texts else np.ascontiguousarray(rows).view(f"V{rows.dtype.itemsize}")
    return rows[np.concatenate(([True], plain[1:] != plain[:-1]))]


def fingerprint(rows: np.ndarray) -> int:
    """A sum modulo 2^64 of the rows' digests: the same for the same rows in any order."""
    return int(_digests(rows).sum(dtype=np.uint64)) if len(rows) else 0


def _digests(rows: np.ndarray) -> np.ndarray:
    """A 64-bit digest of each row, all its bytes."""
    mixed = np.zeros(len(rows), np.uint64)
    for name in rows.dtype.names or ():
        column = np.ascontiguousarray(rows[name])
        if column.dtype.hasobject:
            bits = np.array([_text_digest(text) for text in column], np.uint64)
        else:
            bits = column.view(f"u{column.dtype.itemsize}").astype(np.uint64)
        mixed = (mixed ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _text_digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def _read_back(store: PartStore, key: str, dtype: np.dtype) -> tuple[int, int]:
    """(rows, fingerprint) of a stored part."""
    count = sums = 0
    file = store.open(key)
    for number in range(file.num_row_groups):
        rows = rows_of(file.read_row_group(number), dtype)
        count, sums = count + len(rows), (sums + fingerprint(rows)) % 2**64
    return count, sums


def main() -> int:
    """0 when every kind is compact; 1 where the store or the parts are to blame; 2 on a mistake."""
    from tracking.archive import ArchiveConfig

    parser = described_parser("python -m tracking.replay.compaction", __doc__)
    parser.add_argument("--config", type=Path, required=True, help="the archive's own config file")
    parser.add_argument("--run", type=int, help="run of the stage; the last where it is left out")
    asked = parser.parse_args()
    try:
        settings = load_config(ArchiveConfig, asked.config)
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)
        return 2
    store, stage = PartStore(settings.object_store), (settings.stage.edition, settings.stage.number)
    try:
        for done in compact_stage(store, *stage, asked.run):
            print(json.dumps(asdict(done)))
    except (CompactionError, *STORE_TROUBLE) as error:
        print(f"{settings.object_store.endpoint}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
