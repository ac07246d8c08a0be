"""The relay without a broker: what it keeps, what it gives up, and that it says so."""

import asyncio

import numpy as np
from tracking.records import READING
from tracking.relay import Relay, RelayConfig
from tracking.wire import encode_datagrams

NOBODY = {"url": "nats://127.0.0.1:1", "user": "etape", "password": "x"}
HERE = ("127.0.0.1", 5000)


def relay(**limits: int) -> Relay:
    config = {"stack": "2017-s09", "health_port": 0, "broker": NOBODY, "relay": "edge-2", "port": 0, **limits}
    return Relay(RelayConfig.model_validate(config))


def fixes(count: int, time_ms: int = 1_499_590_800_000) -> np.ndarray:
    readings = np.zeros(count, READING)
    readings["device"] = np.arange(1, count + 1)
    readings["time_ms"] = time_ms
    return readings


def counts_after(relay: Relay, datagrams: list[bytes], wait_s: float = 0.0) -> dict:
    async def scenario() -> dict:
        for datagram in datagrams:
            relay.datagram_received(datagram, HERE)
        await asyncio.sleep(wait_s)
        return (await relay.health()).counts

    return asyncio.run(scenario())


def test_the_readings_of_a_second_make_one_batch() -> None:
    """Guards against a message, and a sync of the broker's disk, for each datagram."""
    counts = counts_after(relay(window_ms=20), list(encode_datagrams(fixes(198))), wait_s=0.05)
    assert (counts["readings"], counts["waiting"]) == (198, 1)


def test_a_flood_is_cut_into_batches_of_bounded_size() -> None:
    """Guards against one batch that grows past what a broker takes."""
    counts = counts_after(relay(batch_readings=100), list(encode_datagrams(fixes(450))))
    assert counts["waiting"] == 5


def test_without_a_broker_the_oldest_batches_are_given_up_and_counted() -> None:
    """Guards against memory that grows without end, and losses that nobody learns of."""
    kept = relay(batch_readings=50, max_waiting=3)
    counts = counts_after(kept, list(encode_datagrams(fixes(250))))
    assert (counts["waiting"], counts["dropped"]) == (3, 100)


def test_fixes_that_no_device_can_have_sent_are_refused_and_counted() -> None:
    """Guards against a receiver without a fix that moves the race clock to 1980."""
    counts = counts_after(relay(), [*encode_datagrams(fixes(7, time_ms=315_964_800_000)), *encode_datagrams(fixes(5))])
    assert (counts["refused"], counts["readings"]) == (7, 5)


def test_a_relay_without_its_broker_is_not_healthy_and_names_it() -> None:
    """Guards against a green light over a buffer that fills."""
    health = asyncio.run(relay().health())
    assert not health.ok
    assert NOBODY["url"] in health.detail
