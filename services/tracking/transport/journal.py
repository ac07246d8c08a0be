"""The raw log of one race day: every batch as it came, in files that only ever grow.

A folder for each run, in it segments of frames (see `wire`), each with its own CRC. Every start begins a new
segment, so that nothing is ever written after what a crash may have torn.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tracking.manifest import Manifest, Tally
from tracking.records import READING
from tracking.transport.segments import Segments
from tracking.transport.wire import Batch, encode_batch, split_batches

SEGMENT_BYTES = 16 * 1024 * 1024


def newest_run(folder: Path) -> int | None:
    """The last run that has a raw log in this folder."""
    return max((int(run.name) for run in folder.iterdir() if run.name.isdecimal()), default=None)


class Journal:
    """The raw log of one run, open for appending, and the manifest of all that is in it."""

    def __init__(self, folder: Path, run: int) -> None:
        """Read back what is there; raises OSError where the folder cannot be read or made."""
        self.run = run
        self.damaged = 0
        """Bytes of the log that are no whole batch."""
        self._segments = Segments(folder / str(run), SEGMENT_BYTES)
        self.tally = Tally()
        for readings, damaged in self.read():
            self.tally.add(readings)
            self.damaged += damaged

    def append(self, batches: Sequence[Batch]) -> int:
        """Write batches and wait until the disk has them; returns how many readings were new. Raises OSError."""
        self._segments.append(b"".join(map(encode_batch, batches)))
        return int(self.tally.add(np.concatenate([batch.readings for batch in batches])).sum())

    def read(self) -> Iterator[tuple[np.ndarray, int]]:
        """Of each segment (its readings as READING (n,), its bytes that are no whole batch)."""
        for path in self._segments.paths():
            batches, damaged = split_batches(path.read_bytes())
            yield np.concatenate([np.zeros(0, READING), *(batch.readings for batch in batches)]), damaged

    def manifest(self, by_minutes: bool = False) -> Manifest:
        """Of all readings in the log, each once."""
        return self.tally.manifest(self.run, by_minutes)

    def close(self) -> None:
        """Also makes the next `append` begin a new segment."""
        self._segments.close()
