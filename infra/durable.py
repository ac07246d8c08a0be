"""Files that survive a kill at any moment. All are for their owner only: mode 0600."""

import os
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, text: str | bytes) -> None:
    """Replace a file by rename, so that a reader or a kill never meets half of it."""
    _written_beside(path, text).replace(path)


def write_once(path: Path, text: str) -> None:
    """Make a file where there is none; of several processes that try at once, the first one's text stays."""
    beside = _written_beside(path, text)
    with suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()


def _written_beside(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
        file.flush()
        os.fsync(file.fileno())
    return temporary
