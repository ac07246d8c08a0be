"""Takes the steps of a plan in order; what is done already costs only a look."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tools.setup.shell import Shell
from tools.setup.step import MissingPrerequisite, Problem, SetupError, Step


class Status(StrEnum):
    """What became of a step in this run."""

    THERE = "there"
    """Nothing to do."""
    MISSING = "missing"
    """Still to be made."""
    MADE = "made"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """One line of the report."""

    step: Step
    status: Status
    seconds: float
    log: Path


class Report(Protocol):
    """Is told about each step as it happens."""

    def begins(self, step: Step) -> None:
        """`make` is about to run."""

    def ends(self, outcome: Outcome) -> None:
        """The step is over, or was done already."""


def run(steps: Sequence[Step], cache: Path, report: Report) -> list[Outcome]:
    """Make every step true. Raise SetupError at the first that cannot be; those before it stay done."""
    logs = cache / "logs"
    glances = [_glance(step, logs) for step in steps]
    if all(glance.status is Status.THERE for glance in glances):
        for glance in glances:
            report.ends(glance)
        return glances
    with only_one(cache):
        check_room(cache, sum(g.step.disk_mb for g in glances if g.status is Status.MISSING))
        shutil.rmtree(cache / "build", ignore_errors=True)  # what a killed set-up left half-built
        return [_take(step, logs, report) for step in steps]


def _glance(step: Step, logs: Path) -> Outcome:
    start = time.monotonic()
    try:
        status = Status.THERE if step.done() else Status.MISSING
    except OSError:  # what this user may not look at is made again, or refused there with a sentence
        status = Status.MISSING
    return Outcome(step, status, time.monotonic() - start, logs / f"{step.name}.log")


def _take(step: Step, logs: Path, report: Report) -> Outcome:
    glance = _glance(step, logs)
    if glance.status is Status.THERE:
        report.ends(glance)
        return glance
    logs.mkdir(parents=True, exist_ok=True)
    glance.log.write_text("")
    report.begins(step)
    start = time.monotonic()
    try:
        step.make(Shell(glance.log))
    except (SetupError, OSError):
        report.ends(Outcome(step, Status.FAILED, time.monotonic() - start, glance.log))
        raise
    made = Outcome(step, Status.MADE, time.monotonic() - start, glance.log)
    report.ends(made)
    return made


@contextmanager
def only_one(cache: Path) -> Iterator[None]:
    """Hold the cache for this process; the kernel lets go of it however the process ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "setup.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise MissingPrerequisite(
                Problem(
                    f"Another set-up is at work in {cache} ({lock.read().strip() or 'just started'}).",
                    "Wait until it has finished and run the command again; nothing of its work is done twice.",
                )
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}")
        lock.flush()
        yield


def check_room(cache: Path, wanted_mb: int) -> None:
    """Raise MissingPrerequisite where the disk under the cache has less room than the steps ahead need."""
    free_gb, wanted_gb = shutil.disk_usage(cache).free / 2**30, wanted_mb / 1024
    if free_gb < wanted_gb:
        raise MissingPrerequisite(
            Problem(
                f"The disk of {cache} has {free_gb:.1f} GB free, the steps ahead need {wanted_gb:.1f} GB.",
                "Free some space, or set ETAPE_CACHE to a folder on a larger disk.",
            )
        )
