"""Runs the commands as an operator does, and reads their JSON."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass

from infra.workspace import ROOT


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    status: int
    lines: tuple[dict, ...]
    errors: str

    def step(self, title: str) -> dict:
        """The step whose title begins so."""
        return next(line for line in self.lines if line.get("step", "").startswith(title))

    @property
    def result(self) -> dict:
        """All that it said of its result; a command that ends badly adds the error to what it found."""
        return {name: value for line in self.lines for name, value in line.get("result", {}).items()}


def run(script: str, *arguments: str) -> Outcome:
    """Run `scripts/<script> ... --json` to its end."""
    done = subprocess.run(
        [str(ROOT / "scripts" / script), *arguments, "--json"], capture_output=True, text=True, cwd=ROOT
    )
    lines = tuple(json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return Outcome(done.returncode, lines, done.stderr)


def succeed(script: str, *arguments: str) -> Outcome:
    """Run it and expect success; the assertion shows what it said."""
    outcome = run(script, *arguments)
    assert outcome.status == 0, f"{script} {' '.join(arguments)} ended with {outcome.status}:\n{outcome.errors}"
    return outcome


def kill_while(step: str, seconds: float, script: str, *arguments: str, everything: bool = False) -> None:
    """Start a command and SIGKILL it `seconds` after the steps before `step` have ended.

    `everything` kills its children too, as a power cut does; otherwise they are left as orphans.
    """
    command = [str(ROOT / "scripts" / script), *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True) as process:
        for line in process.stdout:
            if line.startswith("{") and json.loads(line).get("step", "").startswith(step):
                break
        time.sleep(seconds)
        assert process.poll() is None, f"the command ended before it could be killed after {step}"
        os.killpg(process.pid, signal.SIGKILL) if everything else process.kill()
