"""The log on disk: what the Manage Centre saw survives its restart. Day events do so in the hub."""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from manage_centre.history import Entry
from manage_centre.incident import Subject
from manage_centre.state import State

KEPT = 500
_FILE_LIMIT = 20 * KEPT


@dataclass
class Journal:
    """The newest entries, in memory and in `log.jsonl`; a line that was torn by a crash is left out."""

    file: Path
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    added: int = 0
    """How many entries came since the start."""
    _lines: int = 0

    def open(self) -> None:
        """Read what an earlier run left."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        self._lines = len(lines)
        self.entries.extend(entry for line in lines[-KEPT:] if (entry := _read(line)))

    def add(self, entries: Iterable[Entry]) -> None:
        """Append; the file is cut to what is kept when it has grown to twenty times that."""
        new = tuple(entries)
        if not new:
            return
        self.entries.extend(new)
        self.added += len(new)
        self._lines += len(new)
        if self._lines > _FILE_LIMIT:
            fresh = self.file.with_suffix(".new")
            fresh.write_text("".join(map(_write, self.entries)))
            fresh.replace(self.file)
            self._lines = len(self.entries)
            return
        with self.file.open("a") as file:
            file.write("".join(map(_write, new)))


def _write(entry: Entry) -> str:
    subject = [entry.subject.kind, entry.subject.key] if entry.subject else None
    return json.dumps([entry.at.isoformat(), entry.kind, entry.text, subject, entry.state]) + "\n"


def _read(line: str) -> Entry | None:
    try:
        at, kind, text, subject, state = json.loads(line)
        return Entry(
            datetime.fromisoformat(at),
            kind,
            text,
            Subject(*subject) if subject else None,
            State(state) if state else None,
        )
    except (ValueError, TypeError):
        return None
