"""Processes that are killed together, or while they come back, or that stand still: nothing is lost or doubled."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.tracking_transport.harness import Loopback, Process, eventually
from tests.tracking_transport.test_path import equal
from tests.tracking_transport.test_soak import LIVE_WITHIN_S
from tests.tracking_transport.test_standby import assert_each_second_once_and_forward, told

STANDSTILL_S = 5.0
START_S = 90.0
"""What the start of two Python processes may take where others compute; systemd's part, not the transport's."""


def named(loopback: Loopback, name: str) -> Process:
    if name == "active":
        return loopback.active()
    return {**loopback.services, "truck": loopback.truck, "cloud": loopback.cloud}[name]


@contextmanager
def mended_by_itself(loopback: Loopback) -> Iterator[None]:
    """The race goes on while something is done to it, is live soon after all are well, and both ends have it all."""
    with loopback.field.heard_everywhere(), loopback.field.riding(rate=10):
        eventually("the feed is live", loopback.is_live)
        yield
        eventually("all are healthy again", lambda: all(s.healthy() for s in loopback.services.values()), START_S)
        healthy = time.monotonic()
        eventually("the feed is live again", loopback.is_live)
        assert time.monotonic() - healthy < LIVE_WITHIN_S
    assert equal(loopback.settle()) == loopback.field.seconds * 198
    assert_each_second_once_and_forward(told(loopback))


@pytest.mark.parametrize(
    "names",
    [("forwarder", "active"), ("truck", "cloud"), ("cloud", "active"), ("edge-1", "truck"), ("archive", "feed")],
)
@pytest.mark.parametrize("seed", [4])
def test_two_that_are_killed_almost_at_once(loopback: Loopback, names: tuple[str, str], seed: int) -> None:
    """Guards against a process that is safe only as long as its neighbour lives."""
    chance = random.Random(seed)
    with mended_by_itself(loopback):
        for process in [named(loopback, name) for name in names]:
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
            process.start()


@pytest.mark.parametrize("name", ["truck", "cloud", "forwarder", "active", "recorder", "archive"])
@pytest.mark.parametrize("seed", [7])
def test_one_that_is_killed_again_while_it_comes_back(loopback: Loopback, name: str, seed: int) -> None:
    """Guards against a recovery that is only right when it comes to its end."""
    chance = random.Random(seed)
    with mended_by_itself(loopback):
        process = named(loopback, name)
        for _ in range(3):
            process.kill()
            process.start()
            time.sleep(chance.uniform(0.1, 2.0))


@pytest.mark.parametrize("name", ["truck", "cloud", "forwarder", "active", "recorder", "archive", "edge-2"])
def test_one_that_stands_still_for_a_while(loopback: Loopback, name: str) -> None:
    """Guards against who sleeps through its lease, its connections and its acknowledgements, and goes on as before."""
    with mended_by_itself(loopback):
        process = named(loopback, name)
        process.pause()
        time.sleep(STANDSTILL_S)
        process.unpause()
