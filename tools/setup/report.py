"""Tells people, or programs, how a set-up goes."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from tools.setup.runner import Outcome, Status
from tools.setup.step import SetupError, Step

LONG_SECONDS = 10
MARKS = {Status.THERE: "=", Status.MADE: "+", Status.FAILED: "!"}
WORDS = {Status.THERE: "already there", Status.MADE: "done", Status.FAILED: "failed"}


@dataclass
class Lines:
    """One line a step on a stream; `quiet` leaves out the steps that were done already."""

    quiet: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def begins(self, step: Step) -> None:
        """Long steps say so first, and how long they usually take."""
        if step.seconds >= LONG_SECONDS:
            self._say(f"  ▸ {step.title}: about {_duration(step.seconds)} …")

    def ends(self, outcome: Outcome) -> None:
        """The step's line: mark, seconds, title, what became of it."""
        if not (self.quiet and outcome.status is Status.THERE):
            mark, word = MARKS[outcome.status], WORDS[outcome.status]
            self._say(f"  {mark} {outcome.seconds:7.1f} s  {outcome.step.title}: {word}")

    def over(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """The closing line."""
        made = sum(outcome.status is Status.MADE for outcome in outcomes)
        if made or not self.quiet:
            self._say(f"Set-up is complete: {made} of {len(outcomes)} steps had to be done, {seconds:.1f} s.")

    def failed(self, error: SetupError, tail: Sequence[str], log: str) -> None:
        """What went wrong, the end of the log where there is one, and the remedy."""
        for line in tail:
            self._say(f"    | {line}")
        if log:
            self._say(f"    (the whole log: {log})")
        for problem in error.problems:
            self._say(f"{problem.sentence}\n  → {problem.remedy}")

    def _say(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


def as_json(outcomes: Sequence[Outcome], seconds: float, error: SetupError | None) -> str:
    """The whole set-up as one JSON object."""
    steps = [
        {
            "name": outcome.step.name,
            "title": outcome.step.title,
            "status": outcome.status.value,
            "seconds": round(outcome.seconds, 3),
            "log": str(outcome.log),
        }
        for outcome in outcomes
    ]
    problems = [{"sentence": p.sentence, "remedy": p.remedy} for p in (error.problems if error else ())]
    return json.dumps({"ok": error is None, "seconds": round(seconds, 3), "steps": steps, "problems": problems})


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
