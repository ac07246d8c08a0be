"""Processes that are killed together, or while they come back, or that stand still: nothing is lost or doubled."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.tracking_transport.harness import Loopback, Process, eventually
from tests.tracking_transport.test_path import equal
from tests.tracking_transport.test_soak import LIVE_WITHIN_S
from tests.tracking_transport.test_standby import assert_each_second_once_and_forward, told

STANDSTILL_S = 5.0
START_S = 90.0
"""What the start of two Python processes may take where others compute; systemd's part, not the transport's."""


PAIRS = (("forwarder", "active"), ("truck", "cloud"), ("cloud", "active"), ("edge-1", "truck"), ("archive", "feed"))
ALONE = ("truck", "cloud", "forwarder", "active", "recorder", "archive")


def named(loopback: Loopback, name: str) -> Process:
    if name == "active":
        return loopback.active()
    return {**loopback.services, "truck": loopback.truck, "cloud": loopback.cloud}[name]


@contextmanager
def nothing_lost(loopback: Loopback) -> Iterator[None]:
    """The race goes on while things are done to it; in the end both ends have all of it, each second once."""
    with loopback.field.heard_everywhere(), loopback.field.riding(rate=10):
        eventually("the feed is live", loopback.is_live)
        yield
    assert equal(loopback.settle()) == loopback.field.seconds * 198
    assert_each_second_once_and_forward(told(loopback))


def assert_mended(loopback: Loopback, after: str) -> None:
    """All are well again by themselves, and the race is live soon after that."""
    eventually(f"all are healthy after {after}", lambda: all(s.healthy() for s in loopback.services.values()), START_S)
    healthy = time.monotonic()
    eventually(f"the feed is live after {after}", loopback.is_live)
    assert time.monotonic() - healthy < LIVE_WITHIN_S, after


def test_two_that_are_killed_almost_at_once(loopback: Loopback) -> None:
    """Guards against a process that is safe only as long as its neighbour lives."""
    chance = random.Random(4)
    with nothing_lost(loopback):
        for names in PAIRS:
            for process in [named(loopback, name) for name in names]:
                time.sleep(chance.uniform(0, 0.3))
                process.kill()
                process.start()
            assert_mended(loopback, f"{' and '.join(names)} were killed")


def test_one_that_is_killed_again_while_it_comes_back(loopback: Loopback) -> None:
    """Guards against a recovery that is only right when it comes to its end."""
    chance = random.Random(7)
    with nothing_lost(loopback):
        for name in ALONE:
            process = named(loopback, name)
            for _ in range(3):
                process.kill()
                process.start()
                time.sleep(chance.uniform(0.1, 2.0))
            assert_mended(loopback, f"{name} was killed again and again")


def test_one_that_stands_still_for_a_while(loopback: Loopback) -> None:
    """Guards against who sleeps through its lease, its connections and its acknowledgements, and goes on as before."""
    with nothing_lost(loopback):
        for name in (*ALONE, "edge-2"):
            process = named(loopback, name)
            process.pause()
            time.sleep(STANDSTILL_S)
            process.unpause()
            assert_mended(loopback, f"{name} stood still")
