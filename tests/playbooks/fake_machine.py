"""A node in a folder: real files, and a systemd that only remembers what it was told."""

from collections.abc import Iterable
from pathlib import Path

from ansible_collections.etape.node.plugins.module_utils.machine import Attributes, Machine, UnitStatus


class Killed(BaseException):
    """The run ends here, as by SIGKILL: nothing after it happens, and no handler for errors sees it."""


class FakeMachine(Machine):
    """Files below `root` are real; owners, mounts, accounts and units are remembered."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.commands: list[str] = []
        self.accounts: set[str] = set()
        self.owners: dict[Path, tuple[str, str]] = {}
        self.mounts: set[str] = set()
        self.active: set[str] = set()
        self.enabled: set[str] = set()
        self.masked: set[str] = set()
        self.broken: set[str] = set()
        """Units that do not start."""
        self.kill_after: int | None = None
        """Number of changes that still succeed."""
        self.changes = 0

    def _count(self) -> None:
        if self.kill_after is not None and self.changes >= self.kill_after:
            raise Killed
        self.changes += 1

    def write(self, path: str, content: str, wanted: Attributes) -> None:
        self._count()
        super().write(path, content, wanted)

    def make_directory(self, path: str, wanted: Attributes) -> None:
        self._count()
        super().make_directory(path, wanted)

    def link(self, path: str, target: str) -> None:
        self._count()
        super().link(path, target)

    def remove(self, path: str) -> None:
        self._count()
        super().remove(path)

    def attributes(self, path: str) -> Attributes | None:
        found = super().attributes(path)
        return found and Attributes(*self.owners.get(self.at(path), ("root", "root")), found.mode)

    def _is_mount(self, path: Path) -> bool:
        return path in map(self.at, self.mounts)

    def _give(self, path: Path, wanted: Attributes) -> None:
        path.chmod(int(wanted.mode, 8))
        final = path.with_name(path.name[1:].removesuffix(".etape")) if path.name.endswith(".etape") else path
        self.owners[final] = (wanted.owner, wanted.group)

    def has_account(self, name: str) -> bool:
        return name in self.accounts

    def add_account(self, name: str, uid: int, home: str) -> None:
        self._count()
        self.accounts.add(name)

    def run(self, *command: str) -> str:
        self._count()
        self.commands.append(" ".join(command))
        match command:
            case ("systemctl", "--no-reload", "unmask", *units):
                self.masked -= set(units)
            case ("systemctl", "--no-reload", "enable", *units):
                assert not self.masked & set(units), "systemd refuses to enable a masked unit"
                self.enabled |= set(units)
            case ("systemctl", "--no-reload", "disable", *units):
                self.enabled -= set(units)
            case ("systemctl", "restart", *units):
                self.active |= set(units) - self.broken
            case ("systemctl", "stop", *units):
                self.active -= set(units)
            case ("userdel", name):
                self.accounts.discard(name)
        return ""

    def attempt(self, *command: str) -> None:
        self.run(*command)

    def unit_statuses(self, names: Iterable[str]) -> dict[str, UnitStatus]:
        return {name: UnitStatus(name in self.active, self._installed(name)) for name in names}

    def _installed(self, unit: str) -> str:
        if unit in self.masked:
            return "masked"
        if unit in self.enabled:
            return "enabled"
        return "disabled" if self.at(f"/etc/systemd/system/{unit}").exists() else ""

    def last_words(self, unit: str) -> str:
        return "no space left on device" if unit in self.broken else ""

    def restarts(self) -> list[str]:
        """Every unit that was restarted or started, in order."""
        told = (command.removeprefix("systemctl restart ") for command in self.commands if " restart " in command)
        return [unit for units in told for unit in units.split()]
