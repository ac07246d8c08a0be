"""What a node remembers of what was applied to it, so that any run can go on where another was killed."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from ansible_collections.etape.node.plugins.module_utils.desired import State
from ansible_collections.etape.node.plugins.module_utils.machine import Attributes, Machine

FOLDER = "/var/lib/etape-node"
"""Not with the data: those may outlive the machine, and this tells of the machine alone."""
APPLIED = f"{FOLDER}/applied"
"""Digest of the state that was applied to its end; absent while something is being changed."""
SUMS = f"{FOLDER}/files.sha256"
"""Digests of our files as `sha256sum --check` reads them: a hand edit is seen without a module."""
RECORD = f"{FOLDER}/record.json"

_PRIVATE = Attributes("root", "root", "0700")
_READABLE = Attributes("root", "root", "0600")


@dataclass(frozen=True, slots=True)
class Owned:
    """What is ours on the node, so that it can be taken away without knowing why it came."""

    accounts: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    files: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Path, and the command that undoes what the file brought about."""
    links: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: State) -> "Owned":
        """What a state will own once it is applied."""

        def names(what: str, attribute: str) -> tuple[str, ...]:
            return tuple(getattr(item, attribute) for item in state.every(what))

        return cls(
            accounts=names("accounts", "name"),
            directories=names("directories", "path"),
            files=tuple((file.path, file.undo) for file in state.every("files")),
            links=names("links", "path"),
            units=names("units", "name"),
        )

    def beside(self, other: "Owned") -> "Owned":
        """All that this or `other` owns."""
        return Owned(*(tuple(dict.fromkeys(mine + theirs)) for mine, theirs in self._pairs(other)))

    def without(self, other: "Owned") -> "Owned":
        """What this owns and `other` does not. Accounts and folders stay: they may hold data until a wipe."""
        theirs = {path for path, _ in other.files}
        return Owned(
            files=tuple(file for file in self.files if file[0] not in theirs),
            links=tuple(path for path in self.links if path not in other.links),
            units=tuple(name for name in self.units if name not in other.units),
        )

    def _pairs(self, other: "Owned") -> Iterable[tuple[tuple, tuple]]:
        return ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Record:
    """The node's memory."""

    owned: Owned
    running: dict[str, dict[str, str]]
    """Unit -> path -> digest of what it was last started with; a unit that must restart is not in it."""
    applied: str
    """Digest of the last state that was applied to its end; empty after a run that was stopped."""

    @classmethod
    def read(cls, machine: Machine) -> "Record":
        """An empty record where nothing was ever applied."""
        text = machine.read(RECORD)
        if text is None:
            return cls(Owned(), {}, "")
        fields = json.loads(text)
        owned = {name: tuple(values) for name, values in fields["owned"].items()}
        owned["files"] = tuple((path, tuple(undo)) for path, undo in owned["files"])
        return cls(Owned(**owned), fields["running"], (machine.read(APPLIED) or "").strip())

    def begin(self, machine: Machine, desired: Owned, restarting: Iterable[str]) -> "Record":
        """Before the first change: own what will come, forget what runs with files that will change."""
        running = {unit: causes for unit, causes in self.running.items() if unit not in set(restarting)}
        begun = replace(self, owned=desired.beside(self.owned), running=running, applied="")
        machine.make_directory(FOLDER, _PRIVATE)
        machine.remove(APPLIED)
        begun._write(machine)
        return begun

    def finish(self, machine: Machine, state: State) -> None:
        """After the last change: remember what runs with what, and last of all that the state is reached."""
        units = {unit.name: state.causes(unit) for unit in state.every("units")}
        machine.make_directory(FOLDER, _PRIVATE)
        replace(self, owned=self._kept(state), running=units)._write(machine)
        sums = [f"{hashlib.sha256(file.content.encode()).hexdigest()}  {file.path}\n" for file in state.every("files")]
        machine.write(SUMS, "".join(sums), _READABLE)
        machine.write(APPLIED, state.digest() + "\n", _READABLE)

    def _kept(self, state: State) -> Owned:
        """What the state owns, and accounts and folders of earlier states, which only a wipe removes."""
        kept = Owned(accounts=self.owned.accounts, directories=self.owned.directories)
        return Owned.of(state).beside(kept)

    def _write(self, machine: Machine) -> None:
        fields = {"owned": asdict(self.owned), "running": self.running}
        machine.write(RECORD, json.dumps(fields, indent=1) + "\n", _READABLE)
