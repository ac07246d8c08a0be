"""How many readings one core turns into rider states: the whole processor's work on a recorded stage.

A full mountain stage (198 riders, about five hours, 3.4 million readings with all faults of the radio) is simulated and
saved. A process of its own, bound to one core, reads it back, and for every race second takes the readings in and
computes the frame. Counted are seconds of that core, so that what else the machine does changes little.

Where the time of a race second (80 µs) goes: 54 µs take the 198 readings in, of these 13 µs match them to the road (13
segments each) and 6 µs are the call itself; the rest is the frame. What helped: the segments' vectors side by side in
memory with the division done beforehand, and numpy's error model, which drops the check of every division; before, it
was 140 µs.
"""

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tracking.briefing.riders import start_list
from tracking.course import read_course
from tracking.kernel import Tracker
from tracking.simulation.simulator import Recording, record_stage

from tests.bench.figure import Figure
from tests.bench.per_event import PerEventTracker

COURSE = Path(__file__).parents[2] / "stacks" / "courses" / "2023-09.geojson"
GOAL = 1_000_000
WARM_UP_S = 120
PEER_FROM_S, PEER_S = 3600, 30
"""The peer gets this part of the same stage: it is too slow for all of it."""


def figures() -> list[Figure]:
    """Readings per second of one core, beside a straightforward tracker that handles one event after the other."""
    with tempfile.TemporaryDirectory(prefix="etape-bench-") as folder:
        recording = Path(folder) / "stage.npz"
        record_stage(read_course(COURSE), seed=1).save(recording)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as one_core:
            ours, peer = one_core.submit(_measure, recording).result()
    return [
        Figure(
            "tracking.readings_per_core",
            round(ours),
            "readings/s",
            goal=GOAL,
            higher=True,
            peer=round(peer),
            peer_name="numpy and dictionaries, event by event",
        )
    ]


def _measure(file: Path) -> tuple[float, float]:
    """(ours, the peer) in readings per second of one core; binds this process to it."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    recording = Recording.load(file)
    course = read_course(COURSE)
    peer_from = PEER_FROM_S + WARM_UP_S
    return (
        _rate(Tracker(course, start_list(), recording.start_ms), recording, 0, None),
        _rate(PerEventTracker(course), recording, peer_from - WARM_UP_S, peer_from + PEER_S),
    )


def _rate(tracker: Tracker | PerEventTracker, recording: Recording, first_s: int, last_s: int | None) -> float:
    """Readings per second of this core after the first `WARM_UP_S` race seconds from `first_s`."""
    batches = list(recording.batches())[first_s:last_s]
    for clock_ms, readings in batches[:WARM_UP_S]:
        tracker.ingest(readings)
        tracker.frame(clock_ms)
    began = time.process_time()
    for clock_ms, readings in batches[WARM_UP_S:]:
        tracker.ingest(readings)
        tracker.frame(clock_ms)
    return sum(len(readings) for _, readings in batches[WARM_UP_S:]) / (time.process_time() - began)
