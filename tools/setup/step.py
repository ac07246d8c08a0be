"""A step of the set-up: whether it is done, and how to get there."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.setup.shell import Shell


@dataclass(frozen=True)
class Problem:
    """What stands in the way, as one sentence, and what to do about it."""

    sentence: str
    remedy: str


class SetupError(Exception):
    """Set-up cannot go on. `exit_code` is 2 where the machine or the user has to change something first."""

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(problem.sentence for problem in problems))
        self.problems = problems


class MissingPrerequisite(SetupError):
    """The machine lacks something that set-up does not bring itself."""

    exit_code = 2


@dataclass(frozen=True)
class Step:
    """One thing that must be true of the machine.

    `done` looks and changes nothing; it is asked on every run and has to be quick. `make` makes it true, may be
    killed at any moment and is then simply run again.
    """

    name: str
    title: str
    done: Callable[[], bool]
    make: Callable[["Shell"], None]
    disk_mb: int = 0
    """Room that `make` needs, with what it leaves."""
    seconds: int = 0
    """Usual duration on two cores, told before a long step starts."""


@dataclass(frozen=True)
class Stamp:
    """Remembers of which inputs an output was made, so that it is made again only when they change."""

    file: Path
    inputs: Callable[[], str]
    outputs: tuple[Path, ...] = ()

    def holds(self) -> bool:
        """Whether every output is there and was made of the inputs as they are now."""
        return bool(self.facts()) and all(path.exists() for path in self.outputs)

    def facts(self) -> dict[str, str]:
        """What `write` was told, with the fingerprint; empty where the inputs have changed since."""
        try:
            facts = json.loads(self.file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return facts if facts.get("inputs") == self.inputs() else {}

    def write(self, **facts: str) -> None:
        """Say that the outputs are complete; the last act of a step."""
        write_whole(self.file, json.dumps({"inputs": self.inputs(), **facts}))


def stamped(
    name: str, title: str, stamp: Stamp, make: Callable[["Shell"], None], *, disk_mb: int = 0, seconds: int = 0
) -> Step:
    """A step that is done as long as its stamp holds."""

    def make_and_stamp(shell: "Shell") -> None:
        make(shell)
        stamp.write()

    return Step(name, title, stamp.holds, make_and_stamp, disk_mb, seconds)


def fingerprint(*parts: str | Path) -> str:
    """Hash of texts and files; a folder counts with all its files and their paths in it."""
    digest = sha256()
    for part in parts:
        for name, content in _contents(part):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _contents(part: str | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(part, str):
        yield "", part.encode()
    elif part.is_dir():
        for path in sorted(part.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(part)), path.read_bytes()
    else:
        yield part.name, part.read_bytes()


def write_whole(file: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.write_text(text)
    half.replace(file)


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A folder to build in, on the disk where the result will be; gone afterwards, whatever happened."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix="build-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put(source: Path, target: Path) -> None:
    """Move a finished file or folder into its place in one instant, replacing what was there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)
