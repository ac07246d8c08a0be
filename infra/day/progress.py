"""One line a step with its elapsed time, or the same as JSON lines."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Step:
    """A running step; what it learned goes into `detail`, its numbers into `facts`."""

    title: str
    detail: str = ""
    facts: dict = field(default_factory=dict)


@dataclass
class Progress:
    """Reports steps as they begin and end.

    On a terminal the running step shows what it is doing; elsewhere each step is one line when it ends, and
    with `as_json` one JSON object a step.
    """

    as_json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)
    steps: list[dict] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Time a step; a step that raises is reported as failed and the exception goes on."""
        step, begun = Step(title), time.monotonic()
        self._begin(step)
        try:
            yield step
        except BaseException:
            self._end(step, begun, "failed")
            raise
        self._end(step, begun, "done")

    def note(self, text: str) -> None:
        """Show what the running step is doing now; nothing where no one watches."""
        if not self.as_json and self.out.isatty():
            self.out.write(f"\r\033[K  ... {text[:100]}")
            self.out.flush()

    def say(self, text: str) -> None:
        """A line of the result, for people only."""
        if not self.as_json:
            print(text, file=self.out, flush=True)

    def result(self, **facts: object) -> None:
        """The command's result, for programs only."""
        if self.as_json:
            print(json.dumps({"result": facts}), file=self.out, flush=True)

    def _begin(self, step: Step) -> None:
        self.note(step.title)

    def _end(self, step: Step, begun: float, state: str) -> None:
        seconds = time.monotonic() - begun
        record = {"step": step.title, "state": state, "seconds": round(seconds, 2), **step.facts}
        self.steps.append(record)
        if self.as_json:
            print(json.dumps(record), file=self.out, flush=True)
            return
        mark = "✓" if state == "done" else "✗"
        total = time.monotonic() - self.started
        erase = "\r\033[K" if self.out.isatty() else ""
        detail = f" — {step.detail}" if step.detail else ""
        print(f"{erase}{mark} {step.title}{detail}  {seconds:.1f} s (total {total:.0f} s)", file=self.out, flush=True)
