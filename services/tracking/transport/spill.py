"""Where batches wait that no longer fit into memory: a bounded folder of segments of frames, oldest first.

Each segment is deleted as a whole once the broker has it. They outlive the process; what is in them after a crash
goes to the broker again, where it is known.
"""

from pathlib import Path

from tracking.transport.segments import Segments
from tracking.transport.wire import Batch, encode_batch, split_batches

SEGMENT_BYTES = 4 * 1024 * 1024


class Spill:
    """A folder that never grows beyond `limit_bytes`."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Finds what an earlier process left; OSError where the folder cannot be made or read."""
        self._segments = Segments(folder, min(SEGMENT_BYTES, limit_bytes))
        self._limit_bytes = limit_bytes
        self.bytes = self._size()

    def put(self, batch: Batch) -> None:
        """On the disk when it returns; OSError where the folder is full or the disk does not take it."""
        frame = encode_batch(batch)
        if self.bytes + len(frame) > self._limit_bytes:
            raise OSError(f"{self._limit_bytes} bytes are its limit")
        try:
            self._segments.append(frame)
            self.bytes += len(frame)
        except OSError:
            self.bytes = self._size()
            raise

    def oldest(self) -> list[Batch] | None:
        """The batches of the oldest segment, in order; None where nothing waits."""
        paths = self._segments.paths()
        if not paths:
            return None
        if len(paths) == 1:
            self.close()
        return split_batches(paths[0].read_bytes())[0]

    def forget_oldest(self) -> None:
        """Delete the segment that `oldest` gave."""
        self._segments.paths()[0].unlink()
        self.bytes = self._size()

    def close(self) -> None:
        """The next `put` begins a new segment."""
        self._segments.close()

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._segments.paths())
