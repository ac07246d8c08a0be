"""The raw log of one race day: every batch as it came, in files that only ever grow.

A folder for each run, in it segments of frames (`tracking.wire`), each with its own CRC. Every start begins a new
segment, so that nothing is ever written after what a crash may have torn.
"""

import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import numpy as np

from tracking.manifest import Manifest, Tally
from tracking.wire import Batch, encode_batch, split_batches

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
        self._folder = folder / str(run)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tally = Tally()
        self._segment: FileIO | None = None
        for segment in self._segments():
            batches, damaged = split_batches(segment.read_bytes())
            self.damaged += damaged
            if batches:
                self._tally.add(np.concatenate([batch.readings for batch in batches]))

    def append(self, batches: Sequence[Batch]) -> int:
        """Write batches and wait until the disk has them; returns how many readings were new. Raises OSError."""
        frames = memoryview(b"".join(map(encode_batch, batches)))
        segment = self._writable()
        try:
            while frames:  # a disk that is nearly full takes a part
                frames = frames[segment.write(frames) :]
            os.fsync(segment.fileno())
        except OSError:
            self.close()
            raise
        return int(self._tally.add(np.concatenate([batch.readings for batch in batches])).sum())

    def manifest(self) -> Manifest:
        """Of all readings in the log, each once."""
        return self._tally.manifest(self.run)

    def close(self) -> None:
        """Also makes the next `append` begin a new segment."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob("*.log"))

    def _writable(self) -> FileIO:
        if self._segment is not None and self._segment.tell() >= SEGMENT_BYTES:
            self.close()
        if self._segment is None:
            last = max((int(segment.stem) for segment in self._segments()), default=0)
            self._segment = FileIO(self._folder / f"{last + 1:06d}.log", "xb")
        return self._segment
