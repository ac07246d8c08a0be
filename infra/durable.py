"""Files that survive a kill at any moment."""

import os
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Replace a file by rename, so that a reader or a kill never meets half of it. Mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
