"""How long a reading takes from the truck's relay to a published state, at the pace of a real race."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from tests.bench.figure import Figure

LAB_FEED = "http://127.0.0.1:8310"
SETTLING_S = 10.0
MEASURED_S = 120.0
GOAL_MS = 250.0


def figures(feed: str = LAB_FEED, seconds: float = MEASURED_S) -> list[Figure]:
    """The 99th percentile over `seconds` of the race at that feed; without a lab, of one on loopback.

    Each state carries when its newest batch left the relay and when the processor published it; in the lab and
    on loopback both are read from the same clock.
    """
    try:
        httpx.get(f"{feed}/healthz", timeout=2)
    except httpx.HTTPError:
        print(f"no lab answers at {feed}: measuring brokers and services on loopback", file=sys.stderr)
        with _loopback() as feed:
            return [_figure(feed, seconds)]
    return [_figure(feed, seconds)]


def _figure(feed: str, seconds: float) -> Figure:
    lags = list(_lags(feed, seconds))
    return Figure("tracking.ingest_to_state_p99", round(float(np.percentile(lags, 99)), 1), "ms", goal=GOAL_MS)


def _lags(feed: str, seconds: float) -> Iterator[float]:
    """Milliseconds, one for each state that is published in this time, after some seconds to settle."""
    begin = time.monotonic() + SETTLING_S
    with httpx.stream("GET", f"{feed}/api/stream", timeout=30) as events:
        for line in events.iter_lines():
            if time.monotonic() > begin + seconds:
                return
            if line.startswith("data: ") and time.monotonic() >= begin:
                yield json.loads(line.removeprefix("data: "))["health"]["lag_ms"]


@contextmanager
def _loopback() -> Iterator[str]:
    """The address of a feed behind two real brokers and all services, with 198 riders at 1 Hz."""
    from tests.tracking_transport.harness import estate_on_loopback  # with a web application that the lab does without

    with (
        tempfile.TemporaryDirectory() as folder,
        estate_on_loopback(Path(folder)) as estate,
        estate.field.riding(rate=1.0),
    ):
        yield f"http://127.0.0.1:{estate.services['feed'].port}"
