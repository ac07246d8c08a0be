"""Stand-ins for what a set-up works with."""

from dataclasses import dataclass, field
from pathlib import Path

from tools.setup.runner import Outcome, Status
from tools.setup.shell import Shell
from tools.setup.step import Problem, SetupError, Step


@dataclass
class Bench:
    """Steps whose truth is a set of names, and the record of what was made."""

    true: set[str] = field(default_factory=set)
    made: list[str] = field(default_factory=list)
    breaks: set[str] = field(default_factory=set)

    def step(self, name: str, disk_mb: int = 0) -> Step:
        """A step that becomes true when made, unless it is among those that break."""
        return Step(name, name.title(), lambda: name in self.true, lambda _: self._make(name), disk_mb)

    def _make(self, name: str) -> None:
        self.made.append(name)
        if name in self.breaks:
            raise SetupError(Problem(f"{name} broke.", "mend it"))
        self.true.add(name)


@dataclass
class Listener:
    """A report that keeps what it is told."""

    outcomes: list[Outcome] = field(default_factory=list)

    def begins(self, step: Step) -> None:
        """Of no interest."""

    def ends(self, outcome: Outcome) -> None:
        """Keep it."""
        self.outcomes.append(outcome)

    def statuses(self) -> dict[str, Status]:
        """What became of each step."""
        return {outcome.step.name: outcome.status for outcome in self.outcomes}


def shell(folder: Path) -> Shell:
    """A shell that logs into a folder."""
    return Shell(folder / "step.log")


def command(folder: Path, name: str, says: str) -> Path:
    """A program on disk that prints one line, whatever it is asked."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path
