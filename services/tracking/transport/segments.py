"""Numbered files in a folder that only ever grow, so that nothing is written after what a crash may have torn."""

import os
from io import FileIO
from pathlib import Path


class Segments:
    """The files of one folder, oldest first; every start begins a new one."""

    def __init__(self, folder: Path, segment_bytes: int) -> None:
        """Makes the folder where it is missing; OSError. A file is closed when it has `segment_bytes`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._open: FileIO | None = None

    def paths(self) -> list[Path]:
        """All files, also the open one."""
        return sorted(self._folder.glob("*.log"))

    def append(self, data: bytes) -> None:
        """On the disk when it returns. After an OSError a part may be in the file; the next append begins another."""
        left = memoryview(data)
        segment = self._writable()
        try:
            while left:  # a disk that is nearly full takes a part
                left = left[segment.write(left) :]
            os.fdatasync(segment.fileno())
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Also makes the next `append` begin a new file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _writable(self) -> FileIO:
        if self._open is not None and self._open.tell() >= self._segment_bytes:
            self.close()
        if self._open is None:
            last = max((int(path.stem) for path in self.paths()), default=0)
            self._open = FileIO(self._folder / f"{last + 1:06d}.log", "xb")
        return self._open
