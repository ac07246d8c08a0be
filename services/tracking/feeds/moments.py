"""Moments of the past, and their replay beside the live race: paced by the wall clock, at up to an hour a second."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Protocol

from tracking.transport.wire import StateFrame

FASTEST = 3600.0


class Moments(Protocol):
    """Where the states of a race day are kept."""

    async def span(self) -> tuple[int, int] | None:
        """Race clock of the first and of the last moment, Unix milliseconds; None where there is none."""
        ...

    async def at(self, time_ms: int) -> StateFrame | None:
        """The state at the last second up to this moment; None before the first."""
        ...


async def replayed(
    moments: Moments, from_ms: int, speed: float, every_s: float = 1.0
) -> AsyncGenerator[StateFrame, None]:
    """The states of `moments`, one each `every_s` of the wall clock and `speed` as far apart, up to the last.

    A state that comes late does not delay those after it: the race goes on by the clock, and what passed is left out.
    """
    span = await moments.span()
    if span is None:
        return
    started_s = time.monotonic()
    begin_ms = max(from_ms, span[0])
    told_ms, turn = 0, 0
    while True:
        at_ms = begin_ms + round((time.monotonic() - started_s) * speed * 1000)
        frame = await moments.at(min(at_ms, span[1]))
        if frame is not None and frame.clock_ms > told_ms:
            told_ms = frame.clock_ms
            yield frame
        if at_ms >= span[1]:
            return
        turn = max(turn + 1, int((time.monotonic() - started_s) / every_s))
        await asyncio.sleep(started_s + turn * every_s - time.monotonic())
