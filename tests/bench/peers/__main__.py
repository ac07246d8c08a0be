"""Runs one peer on saved work, once to warm up and once measured, and saves its frames and its seconds of CPU."""

import os
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from tests.bench.peers.task import Work

WARM_UP_S = 30
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def main(name: str, work_file: str, frames_file: str) -> int:
    """0 when the frames are saved."""
    work, run = Work.load(Path(work_file)), import_module(f"tests.bench.peers.{name}").run
    run(work.first(WARM_UP_S))
    began = _cpu_seconds()
    frames = run(work)
    np.savez(frames_file, frames=frames, cpu_s=_cpu_seconds() - began)
    return 0


def _cpu_seconds() -> float:
    """Of this process and all that it has started: an engine works in processes and threads of its own."""
    spent, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        spent[int(folder.name)] = sum(map(int, words[11:15]))
        parents[int(folder.name)] = int(words[1])
    ours = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(spent[process] for process in ours) * TICK_S


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
