"""Who holds a stack: Pulumi's own lock files in the backend, which keep two operators from one state."""

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.engine_error import StateError
from infra.state_objects import StateObjects


@dataclass(frozen=True)
class Lock:
    """One operation on a stack that has not ended, or whose engine was killed."""

    key: str
    process: int
    user: str
    host: str
    since: str
    """As the backend holds it: ISO 8601 with the holder's time zone."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.process}) since {self.since}"

    @property
    def is_here(self) -> bool:
        """Whether the holder ran on this machine, so that it can be seen whether it lives."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether the holder still works; always so for another machine's, which cannot be asked."""
        return not self.is_here or _is_pulumi(self.process)


def read_locks(objects: StateObjects, stack: str) -> tuple[Lock, ...]:
    """Every lock of the stack, the oldest first."""
    keys = [key for key in objects.list(f".pulumi/locks/organization/etape/{stack}") if key.endswith(".json")]
    found = (_read_lock(key, text) for key in keys if (text := objects.read(key)) is not None)
    return tuple(sorted(found, key=lambda lock: lock.since))


def _read_lock(key: str, text: str) -> Lock:
    """Of a lock that cannot be read nobody knows the holder: a person has to say that it is dead."""
    try:
        told = json.loads(text)
        return Lock(key, int(told["pid"]), str(told["username"]), str(told["hostname"]), str(told["timestamp"]))
    except (ValueError, TypeError, KeyError):
        return Lock(key, 0, "somebody", "an unknown machine", "an unknown time")


def release_dead(objects: StateObjects, stack: str) -> None:
    """Remove locks of killed engines of this machine. StateError where anybody may still be at work."""
    locks = read_locks(objects, stack)
    if held := [lock for lock in locks if lock.is_alive]:
        raise held_by(stack, held)
    _release(objects, locks)


def release_all(objects: StateObjects, stack: str) -> tuple[Lock, ...]:
    """Remove locks of other machines too, because a person says that their holders are dead; return them.

    StateError where a holder lives on this machine.
    """
    locks = read_locks(objects, stack)
    if held := [lock for lock in locks if lock.is_here and lock.is_alive]:
        raise held_by(stack, held)
    _release(objects, locks)
    return locks


def held_by(stack: str, locks: Iterable[Lock]) -> StateError:
    """Who holds the stack, and what to do about it; without locks, they were released while we looked."""
    holders = tuple(locks)
    if not holders:
        return StateError(f"{stack} was held by somebody a moment ago: nothing was begun", "run the same command again")
    remedy = "wait until it has ended, or end it, then run the same command again"
    if not all(lock.is_here for lock in holders):
        remedy += f"; where that machine is dead, `scripts/stage unlock {stack}` releases the stack"
    return StateError(f"{stack} is held by {', '.join(map(str, holders))}: nothing was begun", remedy)


def _release(objects: StateObjects, locks: Iterable[Lock]) -> None:
    for lock in locks:
        objects.delete(lock.key)


def _is_pulumi(process: int) -> bool:
    """A number that a dead engine had may be another program's by now."""
    try:
        return Path(f"/proc/{process}/comm").read_text().strip() == "pulumi"
    except OSError:
        return False
