"""How long 150 million readings take from Parquet to Parquet on two cores, and the memory that it needs.

A stage of the whole field is simulated once and told again on other days, by other riders, until there are as many
stages as 150 million readings need, each a Parquet file of its own. Two processes take one stage after the other, as
`scripts/replay` does for one: any order in, a row for each rider and second out. On disk are the recordings, 25 MB a
stage, and the states of the last two, 180 MB each; the simulated stage stays in the temporary folder for the next run.

Memory is the largest that the processes have in RAM together, their numpy and Arrow included.
"""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from tracking.course import read_course
from tracking.replay.recording import read_recording
from tracking.replay.ride import ride
from tracking.replay.start import find_start
from tracking.simulation.simulator import record_stage

from tests.bench.figure import Figure

COURSE = Path(__file__).parents[2] / "stacks" / "courses" / "2023-09.geojson"
READINGS = 150_000_000
GOAL_S = 300
GOAL_MB = 4096
WORKERS = 2
DAY_MS = 86_400_000
RIDERS_APART = 1000


def figures() -> list[Figure]:
    """Seconds for 150 M readings, and MB in RAM."""
    stage = _stage()
    per_stage = pl.scan_parquet(stage).select(pl.len()).collect().item()
    count = -(-READINGS // per_stage)
    with tempfile.TemporaryDirectory(prefix="etape-bench-") as folder:
        files = list(_told_again(stage, count, Path(folder)))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(WORKERS, mp_context=context) as workers:
            list(workers.map(_warm, [stage] * WORKERS))
            began = time.monotonic()
            done = list(workers.map(_replay, files))
            seconds = time.monotonic() - began
    readings = sum(read for read, _, _ in done)
    memory = {process: peak for _, process, peak in done}
    return [
        Figure("tracking.replay_150m", round(seconds * READINGS / readings, 1), "s", goal=GOAL_S),
        Figure("tracking.replay_150m_memory", round(sum(memory.values())), "MB", goal=GOAL_MB),
    ]


def _stage() -> Path:
    """A recorded stage, from an earlier run where there is one."""
    file = Path(tempfile.gettempdir()) / "etape-bench-replay" / "stage.parquet"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        readings = record_stage(read_course(COURSE), seed=1).readings
        columns = {"rider": readings["device"].astype(np.int32), **{n: readings[n] for n in ("time_ms", "lat", "lon")}}
        draft = file.with_suffix(".new")
        pl.DataFrame(columns).write_parquet(draft)
        draft.rename(file)
    return file


def _told_again(stage: Path, count: int, folder: Path) -> Iterator[Path]:
    """The stage on `count` days, by riders of other numbers."""
    told = pl.read_parquet(stage)
    for number in range(count):
        file = folder / f"{number:03}.parquet"
        told.with_columns(
            pl.col("time_ms") + number * DAY_MS, pl.col("rider") + (number % 60) * RIDERS_APART
        ).write_parquet(file)
        yield file


def _warm(stage: Path) -> None:
    """Nothing is compiled, and no library loaded, while it is measured."""
    head = stage.with_name(f"head-{os.getpid()}.parquet")
    pl.read_parquet(stage).head(50_000).write_parquet(head)
    _replay(head)


def _replay(file: Path) -> tuple[int, int, float]:
    """(readings, process, its largest memory in MB so far)."""
    course = read_course(COURSE)
    recording = read_recording(file)
    out = file.with_name(f"states-{os.getpid()}.parquet")
    ride(course, recording, find_start(course, recording).time_ms, out)
    file.unlink()
    return recording.rows, os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
