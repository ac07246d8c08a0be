"""The edge to the node itself: its files, accounts and systemd. Tests put a fake in its place."""

import contextlib
import fcntl
import grp
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


class MachineError(Exception):
    """A command on the node failed; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """Who may do what with a file or folder; `mode` is four octal digits."""

    owner: str
    group: str
    mode: str


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """What systemd says of a unit."""

    active: bool
    installed: str
    """enabled, disabled, static, masked...; empty where there is no unit file."""

    @property
    def masked(self) -> bool:
        """Whether it was forbidden to start, until the next boot or for good."""
        return self.installed.startswith("masked")


class Machine:
    """A node below `root` (a prefix for tests; / on a real node)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def at(self, path: str) -> Path:
        """Where a path of the node is here."""
        return self.root / path.lstrip("/")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for a run that works on the node already: one whose controller was killed goes on to its end."""
        lock = self.at("/run/lock/etape-node-state")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read(self, path: str) -> str | None:
        """Text of a file; None where there is none. Bytes that are not UTF-8 survive as surrogates."""
        try:
            return self.at(path).read_text(encoding="utf-8", errors="surrogateescape")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def target(self, path: str) -> str | None:
        """What a symbolic link points at; None where there is no link."""
        try:
            return os.readlink(self.at(path))
        except OSError:
            return None

    def attributes(self, path: str) -> Attributes | None:
        """Owner, group and mode; None where there is nothing."""
        try:
            info = self.at(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Attributes(*self._owner(info), f"{stat.S_IMODE(info.st_mode):04o}")

    def _owner(self, info: os.stat_result) -> tuple[str, str]:
        try:
            return pwd.getpwuid(info.st_uid).pw_name, grp.getgrgid(info.st_gid).gr_name
        except KeyError:
            return str(info.st_uid), str(info.st_gid)

    def make_directory(self, path: str, wanted: Attributes) -> None:
        """Create a folder with its parents, or correct its attributes."""
        self.at(path).mkdir(parents=True, exist_ok=True)
        self._give(self.at(path), wanted)

    def write(self, path: str, content: str, wanted: Attributes) -> None:
        """Replace a file at once: whoever reads it sees the old text or the new, never a part."""
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.etape")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._give(fresh, wanted)
        fresh.rename(target)

    def link(self, path: str, target: str) -> None:
        """Point a symbolic link elsewhere at once."""
        here = self.at(path)
        here.parent.mkdir(parents=True, exist_ok=True)
        fresh = here.with_name(f".{here.name}.etape")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.rename(here)

    def remove(self, path: str) -> None:
        """Remove a file, a link or a folder with all that is in it; where a disk is mounted only what is in it."""
        here = self.at(path)
        if self._is_mount(here):
            for entry in here.iterdir():
                self.remove(f"{path}/{entry.name}")
        elif here.is_dir() and not here.is_symlink():
            shutil.rmtree(here)
        else:
            here.unlink(missing_ok=True)

    def _is_mount(self, path: Path) -> bool:
        return path.is_mount()

    def _give(self, path: Path, wanted: Attributes) -> None:
        shutil.chown(path, wanted.owner, wanted.group)
        path.chmod(int(wanted.mode, 8))

    def has_account(self, name: str) -> bool:
        """Whether the system user exists."""
        try:
            pwd.getpwnam(name)
        except KeyError:
            return False
        return True

    def add_account(self, name: str, uid: int, home: str) -> None:
        """Create a system user that nobody logs in as, with a group of its name."""
        home_and_shell = ("--home-dir", home, "--shell", "/usr/sbin/nologin")
        self.run("useradd", "--system", "--uid", str(uid), "--user-group", "--no-create-home", *home_and_shell, name)

    def run(self, *command: str) -> str:
        """Output of a command; MachineError with its last words where it fails."""
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise MachineError(f"`{' '.join(command)}` failed: {words[-1] if words else done.returncode}")
        return done.stdout

    def attempt(self, *command: str) -> None:
        """Run a command that may find nothing to do."""
        subprocess.run(command, capture_output=True)

    def unit_statuses(self, names: Iterable[str]) -> dict[str, UnitStatus]:
        """State of each unit, known to systemd or not, in one question."""
        names = tuple(names)
        if not names:
            return {}
        text = self.run("systemctl", "show", "--property=ActiveState,UnitFileState", "--", *names)
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
        return {
            name: UnitStatus(block["ActiveState"] == "active", block["UnitFileState"])
            for name, block in zip(names, blocks, strict=True)
        }

    def last_words(self, unit: str) -> str:
        """The newest line in the journal of a unit."""
        return self.run("journalctl", "--quiet", "--no-pager", "--output=cat", "--lines=1", f"--unit={unit}").strip()
