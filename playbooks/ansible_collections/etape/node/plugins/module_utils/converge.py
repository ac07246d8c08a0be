"""Brings a node to its desired state, or takes away all that is ours.

Compare first (`plan`), then change only what differs. A run may be killed anywhere: the record on the node
owns what is about to come before it comes, and forgets which units run before their files change, so the
next run ends at the same state.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.etape.node.plugins.module_utils.desired import Account, Directory, File, Link, State, Unit
from ansible_collections.etape.node.plugins.module_utils.machine import (
    Attributes,
    Machine,
    MachineError,
    UnitStatus,
)
from ansible_collections.etape.node.plugins.module_utils.record import FOLDER, Owned, Record

_LARGEST_DIFF = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what is and what should be."""

    role: str
    sentence: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that differs; empty where nothing does."""

    accounts: tuple[Account, ...]
    directories: tuple[Directory, ...]
    files: tuple[File, ...]
    links: tuple[Link, ...]
    orphans: Owned
    """What an earlier state brought and this one no longer wants."""
    unmask: tuple[str, ...]
    enable: tuple[str, ...]
    disable: tuple[str, ...]
    restart: tuple[str, ...]
    start: tuple[str, ...]
    stop: tuple[str, ...]
    changes: tuple[Change, ...]


def plan(state: State, record: Record, machine: Machine) -> Plan:
    """Compare a state with the node; nothing is changed."""
    changes: list[Change] = []
    statuses = machine.unit_statuses(unit.name for unit in state.every("units"))
    orphans = record.owned.without(Owned.of(state))
    chosen: dict[str, list] = {name: [] for name in ("accounts", "directories", "files", "links")}
    verbs: dict[str, list[str]] = {verb: [] for verb in ("unmask", "enable", "disable", "restart", "start", "stop")}
    for role in state.roles:
        for what in chosen:
            for item in getattr(role, what):
                change = _COMPARE[what](role.role, item, machine)
                if change:
                    chosen[what].append(item)
                    changes.append(change)
        differing = {item.path for item in (*chosen["files"], *chosen["links"])}
        for unit in role.units:
            for verb, why in _unit_verbs(unit, statuses[unit.name], _stale(unit, state, record, differing)):
                verbs[verb].append(unit.name)
                changes.append(Change(role.role, f"{verb}s {unit.name}{why}"))
    changes += [Change("node", f"takes away {path}") for path, _ in orphans.files]
    changes += [Change("node", f"takes away {name}") for name in (*orphans.links, *orphans.units)]
    return Plan(
        **{what: tuple(items) for what, items in chosen.items()},
        **{verb: tuple(names) for verb, names in verbs.items()},
        orphans=orphans,
        changes=tuple(changes),
    )


def _account(role: str, wanted: Account, machine: Machine) -> Change | None:
    return None if machine.has_account(wanted.name) else Change(role, f"adds the account {wanted.name}")


def _attributes(role: str, wanted: Directory | File, machine: Machine) -> Change | None:
    found = machine.attributes(wanted.path)
    if found == _wanted(wanted):
        return None
    if found is None:
        return Change(role, f"makes {wanted.path}", "", _as_line(_wanted(wanted)))
    return Change(role, f"corrects the rights of {wanted.path}", _as_line(found), _as_line(_wanted(wanted)))


def _file(role: str, wanted: File, machine: Machine) -> Change | None:
    found = machine.read(wanted.path)
    if found == wanted.content:
        return _attributes(role, wanted, machine)
    if wanted.secret:
        return Change(role, f"writes {wanted.path}", "(secret)\n", "(another secret)\n")
    return Change(role, f"writes {wanted.path}", _shown(found or ""), _shown(wanted.content))


def _link(role: str, wanted: Link, machine: Machine) -> Change | None:
    found = machine.target(wanted.path)
    if found == wanted.target:
        return None
    return Change(role, f"links {wanted.path}", f"{found or ''}\n".lstrip(), f"{wanted.target}\n")


_COMPARE = {"accounts": _account, "directories": _attributes, "files": _file, "links": _link}


def _wanted(item: Directory | File) -> Attributes:
    return Attributes(item.owner, item.group, item.mode)


def _as_line(attributes: Attributes) -> str:
    return f"{attributes.owner}:{attributes.group} {attributes.mode}\n"


def _shown(text: str) -> str:
    return text if len(text) <= _LARGEST_DIFF else f"({len(text)} characters)\n"


def _stale(unit: Unit, state: State, record: Record, differing: set[str]) -> list[str]:
    """Paths because of which a running unit is not what it should be."""
    causes, running = state.causes(unit), record.running.get(unit.name)
    if running is None:
        return sorted(causes)
    return sorted(path for path in {*causes, *running} if causes.get(path) != running.get(path) or path in differing)


def _unit_verbs(unit: Unit, status: UnitStatus, stale: list[str]) -> Iterable[tuple[str, str]]:
    if status.masked and (unit.enabled or unit.running):
        yield "unmask", ""
    if unit.enabled and (status.masked or status.installed in ("", "disabled")):
        yield "enable", ""
    if not unit.enabled and status.installed == "enabled":
        yield "disable", ""
    if not unit.running:
        if status.active:
            yield "stop", ""
    elif stale and status.active:
        yield "restart", f" because of {', '.join(stale)}"
    elif not status.active:
        yield "start", ""


def converge(state: State, machine: Machine, only_look: bool = False) -> tuple[Change, ...]:
    """Bring the node to `state`; return what differed. MachineError where a command or a unit fails."""
    record = Record.read(machine)
    todo = plan(state, record, machine)
    if only_look:
        return todo.changes
    interrupted = not record.applied
    if todo.changes or interrupted:
        record = record.begin(machine, Owned.of(state), (*todo.restart, *todo.start))
        _put(todo, machine)
        _prepare_units(todo, machine, interrupted)
        _run_units(todo, state, machine)
    if todo.changes or record.applied != state.digest():
        record.finish(machine, state)
    return todo.changes


def _put(todo: Plan, machine: Machine) -> None:
    for account in todo.accounts:
        machine.add_account(account.name, account.uid, account.home)
    for directory in todo.directories:
        machine.make_directory(directory.path, _wanted(directory))
    for file in todo.files:
        # What the file of another day brought about goes with it: networkd adds an address and keeps the old one.
        if file.undo and machine.read(file.path) is not None:
            machine.attempt(*file.undo)
        machine.write(file.path, file.content, _wanted(file))
    for link in todo.links:
        machine.link(link.path, link.target)
    _take_away(todo.orphans, machine)


def _prepare_units(todo: Plan, machine: Machine, interrupted: bool) -> None:
    """Enable and disable; systemd reads its files again where one changed, now or in a run that was stopped."""
    if todo.unmask:
        machine.run("systemctl", "--no-reload", "unmask", *todo.unmask)
        machine.run("systemctl", "--no-reload", "unmask", "--runtime", *todo.unmask)
    if todo.enable:
        machine.run("systemctl", "--no-reload", "enable", *todo.enable)
    if todo.disable:
        machine.run("systemctl", "--no-reload", "disable", *todo.disable)
    touched = (*(file.path for file in todo.files), *(path for path, _ in todo.orphans.files))
    if (
        interrupted
        or todo.unmask
        or todo.enable
        or todo.disable
        or any(path.startswith("/etc/systemd/system/") for path in touched)
    ):
        machine.run("systemctl", "daemon-reload")


def _run_units(todo: Plan, state: State, machine: Machine) -> None:
    """Stop, restart and start in one go each; MachineError names every unit that does not run then."""
    if todo.stop:
        machine.run("systemctl", "stop", *todo.stop)
    if todo.restart or todo.start:
        machine.attempt("systemctl", "restart", *todo.restart, *todo.start)
    wanted = [unit.name for unit in state.every("units") if unit.running]
    dead = [name for name, status in machine.unit_statuses(wanted).items() if not status.active]
    if dead:
        words = (f"{name} does not run ({machine.last_words(name) or 'no word in its journal'})" for name in dead)
        raise MachineError("; ".join(words))


def wipe(machine: Machine, only_look: bool = False) -> tuple[Change, ...]:
    """Take away all that was ever applied, accounts and folders included; return what there was."""
    owned = Record.read(machine).owned
    units = [name for name in owned.units if _is_ours(name, owned)]
    gone = [*units, *(path for path, _ in owned.files), *owned.links, *owned.directories, *owned.accounts]
    if gone and not only_look:
        _take_away(owned, machine)
        machine.run("systemctl", "daemon-reload")
        _restart_others(owned, machine)
        for account in owned.accounts:
            if machine.has_account(account):
                machine.run("userdel", account)
        for path in sorted(owned.directories, key=len, reverse=True):
            machine.remove(path)
        machine.remove(FOLDER)
    return tuple(Change("node", f"takes away {what}") for what in gone)


def _take_away(owned: Owned, machine: Machine) -> None:
    """Stop our own units, then remove files and links and undo what they brought about."""
    units = [name for name in owned.units if _is_ours(name, owned)]
    known = [name for name, status in machine.unit_statuses(units).items() if status.installed or status.active]
    if known:
        machine.run("systemctl", "--no-reload", "disable", *known)
        machine.run("systemctl", "stop", *known)
    for path, undo in owned.files:
        if undo:
            machine.attempt(*undo)
        machine.remove(path)
    for path in owned.links:
        machine.remove(path)


def _is_ours(unit: str, owned: Owned) -> bool:
    return any(path == f"/etc/systemd/system/{unit}" for path, _ in owned.files)


def _restart_others(owned: Owned, machine: Machine) -> None:
    """Units of the distribution go back to the configuration that they came with."""
    others = [name for name in owned.units if not _is_ours(name, owned)]
    if others:
        machine.run("systemctl", "try-restart", *others)
