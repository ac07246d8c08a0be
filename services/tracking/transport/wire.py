"""Frames on the wire: readings in datagrams and batches, rider states in frames; each ends with its own CRC-32.

All are little-endian: an envelope (magic, version, kind, number of rows), the kind's own header, the rows as
`tracking.records` lays them out, and the CRC-32 of everything before it. So a frame can also be appended to a
file and found whole again.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tracking.records import READING, RIDER_STATE

MAGIC = b"ETAP"
VERSION = 2
DATAGRAM_ROWS = 50
"""Readings in a datagram: it stays below the MTU of every link on its way."""
MAX_ROWS = 0xFFFF

_ENVELOPE = struct.Struct("<4sBBH")
_BATCH = struct.Struct("<QQq")
_STATES = struct.Struct("<QqqqBffQQQ")
_CRC = struct.Struct("<I")

_EARLIEST_MS = 946_684_800_000  # 2000-01-01; a receiver without a fix counts from 1980 or 1970
_LATEST_MS = 4_102_444_800_000  # 2100-01-01
_DAY_MS = 86_400_000


class Kind(IntEnum):
    """What a frame carries."""

    DATAGRAM = 1
    BATCH = 2
    STATES = 3


class DecodeError(ValueError):
    """Bytes that are not the frame they should be; the text says why."""


class RaceStatus(IntEnum):
    """Where the race is in its day."""

    WAITING = 0
    LIVE = 1
    FINISHED = 2


@dataclass(frozen=True, eq=False)
class Batch:
    """All readings that a relay took in during one interval."""

    run: int
    """When the truck's stream of this race day was created, Unix seconds; the same in every batch of the day."""
    seq: int
    """Rises by one a batch, and over restarts of the relay."""
    sent_at_ns: int
    """When the relay handed it to the truck's broker, Unix nanoseconds."""
    readings: np.ndarray
    """READING, shape (n,)."""


@dataclass(frozen=True, eq=False)
class StateFrame:
    """All riders at one second of the race, and how the processor came to know."""

    run: int
    clock_ms: int
    """Race clock, Unix milliseconds."""
    ingest_ns: int
    """`sent_at_ns` of the newest batch in it."""
    published_ns: int
    status: RaceStatus
    speed_factor: float
    """Race seconds in a second; 1 for a real race."""
    per_second: float
    """Readings processed in a second, of late."""
    readings: int
    duplicates: int
    late: int
    """Readings so far; refused because already known; refused because too old to change anything."""
    riders: np.ndarray
    """RIDER_STATE, shape (n,)."""


def encode_datagrams(readings: np.ndarray) -> Iterator[bytes]:
    """READING rows as datagrams small enough for any link."""
    for start in range(0, len(readings), DATAGRAM_ROWS):
        yield _frame(Kind.DATAGRAM, b"", readings[start : start + DATAGRAM_ROWS], READING)


def decode_datagram(frame: bytes) -> np.ndarray:
    """READING rows of a datagram, shape (n,); DecodeError."""
    return _open(frame, Kind.DATAGRAM, 0, READING)[1]


def encode_batch(batch: Batch) -> bytes:
    """The bytes of a batch; ValueError beyond `MAX_ROWS` readings."""
    return _frame(Kind.BATCH, _BATCH.pack(batch.run, batch.seq, batch.sent_at_ns), batch.readings, READING)


def decode_batch(frame: bytes) -> Batch:
    """The batch in these bytes, its readings a read-only view of them; DecodeError."""
    header, readings = _open(frame, Kind.BATCH, _BATCH.size, READING)
    run, seq, sent_at_ns = _BATCH.unpack(header)
    return Batch(run, seq, sent_at_ns, readings)


def encode_states(frame: StateFrame) -> bytes:
    """The bytes of a state frame; ValueError beyond `MAX_ROWS` riders."""
    header = _STATES.pack(
        frame.run,
        frame.clock_ms,
        frame.ingest_ns,
        frame.published_ns,
        frame.status,
        frame.speed_factor,
        frame.per_second,
        frame.readings,
        frame.duplicates,
        frame.late,
    )
    return _frame(Kind.STATES, header, frame.riders, RIDER_STATE)


def decode_states(frame: bytes) -> StateFrame:
    """The state frame in these bytes, its riders a read-only view of them; DecodeError."""
    header, riders = _open(frame, Kind.STATES, _STATES.size, RIDER_STATE)
    run, clock_ms, ingest_ns, published_ns, status, factor, rate, readings, duplicates, late = _STATES.unpack(header)
    if status not in list(RaceStatus):
        raise DecodeError(f"unknown race status {status}")
    return StateFrame(
        run=run,
        clock_ms=clock_ms,
        ingest_ns=ingest_ns,
        published_ns=published_ns,
        status=RaceStatus(status),
        speed_factor=factor,
        per_second=rate,
        readings=readings,
        duplicates=duplicates,
        late=late,
        riders=riders,
    )


def decode_told(frame: bytes, race_start_ms: int, now_s: float) -> StateFrame:
    """As `decode_states`; DecodeError also for one that no processor of this day can have told by now.

    Whoever believed it would take all that is told afterwards for old. `now_s`: Unix seconds.
    """
    found = decode_states(frame)
    if not has_begun(found.run, now_s):
        raise DecodeError(f"run {found.run} has not begun")
    if abs(found.clock_ms - race_start_ms) > _DAY_MS:
        raise DecodeError(f"race clock {found.clock_ms} is not of this day")
    return found


def split_batches(log: bytes) -> tuple[list[Batch], int]:
    """All whole batches of a file of batches, and the number of bytes that belong to none.

    What a crash or a full disk tore is stepped over, to the next frame that is whole.
    """
    batches = []
    start = damaged = 0
    while start < len(log):
        end = start + _batch_size(log, start)
        try:
            batches.append(decode_batch(log[start:end]))
        except DecodeError:
            end = log.find(MAGIC, start + 1)
            end = len(log) if end < 0 else end
            damaged += end - start
        start = end
    return batches, damaged


def _batch_size(log: bytes, start: int) -> int:
    """What the envelope at `start` says; that of an empty batch where there is none."""
    envelope = log[start : start + _ENVELOPE.size]
    count = _ENVELOPE.unpack(envelope)[3] if len(envelope) == _ENVELOPE.size else 0
    return _ENVELOPE.size + _BATCH.size + count * READING.itemsize + _CRC.size


def defects(readings: np.ndarray, race_start_ms: int | None = None) -> dict[str, np.ndarray]:
    """Masks of the READING rows that cannot be a fix on Earth in this century, by reason; no device has number 0.

    With `race_start_ms` (Unix milliseconds) nor one of more than a day before or after it.
    """
    on_earth = (np.abs(readings["lat"]) <= 90.0) & (np.abs(readings["lon"]) <= 180.0)  # NaN compares as false
    earliest, latest = _EARLIEST_MS, _LATEST_MS
    if race_start_ms is not None:
        earliest, latest = race_start_ms - _DAY_MS, race_start_ms + _DAY_MS
    times = readings["time_ms"]
    return {"device": readings["device"] == 0, "position": ~on_earth, "clock": (times < earliest) | (times >= latest)}


def plausible(readings: np.ndarray, race_start_ms: int | None = None) -> np.ndarray:
    """Mask of the READING rows that have none of the `defects`."""
    return ~np.logical_or.reduce(tuple(defects(readings, race_start_ms).values()))


def has_begun(run: int, now_s: float) -> bool:
    """Whether a truck can have made its stream by now (`now_s`: Unix seconds), even with a clock a day ahead."""
    return run < now_s + _DAY_MS / 1000


def _frame(kind: Kind, header: bytes, rows: np.ndarray, dtype: np.dtype) -> bytes:
    if len(rows) > MAX_ROWS:
        raise ValueError(f"{len(rows)} rows do not fit into a frame; send at most {MAX_ROWS}")
    body = _ENVELOPE.pack(MAGIC, VERSION, kind, len(rows)) + header + rows.astype(dtype, copy=False).tobytes()
    return body + _CRC.pack(zlib.crc32(body))


def _open(frame: bytes, kind: Kind, header_size: int, dtype: np.dtype) -> tuple[bytes, np.ndarray]:
    """The header's bytes and the rows, after every check."""
    if len(frame) < _ENVELOPE.size:
        raise DecodeError(f"{len(frame)} bytes are too few for an envelope")
    magic, version, found, count = _ENVELOPE.unpack_from(frame)
    if magic != MAGIC:
        raise DecodeError(f"begins with {magic!r}, not {MAGIC!r}")
    if version != VERSION:
        raise DecodeError(f"version {version} is not known here, only {VERSION}")
    if found != kind:
        raise DecodeError(f"kind {found} came where {kind.name.lower()} ({kind}) was expected")
    start = _ENVELOPE.size + header_size
    end = start + count * dtype.itemsize
    if len(frame) != end + _CRC.size:
        raise DecodeError(f"{len(frame)} bytes instead of {end + _CRC.size} for {count} rows")
    if zlib.crc32(memoryview(frame)[:end]) != _CRC.unpack_from(frame, end)[0]:
        raise DecodeError("the checksum does not match")
    return frame[_ENVELOPE.size : start], np.frombuffer(frame, dtype, count, start)
