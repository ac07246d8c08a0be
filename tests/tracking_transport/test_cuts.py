"""An uplink that is cut in every way a link can be, for longer and shorter, and how soon the feed is live again."""

import time

import pytest

from tests.tracking_transport.harness import Loopback, eventually
from tests.tracking_transport.link import Cut
from tests.tracking_transport.test_path import equal

LIVE_WITHIN_S = 5.0
"""On a machine that does other things too; the bench has the real goal."""


def back_after(loopback: Loopback, way: Cut, seconds: float) -> float:
    """Seconds from the mend until the feed is live."""
    eventually("the feed is live", loopback.is_live)
    loopback.uplink.cut(way)
    time.sleep(seconds)
    loopback.uplink.mend()
    mended = time.monotonic()
    eventually("the feed is live again", loopback.is_live)
    return time.monotonic() - mended


@pytest.mark.parametrize("way", Cut)
def test_whatever_the_cut_the_feed_is_live_at_once_after_the_mend(loopback: Loopback, way: Cut) -> None:
    """Guards against waiting for a retransmission timer, or for an attempt that will never come through."""
    with loopback.field.riding():
        taken = [back_after(loopback, way, seconds) for seconds in (0.5, 5.0, 5.6)]
    assert max(taken) < LIVE_WITHIN_S, taken
    assert equal(loopback.settle()) == loopback.field.seconds * 198


def test_nothing_that_comes_late_ends_in_a_traceback(loopback: Loopback) -> None:
    """Guards against a pong behind its time that ends the reading of all else on its connection."""
    with loopback.field.riding():
        for seconds in (1.5, 2.1, 3.1, 4.0):
            back_after(loopback, Cut.LATE, seconds)
    for name in ("forwarder", "recorder"):
        assert "Traceback" not in loopback.services[name].log.read_text()
