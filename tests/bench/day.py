"""The day on the lab, timed from outside: what an operator would see with a watch in hand."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from infra.workspace import ROOT, Workspace
from tests.bench.figure import Figure

_GOALS = {
    "small": {"up": 120, "noop_up": 15, "noop_deploy": 10, "down": 25, "next": None, "memory": None},
    "full": {"up": 360, "noop_up": None, "noop_deploy": None, "down": None, "next": None, "memory": 8192},
}


def figures(scales: tuple[str, ...]) -> Iterator[Figure]:
    """Measure each scale in an ETAPE_HOME of its own; the lab must be free."""
    for scale in scales:
        yield from _Bench(scale).figures()


class _Bench:
    def __init__(self, scale: str) -> None:
        self.scale = scale
        home = Workspace.from_environment().cache / "bench-home"
        self.environment = {**os.environ, "ETAPE_HOME": str(home)}

    def figures(self) -> Iterator[Figure]:
        self._stage("down", "--core", "--yes")
        idle = _used_memory_mb()
        with _Peak() as peak:
            up = self._stage("up", "2017-s09", "--scale", self.scale)
            yield self._figure("up", up.seconds, "s")
            yield self._figure("nodes", up.nodes, "nodes")
            again = self._stage("up", "2017-s09")
            yield self._figure("noop_up", again.step("Create 2017-s09"), "s")
            yield self._figure("noop_deploy", again.step("Deploy"), "s")
            yield self._figure("noop_stage_up", again.seconds, "s")
            yield self._figure("memory", peak.highest - idle, "MB")
        yield self._figure("next", self._stage("next").seconds, "s")
        yield self._figure("down", self._stage("down").seconds, "s")
        self._stage("down", "--core", "--yes")

    def _figure(self, name: str, value: float, unit: str) -> Figure:
        return Figure(f"day.{self.scale}.{name}", round(value, 2), unit, _GOALS[self.scale].get(name))

    def _stage(self, *arguments: str) -> "_Run":
        begun = time.monotonic()
        done = subprocess.run(
            [str(Path(ROOT) / "scripts/stage"), *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"bench: stage {' '.join(arguments)} failed:\n{done.stderr}")
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return _Run(time.monotonic() - begun, lines)


class _Run:
    def __init__(self, seconds: float, lines: list[dict]) -> None:
        self.seconds = seconds
        self._steps = [line for line in lines if "step" in line]

    def step(self, title: str) -> float:
        """Seconds of the steps whose title begins so."""
        return sum(step["seconds"] for step in self._steps if step["step"].startswith(title))

    @property
    def nodes(self) -> int:
        return next(step["hosts"] for step in self._steps if "hosts" in step)


class _Peak:
    """The highest use of the machine's memory while it is open, sampled twice a second."""

    def __enter__(self) -> "_Peak":
        self.highest = _used_memory_mb()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.highest = max(self.highest, _used_memory_mb())


def _used_memory_mb() -> float:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return (int(fields["MemTotal"].split()[0]) - int(fields["MemAvailable"].split()[0])) / 1024
