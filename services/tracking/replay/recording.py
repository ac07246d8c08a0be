"""A recording of anyone's: riders' positions in Parquet or CSV, in any order, with any faults, as READINGs in order.

Rows that cannot be a position are left out and counted by reason. What is too much for memory waits in a file.
"""

import codecs
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from tracking.records import READING
from tracking.transport.wire import defects

NUMBERS = ("time_ms", "lat", "lon")
COLUMNS = ("rider", *NUMBERS)
SEPARATORS = ",;\t|"
BATCH_ROWS = 1 << 20
CSV_BLOCK_BYTES = 1 << 24
IN_MEMORY_ROWS = 12_000_000
"""More than a stage of the whole field; beyond, the rows wait on disk."""
SLICE_ROWS = 6_000_000
MINUTE_MS = 60_000
LONGEST_SILENCE_MIN = 60
"""What is this far from the bulk of a recording has the wrong date; a field is never silent for so long."""
MOST_RIDERS = 65_535
ROLLOVER_MS = 1024 * 7 * 86_400_000
"""A receiver counts its weeks up to 1,024 and begins anew: so far back lie the times of one that missed it."""
CENTURY_MS = 946_684_800_000
"""2000-01-01. No race before it was recorded like this."""

Progress = Callable[[int], None]
"""Told how many rows were read so far."""


class RecordingError(Exception):
    """A recording that cannot be used; `mistakes` holds a sentence for each reason."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, eq=False)
class Recording:
    """What was read."""

    riders: pa.Array
    """(r,) as the file names them, ascending; READING `device` is the place in it, from 1."""
    readings: np.ndarray
    """READING (n,) in the order of the file; in memory or mapped from a temporary file."""
    first_ms: int
    """The whole second of the first fix that belongs to the race ..."""
    last_ms: int
    """... and of the last one."""
    refused: Mapping[str, int]
    """Rows that were left out, by reason."""

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return len(self.readings) + sum(self.refused.values())

    def set_right(self, ahead_ms: Mapping[int, int]) -> "Recording":
        """The same with the times of devices (each ahead by so much) set right; the readings are changed in place."""
        if not ahead_ms:
            return self
        error_ms = np.zeros(len(self.riders) + 1, np.int64)
        error_ms[list(ahead_ms)] = list(ahead_ms.values())
        for begin in range(0, len(self.readings), BATCH_ROWS):
            rows = self.readings[begin : begin + BATCH_ROWS]
            rows["time_ms"] -= error_ms[rows["device"]]
        first_ms, last_ms = _span(self.readings["time_ms"])
        return replace(self, first_ms=first_ms, last_ms=last_ms)

    def in_order(self) -> Iterator[np.ndarray]:
        """READINGs (n,) of one stretch of time after the other, each sorted by time, cut at whole seconds."""
        for from_ms, to_ms in self._stretches():
            times = self.readings["time_ms"]
            stretch = self.readings[(times > from_ms) & (times <= to_ms)]
            yield stretch[np.argsort(stretch["time_ms"], kind="stable")]

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """(from, to] in Unix milliseconds, each of about `SLICE_ROWS`."""
        span_ms = self.last_ms - self.first_ms + 1000
        count = max(round(len(self.readings) / SLICE_ROWS), 1)
        step_ms = -(-span_ms // count // 1000) * 1000
        for from_ms in range(self.first_ms - 1000, self.last_ms, step_ms):
            yield from_ms, min(from_ms + step_ms, self.last_ms)


def read_recording(path: Path, progress: Progress = lambda rows: None) -> Recording:
    """The recording in a file, or in all Parquet files of a folder; RecordingError with every mistake."""
    names: dict[str | int, int] = {}
    refused: Counter[str] = Counter()
    with _Heap() as heap:
        try:
            for batch in _batches(path):
                heap.add(_readings_of(batch, names, refused))
                progress(heap.rows)
        except (pa.ArrowException, OSError) as error:
            raise RecordingError(
                (f"{path}: cannot be read to its end ({_first_line(error)}). Copy it again.",)
            ) from None
        readings = heap.all()
    if not len(readings):
        why = ", ".join(f"{count} rows: {reason}" for reason, count in refused.items()) or "it has no rows"
        remedy = f"Give rows of {', '.join(COLUMNS)}, times in Unix milliseconds, places in degrees"
        raise RecordingError((f"{path}: holds no position ({why}). {remedy}.",))
    riders = _sorted_names(names)
    _renumber(readings, names, riders)
    first, last, astray = _race_hours(readings["time_ms"])
    if astray.any():
        times = readings["time_ms"][astray] + ROLLOVER_MS
        readings["time_ms"][astray] = times
        lost = np.flatnonzero(astray)[(times // MINUTE_MS < first) | (times // MINUTE_MS > last)]
        refused["clock far from the others"] = len(lost)
        refused += Counter()
        readings = np.delete(readings, lost)
    return Recording(riders, readings, *_span(readings["time_ms"]), refused)


class _Heap:
    """Rows that pile up: in memory, and beyond `IN_MEMORY_ROWS` in a temporary file that has no name."""

    def __init__(self) -> None:
        self.rows = 0
        self._chunks: list[np.ndarray] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "_Heap":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()  # what is mapped stays until nobody needs it

    def add(self, readings: np.ndarray) -> None:
        self.rows += len(readings)
        self._chunks.append(readings)
        if self._file is None and self.rows > IN_MEMORY_ROWS:
            self._file = tempfile.TemporaryFile(prefix="etape-replay-")  # noqa: SIM115  # `__exit__` closes it
        if self._file is not None:
            for chunk in self._chunks:
                self._file.write(chunk.tobytes())
            self._chunks.clear()

    def all(self) -> np.ndarray:
        if self._file is None:
            return np.concatenate([np.zeros(0, READING), *self._chunks])
        self._file.flush()
        return np.memmap(self._file, READING, "r+", shape=(self.rows,))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The four columns, a batch after the other."""
    if path.is_dir():
        files = sorted(path.rglob("*.parquet"))
        if not files:
            raise RecordingError((f"{path}: has no Parquet file in it. Name a file, or a folder that has some.",))
        for file in files:
            yield from _parquet_batches(file)
    elif not path.is_file():
        raise RecordingError((f"{path}: is not there. Name a recording in Parquet or CSV.",))
    elif path.stat().st_size == 0:
        raise RecordingError((f"{path}: is empty. Give a recording with the columns {', '.join(COLUMNS)}.",))
    elif path.suffix.lower() == ".csv":
        yield from _csv_batches(path)
    elif path.suffix.lower() == ".parquet" or _begins_as_parquet(path):
        yield from _parquet_batches(path)
    else:
        raise RecordingError((f"{path}: is neither Parquet nor CSV. Export it as one of these.",))


def _begins_as_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid:
        reason = "is no whole Parquet file; it was cut short or is something else"
        raise RecordingError((f"{path}: {reason}. Copy it again.",)) from None
    _check(path, file.schema_arrow)
    yield from file.iter_batches(BATCH_ROWS, columns=list(COLUMNS))


def _csv_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """As text: one bad row must not spoil the others."""
    _check_text(path)
    separator, names = _heading(path)
    texts = {name: pa.string() for name in COLUMNS}
    try:
        reader = pc.open_csv(
            path,
            pc.ReadOptions(block_size=CSV_BLOCK_BYTES, column_names=names, skip_rows=1),
            pc.ParseOptions(delimiter=separator, invalid_row_handler=lambda row: "skip"),
            pc.ConvertOptions(column_types=texts, strings_can_be_null=True),
        )
    except pa.ArrowInvalid as error:
        raise RecordingError((f"{path}: is no CSV ({_first_line(error)}). Export it again.",)) from None
    _check(path, reader.schema)
    for batch in reader:
        yield batch.select(COLUMNS)


def _heading(path: Path) -> tuple[str, list[str]]:
    """(separator, names of the columns) by the first line, whatever wrote it."""
    with path.open(encoding="utf-8-sig") as file:
        line = file.readline().rstrip("\r\n")
    separator = max(SEPARATORS, key=line.count)
    return separator, [name.strip().strip('"').strip().lower() for name in line.split(separator)]


def _check_text(path: Path) -> None:
    """Raises RecordingError for what is not text: Arrow prints a traceback where a bad row is none."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(CSV_BLOCK_BYTES):
                decoder.decode(block)
        except UnicodeDecodeError:
            raise RecordingError((f"{path}: is not text in UTF-8. Export it as CSV again.",)) from None


def _check(path: Path, schema: pa.Schema) -> None:
    """Raises RecordingError for columns that are missing or hold something else."""
    mistakes = []
    for name in COLUMNS:
        if schema.names.count(name) != 1:
            found = ", ".join(schema.names) or "none"
            mistakes.append(f"{path}: column {name} is missing or twice there (columns: {found}). Name it once.")
            continue
        kind = schema.field(name).type
        wanted = "whole numbers or text" if name == "rider" else "numbers"
        if not _fits(name, kind):
            mistakes.append(f"{path}: column {name} holds {kind}, not {wanted}. Convert it.")
    if mistakes:
        raise RecordingError(tuple(mistakes))


def _fits(name: str, kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return text or number or (name == "time_ms" and pa.types.is_timestamp(kind))


def _readings_of(batch: pa.RecordBatch, names: dict[str | int, int], refused: Counter[str]) -> np.ndarray:
    """READINGs of the rows that can be positions; `names` and `refused` are carried on."""
    frame = pl.DataFrame(pl.from_arrow(batch))
    if frame.schema["time_ms"].is_temporal():
        frame = frame.with_columns(pl.col("time_ms").dt.epoch("ms"))
    texts = [name for name in NUMBERS if frame.schema[name] == pl.String]
    frame = frame.with_columns(pl.col(texts).str.strip_chars().str.replace(",", ".", literal=True))  # a decimal comma
    numbers = frame.select(pl.col(NUMBERS).cast(pl.Float64, strict=False))
    columns = {name: numbers[name].fill_null(np.nan).to_numpy() for name in numbers.columns}
    known = np.isfinite(columns["time_ms"]) & (np.abs(columns["time_ms"]) < 2.0**53)
    rolled_over = (columns["time_ms"] < CENTURY_MS) & (columns["time_ms"] >= CENTURY_MS - ROLLOVER_MS)
    readings = np.zeros(len(frame), READING)
    readings["device"] = _numbered(frame["rider"], names)
    readings["time_ms"][known] = np.rint(columns["time_ms"][known])
    readings["time_ms"][rolled_over] += ROLLOVER_MS
    readings["lat"], readings["lon"] = columns["lat"], columns["lon"]
    good = np.ones(len(readings), bool)
    reasons = {"device": "no rider", "position": "position not on Earth", "clock": "time of another century"}
    for reason, wrong in defects(readings).items():
        refused[reasons[reason]] += int((wrong & good).sum())
        good &= ~wrong
    refused += Counter()  # in place: reasons that nothing was refused for go
    return readings[good]


def _numbered(riders: pl.Series, names: dict[str | int, int]) -> np.ndarray:
    """A number from 1 for each rider (u2), the same in every batch; 0 where the rider is not named."""
    if riders.dtype.is_float() or riders.dtype.is_decimal():
        riders = riders.cast(pl.Int64, strict=False)
    elif not riders.dtype.is_integer():
        riders = riders.cast(pl.String).str.strip_chars().replace("", None)
    codes = riders.unique().drop_nulls()
    for name in codes.to_list():
        names.setdefault(name, len(names) + 1)
    if len(names) > MOST_RIDERS:
        raise RecordingError((f"the column rider has more than {MOST_RIDERS} riders. Give the rider's number in it.",))
    if not len(codes):
        return np.zeros(len(riders), np.uint16)
    numbers = [names[name] for name in codes.to_list()]
    told = riders.replace_strict(codes, pl.Series(numbers, dtype=pl.UInt16), default=0, return_dtype=pl.UInt16)
    return told.fill_null(0).to_numpy()


def _sorted_names(names: Mapping[str | int, int]) -> pa.Array:
    """The riders ascending; as whole numbers where all of them are."""
    try:
        whole = {int(name): name for name in names}
        if len(whole) == len(names) and all(str(number) == str(name) for number, name in whole.items()):
            return pa.array(sorted(whole), pa.int64())
    except (ValueError, OverflowError):
        pass
    return pa.array(sorted(map(str, names)), pa.string())


def _renumber(readings: np.ndarray, names: Mapping[str | int, int], riders: pa.Array) -> None:
    """From the order in which riders were met to their order."""
    place = {str(name): number for number, name in enumerate(riders.to_pylist(), 1)}
    ordered = np.zeros(len(names) + 1, np.uint16)
    ordered[list(names.values())] = [place[str(name)] for name in names]
    readings["device"] = ordered[readings["device"]]


def _race_hours(times: np.ndarray) -> tuple[int, int, np.ndarray]:
    """(first minute, last minute, mask of what does not belong to them), by where the bulk of the fixes is."""
    minutes = times // MINUTE_MS
    seen, count = np.unique(minutes, return_counts=True)
    stretch = np.concatenate(([0], np.cumsum(np.diff(seen) > LONGEST_SILENCE_MIN)))
    bulk = np.bincount(stretch, count).argmax()
    first, last = seen[stretch == bulk][[0, -1]].tolist()
    return first, last, (minutes < first) | (minutes > last)


def _span(times: np.ndarray) -> tuple[int, int]:
    """The whole seconds (from, to) that hold all times (n,)."""
    return int(times.min()) // 1000 * 1000, -(-int(times.max()) // 1000) * 1000


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
