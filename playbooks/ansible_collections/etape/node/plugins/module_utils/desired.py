"""What a node should be: accounts, folders, files, links and units, role by role.

The controller renders these from the roles' `desired.yml` and sends them to the node as plain mappings;
`parse_state` reads them on both ends. Standard library only, because it also runs on the node.
"""

import hashlib
import json
import types
from collections.abc import Iterator
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Mistakes(ValueError):
    """Everything that is wrong with a desired state, one sentence each."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class Account:
    """A system user, with a group of the same name, that nobody logs in as."""

    name: str
    uid: int
    """The same on every machine, because data may outlive the machine on which they were written."""
    home: str


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder of ours; a wipe removes it with all that is in it."""

    path: str
    owner: str = "root"
    group: str = "root"
    mode: str = "0755"


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours. Distribution files are never edited: what we add, a wipe can take away."""

    path: str
    content: str
    owner: str = "root"
    group: str = "root"
    mode: str = "0644"
    secret: bool = False
    """Its content stays out of diffs."""
    undo: tuple[str, ...] = ()
    """Command that takes back what the file brought about in the kernel, run after the file is removed."""
    live: bool = False
    """A running unit takes it over when systemd reloads its files, so a change of it restarts nothing."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit, ours or the distribution's."""

    name: str
    enabled: bool = True
    running: bool = True
    restart_on: tuple[str, ...] = ()
    """Paths of this state whose change restarts it; one that ends with / means all below. Its own unit file
    and drop-ins always count, but for live ones."""


@dataclass(frozen=True, slots=True)
class RoleState:
    """What one role wants."""

    role: str
    accounts: tuple[Account, ...] = ()
    directories: tuple[Directory, ...] = ()
    files: tuple[File, ...] = ()
    links: tuple[Link, ...] = ()
    units: tuple[Unit, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """All that a node should be, in the order in which it is applied."""

    roles: tuple[RoleState, ...]

    def every(self, what: str) -> Iterator:
        """All `accounts`, `directories`, `files`, `links` or `units` of all roles."""
        return (item for role in self.roles for item in getattr(role, what))

    def digest(self) -> str:
        """SHA-256 of the whole state; equal states have equal digests."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def causes(self, unit: Unit) -> dict[str, str]:
        """Path -> digest of everything whose change restarts `unit`."""
        contents = {file.path: _sha256(file.content) for file in self.every("files") if not file.live}
        contents |= {link.path: link.target for link in self.every("links")}
        patterns = (*unit.restart_on, f"/etc/systemd/system/{unit.name}", f"/etc/systemd/system/{unit.name}.d/")
        return {path: digest for path, digest in contents.items() if any(_covers(p, path) for p in patterns)}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern) if pattern.endswith("/") else path == pattern


def parse_state(roles: list) -> State:
    """Read rendered mappings; raise Mistakes with everything that is wrong at once."""
    mistakes: list[str] = []
    state = State(tuple(filter(None, (_read(RoleState, entry, "roles", mistakes) for entry in roles))))
    mistakes += _contradictions(state)
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return state


def _read(cls: type[T], entry: object, where: str, mistakes: list[str]) -> T | None:
    if not isinstance(entry, dict):
        mistakes.append(f"{where}: {entry!r} is not a mapping")
        return None
    where = f"{where} {entry.get('role') or entry.get('path') or entry.get('name') or ''}".strip()
    wanted = {field.name: field for field in fields(cls)}
    required = {name for name, field in wanted.items() if field.default is MISSING}
    found = len(mistakes)
    mistakes += [f"{where}: {key} is not known, it takes {', '.join(wanted)}" for key in entry if key not in wanted]
    mistakes += [f"{where}: {key} is missing" for key in sorted(required - entry.keys())]
    hints = get_type_hints(cls)
    values = {key: _value(hints[key], entry[key], f"{where}: {key}", mistakes) for key in entry if key in wanted}
    return cls(**values) if len(mistakes) == found else None


_WORDS = {bool: "true or false", int: "a whole number"}


def _value(hint: type, value: object, where: str, mistakes: list[str]) -> object:
    if get_origin(hint) is tuple:
        (item, _) = get_args(hint)
        if not isinstance(value, (list, tuple)):
            mistakes.append(f"{where} is not a list")
            return ()
        return tuple(_value(item, entry, where, mistakes) for entry in value)
    if isinstance(hint, type) and hint not in (str, bool, int, types.NoneType):
        return _read(hint, value, where, mistakes)
    if not isinstance(value, hint):
        mistakes.append(f"{where} is {value!r}, wanted {_WORDS.get(hint, 'text')}")
    return value


def _contradictions(state: State) -> Iterator[str]:
    """Rules between items: absolute paths, octal modes, nothing twice, nothing removed that is not ours."""
    seen: dict[str, str] = {}
    for role in state.roles:
        for item in (*role.directories, *role.files, *role.links):
            if not item.path.startswith("/"):
                yield f"{role.role}: {item.path} is not an absolute path"
            if item.path in seen:
                yield f"{role.role}: {item.path} is already wanted by {seen[item.path]}"
            seen[item.path] = role.role
        for item in (*role.directories, *role.files):
            if len(item.mode) != 4 or not set(item.mode) <= set("01234567"):
                yield f"{role.role}: mode {item.mode} of {item.path} is not four octal digits"
        for directory in role.directories:
            if "etape" not in directory.path:
                yield f"{role.role}: {directory.path} is not a folder of ours, a wipe would remove it"
        for unit in role.units:
            for pattern in unit.restart_on:
                if not any(_covers(pattern, item.path) for kind in ("files", "links") for item in state.every(kind)):
                    yield f"{role.role}: {unit.name} restarts on {pattern}, which no role declares"
