"""The files of a state backend, wherever they are: a folder here or a bucket for a team."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from infra.durable import write_durably


class StateError(Exception):
    """The state cannot be reached, or holds what is not a state; the message says what and what to do."""


class StateObjects(Protocol):
    """Keys are paths from the backend's root, such as `.pulumi/stacks/etape/2017-s09.json`."""

    def read(self, key: str) -> str | None:
        """The text of one object; None where there is none."""

    def list(self, prefix: str) -> Iterable[str]:
        """Keys under a folder, sorted."""

    def write(self, key: str, text: str) -> None:
        """Make or replace one object, all of it or nothing."""

    def delete(self, key: str) -> None:
        """Remove one object; that there is none is no error."""

    def place(self, key: str) -> str:
        """How people name the object."""


class FolderObjects:
    """A state on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> str | None:
        path = self._folder / key
        return path.read_text(errors="replace") if path.exists() else None

    def list(self, prefix: str) -> Iterable[str]:
        found = (path for path in (self._folder / prefix).rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self._folder)) for path in found)

    def write(self, key: str, text: str) -> None:
        write_durably(self._folder / key, text)

    def delete(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def place(self, key: str) -> str:
        return str(self._folder / key)
