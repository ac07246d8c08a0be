"""One command of the day at a time, and none of a killed one's children beside it."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.day.outcome import Refusal
from infra.workspace import Workspace

_MARK = "ETAPE_DAY"
_PATIENCE_S = 10.0


@contextmanager
def only_one(workspace: Workspace) -> Iterator[None]:
    """Hold this ETAPE_HOME's lock, after ending what a killed command left running.

    The lock dies with its process, but an engine or a playbook that it started lives on; those carry a mark in
    their environment, and two of them at work on one estate is what must not be.
    """
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / "day.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refusal(
                f"another command is changing the estate in {workspace.home}: {lock.read().strip()}",
                "wait until it has ended, or end it; whatever it leaves, the next command picks up",
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        mark = str(workspace.home)
        _end_orphans(mark)
        os.environ[_MARK] = mark
        try:
            yield
        finally:
            del os.environ[_MARK]


def _end_orphans(mark: str) -> None:
    orphans = _marked(mark)
    for process in orphans:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE_S
    while _marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)


def _marked(mark: str) -> list[int]:
    """Processes of other commands that carry this mark; our own was never started with it."""
    entry = f"{_MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found
