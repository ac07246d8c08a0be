"""Runs the commands of a step; everything they say goes into the step's log."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.setup.step import Problem, SetupError

TAIL_LINES = 12
ANSWER_S = 30


class CommandFailed(SetupError):
    """A command of a step ended with an error; its output is in the step's log."""


@dataclass(frozen=True)
class Shell:
    """Commands of one step. `log` collects each command line and what it printed."""

    log: Path

    def run(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stdin: str = "",
        remedy: str = "Mend what the log names, then run the same command again; what is done stays done.",
    ) -> str:
        """Run to the end and return stdout. Raise CommandFailed with the remedy when it fails or takes too long."""
        line = shlex.join(str(word) for word in command)
        with self.log.open("a") as log:
            log.write(f"$ {line}\n")
            log.flush()
            try:
                ran = subprocess.run(
                    [str(word) for word in command],
                    check=False,
                    cwd=cwd,
                    env={**os.environ, **(env or {})},
                    timeout=timeout,
                    input=stdin,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
            except FileNotFoundError:
                raise CommandFailed(Problem(f"The command `{command[0]}` is not installed.", remedy)) from None
            except subprocess.TimeoutExpired:
                raise CommandFailed(Problem(f"`{line}` took longer than {timeout:.0f} s.", remedy)) from None
            log.write(ran.stdout)
        if ran.returncode != 0:
            raise CommandFailed(Problem(f"`{_short(line)}` ended with {ran.returncode}.", remedy))
        return ran.stdout

    def try_run(self, *command: str | Path, timeout: float | None = None) -> bool:
        """Run something that may fail; whether it succeeded."""
        try:
            self.run(*command, timeout=timeout)
        except CommandFailed:
            return False
        return True

    def tail(self) -> tuple[str, ...]:
        """The last lines of the log."""
        if not self.log.exists():
            return ()
        return tuple(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


def answer(*command: str | Path) -> str | None:
    """Stdout of a quick question to the machine, stripped; None where it fails or cannot be asked."""
    try:
        ran = subprocess.run(
            [str(word) for word in command], check=False, capture_output=True, text=True, timeout=ANSWER_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None


def _short(line: str, width: int = 100) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
