"""A manifest cut into spans of time, so that a difference between two places names what is missing.

Two levels are enough: whole days tell which devices differ, minutes of these tell what to send again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

MINUTE_MS = 60_000
DAY_MS = 86_400_000
ALWAYS_MS = 1 << 48

SPAN = np.dtype([("device", "<u2"), ("from_ms", "<i8"), ("readings", "<u8"), ("digest", "<u8")])
"""One device's readings in one span of time; digest as of `tracking.manifest.DeviceCount`."""

_DEVICE_BITS = np.uint64(48)
_TIME = np.uint64(ALWAYS_MS - 1)


def spans_of(identities: np.ndarray, readings: np.ndarray, digests: np.ndarray, span_ms: int) -> np.ndarray:
    """SPAN rows, sorted, of counted readings: identity is device << 48 | time in ms; all uint64, shape (n,)."""
    times = identities & _TIME
    keys = identities - times % np.uint64(span_ms)
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.diff(keys[order], prepend=keys[order][:1] - np.uint64(1)))
    spans = np.zeros(len(first), SPAN)
    if len(first):
        spans["device"] = keys[order][first] >> _DEVICE_BITS
        spans["from_ms"] = keys[order][first] & _TIME
        spans["readings"] = np.add.reduceat(readings[order], first)
        spans["digest"] = np.add.reduceat(digests[order], first)
    return spans


def keys_of(spans: np.ndarray) -> np.ndarray:
    """device << 48 | from_ms of SPAN rows, uint64."""
    return (spans["device"].astype(np.uint64) << _DEVICE_BITS) | spans["from_ms"].astype(np.uint64)


def coarser(spans: np.ndarray, span_ms: int) -> np.ndarray:
    """The same readings in longer spans."""
    return spans_of(keys_of(spans), spans["readings"], spans["digest"], span_ms)


def lacking(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The spans of `here` of which `there` has fewer readings, or as many and not the same ones."""
    readings, digests = np.zeros(len(here), np.uint64), np.zeros(len(here), np.uint64)
    if len(there):
        places = np.minimum(np.searchsorted(keys_of(there), keys_of(here)), len(there) - 1)
        met = keys_of(there)[places] == keys_of(here)
        readings[met], digests[met] = there["readings"][places[met]], there["digest"][places[met]]
    fewer = readings < here["readings"]
    return here[fewer | ((readings == here["readings"]) & (digests != here["digest"]))]


def to_rows(spans: np.ndarray) -> list[list[Any]]:
    """For JSON: [device, from_ms, readings, digest as 16 hexadecimal digits]."""
    return [[device, from_ms, readings, f"{digest:016x}"] for device, from_ms, readings, digest in spans.tolist()]


def from_rows(rows: Sequence[Sequence[Any]]) -> np.ndarray:
    """Reverse of `to_rows`; TypeError, ValueError or OverflowError for what is none."""
    return np.array([(device, from_ms, readings, int(digest, 16)) for device, from_ms, readings, digest in rows], SPAN)


def told(spans: np.ndarray, span_ms: int) -> str:
    """The times of one device's spans in words, neighbours put together: `11:04–11:06, 11:30–11:31 UTC`."""
    starts = np.sort(spans["from_ms"])
    breaks = np.flatnonzero(np.diff(starts) != span_ms) + 1
    ranges = (f"{_clock(run[0])}–{_clock(run[-1] + span_ms)}" for run in np.split(starts, breaks) if len(run))
    return f"{', '.join(ranges)} UTC"


def _clock(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%H:%M}"
