"""Apache Flink through PyFlink's DataStream: one function keyed by device with its value state, one that has them all.
Python runs in the task's own process (`thread` mode), which is the faster one of the two that Flink has for it."""

import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
from pyflink.common import Configuration, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

from tests.bench.peers.task import FRAME, Event, Follower, Known, Road, Standings, Work

EVENT = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG(), Types.DOUBLE(), Types.DOUBLE()])
KNOWN = Types.TUPLE([Types.LONG(), Types.DOUBLE(), Types.DOUBLE()])
PLACED = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG(), Types.DOUBLE(), Types.DOUBLE()])


class _Place(KeyedProcessFunction):
    def __init__(self, road: Road, known: dict[int, Known]) -> None:
        self._follower, self._known = Follower(road), known

    def open(self, runtime_context: RuntimeContext) -> None:
        self._state = runtime_context.get_state(ValueStateDescriptor("known", KNOWN))

    def process_element(self, value: tuple, ctx: KeyedProcessFunction.Context) -> Iterator[tuple]:
        event, before = Event(*value), self._state.value()
        known = Known(*before) if before else self._known.get(event.device)
        known = self._follower.follow(known, event.time_ms, event.lat, event.lon)
        self._state.update(tuple(known))
        yield (event.clock_ms, event.device, *known)


class _Stand(KeyedProcessFunction):
    """Keeps its state to itself: Flink's own would cost it a copy of all riders for each reading."""

    def __init__(self, known: dict[int, Known]) -> None:
        self._riders, self._standings, self._clock_ms = dict(known), Standings(), 0

    def process_element(self, value: tuple, ctx: KeyedProcessFunction.Context) -> Iterator[bytes]:
        clock_ms, device, *known = value
        if clock_ms > self._clock_ms:
            if self._clock_ms:
                yield self._standings.frame(self._clock_ms, self._riders.items()).tobytes()
            self._clock_ms = clock_ms
        self._riders[device] = Known(*known)


@cache
def _engine() -> StreamExecutionEnvironment:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    engine = StreamExecutionEnvironment.get_execution_environment(configuration)
    engine.set_parallelism(1)
    engine.set_python_executable(sys.executable)
    return engine


def run(work: Work) -> np.ndarray:
    """FRAME (n,) of all seconds but the last, which nothing ends."""
    known = dict(work.known)
    readings = _engine().from_collection([tuple(event) for event in work.events()], EVENT)
    placed = readings.key_by(lambda event: event[1]).process(_Place(work.road, known), PLACED)
    stood = placed.key_by(lambda placed: 0).process(_Stand(known), Types.PICKLED_BYTE_ARRAY())
    with stood.execute_and_collect() as frames:
        return np.concatenate([np.frombuffer(frame, FRAME) for frame in frames])
