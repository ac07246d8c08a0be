"""Half a minute in which one process after the other is killed, at any moment, in any order."""

import random
import time

import pytest
from tracking.manifest import Manifest, compare

from tests.tracking_transport.harness import Loopback, Process, eventually
from tests.tracking_transport.test_standby import assert_each_second_once_and_forward, told

LIVE_WITHIN_S = 3.0
START_S = 30.0
"""What a Python process may take to start on a machine that does other things; systemd's part, not the transport's."""


@pytest.mark.parametrize("seed", [9])
def test_kills_at_any_moment_lose_nothing_and_double_nothing(loopback: Loopback, seed: int) -> None:
    """Guards against the one moment between two lines of code that no other test hits."""
    processes: dict[str, Process] = {**loopback.services, "truck": loopback.truck, "cloud": loopback.cloud}
    chance = random.Random(seed)
    order = chance.sample(sorted(processes), len(processes))
    with loopback.field.heard_everywhere(), loopback.field.riding(rate=10):
        for name in order:
            eventually("the feed is live", loopback.is_live)
            time.sleep(chance.uniform(0, 0.5))
            processes[name].kill()
            processes[name].start()
            eventually("all are healthy again", lambda: all(s.healthy() for s in loopback.services.values()), START_S)
            healthy = time.monotonic()
            eventually(f"the feed is live again after {name}", loopback.is_live)
            assert time.monotonic() - healthy < LIVE_WITHIN_S
    truck, archived = map(Manifest.from_json, loopback.settle())
    assert compare(truck, archived) == ()
    assert archived.readings == loopback.field.seconds * 198
    assert_each_second_once_and_forward(told(loopback))
    assert loopback.stored("readings").num_rows == archived.readings
