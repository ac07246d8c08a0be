"""Bytewax: one stateful step keyed by device, one that has them all; a batch of the source is one second."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import bytewax.operators as op
import numpy as np
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.testing import TestingSink, run_main

from tests.bench.peers.task import Event, Follower, Known, Standings, Work

ALL = "all"


class _Seconds(StatefulSourcePartition):
    def __init__(self, batches: Iterator[list[Event]]) -> None:
        self._batches = batches

    def next_batch(self) -> list[Event]:
        return next(self._batches)

    def snapshot(self) -> None:
        return None

    def next_awake(self) -> datetime | None:
        return None


class _Recording(FixedPartitionedSource):
    def __init__(self, work: Work) -> None:
        self._work = work

    def list_parts(self) -> list[str]:
        return [ALL]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Seconds:
        events = list(self._work.events())
        return _Seconds(events[some] for _, some in self._work.seconds())


def run(work: Work) -> np.ndarray:
    """FRAME (n,) of all seconds but the last, which nothing ends."""
    follower = Follower(work.road)
    frames: list[np.ndarray] = []

    def place(known: Known | None, event: Event) -> tuple[Known, tuple[int, int, Known]]:
        known = known or work.known.get(event.device)
        known = follower.follow(known, event.time_ms, event.lat, event.lon)
        return known, (event.clock_ms, event.device, known)

    def stand(
        state: tuple[Standings, dict[int, Known], int] | None, placed: tuple[int, int, Known]
    ) -> tuple[tuple[Standings, dict[int, Known], int], Iterable[np.ndarray]]:
        standings, riders, clock_ms = state or (Standings(), dict(work.known), placed[0])
        frame = [standings.frame(clock_ms, riders.items())] if placed[0] > clock_ms else []
        riders[placed[1]] = placed[2]
        return (standings, riders, max(placed[0], clock_ms)), frame

    flow = Dataflow("small_task")
    readings = op.input("readings", flow, _Recording(work))
    placed = op.stateful_map("place", op.key_on("device", readings, lambda event: str(event.device)), place)
    together = op.map("together", placed, lambda keyed: (ALL, keyed[1]))
    stood = op.stateful_flat_map("stand", together, stand)
    op.output("frames", op.map("frame", stood, lambda keyed: keyed[1]), TestingSink(frames))
    run_main(flow)
    return np.concatenate(frames)
