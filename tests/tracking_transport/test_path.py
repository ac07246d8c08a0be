"""The whole path of a reading over real brokers: live at the feed, once in the archive, whatever breaks."""

import asyncio
import json
import subprocess
import sys
import time

import httpx
import nats
import numpy as np
import pytest
from tracking.manifest import Manifest, compare
from tracking.records import RIDER_STATE
from tracking.transport.wire import Batch, RaceStatus, StateFrame, encode_batch, encode_states

from tests.tracking_transport.harness import RELAYS, Broker, Loopback, eventually

REST = (0, 0, RaceStatus.LIVE, 1.0, 0.0, 0, 0, 0, np.zeros(1, RIDER_STATE))
"""Of a frame that says nothing."""


def equal(manifests: tuple[dict, dict]) -> int:
    """The number of readings when both places hold the same; fails with what differs."""
    truck, archive = map(Manifest.from_json, manifests)
    assert compare(truck, archive) == ()
    return truck.readings


def publish(broker: Broker, subject: str, data: bytes) -> None:
    """What some other program might send."""

    async def once() -> None:
        config = broker.config()
        client = await nats.connect(config["url"], user=config["user"], password=config["password"])
        await client.jetstream().publish(subject, data)
        await client.close()

    asyncio.run(once())


def test_what_the_field_sends_is_at_the_feed_at_once(loopback: Loopback) -> None:
    """Guards against a path that works only in parts, and against groups that are lost on the way."""
    with loopback.field.riding():
        eventually(
            "198 riders in three groups", lambda: [g["size"] for g in loopback.snapshot()["groups"]] == [8, 170, 20]
        )
        eventually("the feed is live", loopback.is_live)
    seen = loopback.snapshot()
    assert [group["name"] for group in seen["groups"]] == ["Breakaway", "Peloton", "Dropped 1"]
    assert seen["race"]["status"] == "live"
    assert seen["health"]["lag_ms"] < 1000  # on a machine that does other things too; the bench has the real goal


def test_the_stream_sends_each_new_second_with_its_id_and_beats_when_silent(loopback: Loopback) -> None:
    """Guards against pages that poll, resume at the wrong place, or hang on a dead line."""
    url = f"http://127.0.0.1:{loopback.services['feed'].port}/api/stream"
    with httpx.stream("GET", url, timeout=10) as stream:
        lines = stream.iter_lines()
        with loopback.field.riding():
            found = [line for line, _ in zip(lines, range(20), strict=False)]
        assert "retry: 1000" in found
        ids = [int(line.removeprefix("id: ")) for line in found if line.startswith("id: ")]
        assert ids == sorted(set(ids))
        assert len(ids) >= 2
        states = [json.loads(line.removeprefix("data: ")) for line in found if line.startswith("data: ")]
        assert [state["race"]["clock_ms"] for state in states] == ids[: len(states)]
        assert ": alive" in lines


def test_a_cut_uplink_loses_nothing_and_is_live_again_before_the_backlog(loopback: Loopback) -> None:
    """Guards against readings lost or doubled by an outage, and against a live picture that waits for the backlog."""
    with loopback.field.riding():
        eventually("the feed is live", loopback.is_live)
        loopback.uplink.cut()
        eventually("the cut is noticed", lambda: loopback.services["forwarder"].get()["uplink"] == "down")
        time.sleep(4)
        assert not loopback.is_live()
        loopback.uplink.mend()
        mended = time.monotonic()
        eventually("the feed is live again", loopback.is_live)
        assert time.monotonic() - mended < 5
    assert equal(loopback.settle()) == loopback.field.seconds * 198


@pytest.mark.parametrize("name", ["edge-2", "forwarder", "recorder", "processor", "archive", "truck", "cloud"])
def test_a_kill_in_the_middle_of_the_race_loses_and_doubles_nothing(loopback: Loopback, name: str) -> None:
    """Guards against what is acknowledged before it is safe, and what is done again after a restart."""
    process = {**loopback.services, "truck": loopback.truck, "cloud": loopback.cloud}[name]
    with loopback.field.heard_everywhere(), loopback.field.riding(rate=10):
        eventually("the feed is live", loopback.is_live)
        process.kill()
        time.sleep(0.5)
        process.start()
        eventually("all services are healthy again", lambda: all(s.healthy() for s in loopback.services.values()))
        eventually("the feed is live again", loopback.is_live)
    assert equal(loopback.settle()) == loopback.field.seconds * 198


def test_repeated_readings_are_stored_once(loopback: Loopback) -> None:
    """Guards against a radio that repeats itself and doubles the archive."""
    before = equal(loopback.settle())
    fixes = loopback.field.fixes()
    for again in (fixes, fixes[::-1], fixes[5:60]):
        loopback.field.send(again)
        time.sleep(0.3)
    assert equal(loopback.settle()) == before


def test_corrupt_frames_are_counted_and_stepped_over(loopback: Loopback) -> None:
    """Guards against one bad frame that stops a service or the lanes behind it."""
    before = equal(loopback.settle())
    corrupt = {name: loopback.services[name].get()["corrupt"] for name in ("recorder", "processor")}
    forged = [loopback.services[name].get()["forged"] for name in RELAYS]
    loopback.field.send_bytes(b"not a datagram of ours")
    publish(loopback.truck, "readings.2017-s09.edge-2", b"not a batch of ours")
    publish(loopback.cloud, "states.2017-s09", b"not a frame of ours")
    loopback.field.ride()
    assert equal(loopback.settle()) == before + 198
    for name, count in corrupt.items():
        assert loopback.services[name].get()["corrupt"] == count + 1
    assert [loopback.services[name].get()["forged"] for name in RELAYS] == [count + 1 for count in forged]
    assert loopback.services["feed"].get()["corrupt"] >= 1


def test_batches_that_lie_disturb_nothing(loopback: Loopback) -> None:
    """Guards against one hostile or broken sender with a broker's password who stops the race for all."""
    before = equal(loopback.settle())
    fixes = loopback.field.fixes()
    nowhere, far_off = fixes.copy(), fixes.copy()
    nowhere["lat"] = np.nan
    far_off["time_ms"] += 30 * 365 * 86_400_000
    run = loopback.services["recorder"].get("/manifest")["run"]
    for readings, of_run in ((nowhere, run), (far_off[:0], run), (fixes[:0], 0), (fixes[:0], 2**64 - 1)):
        publish(loopback.cloud, "readings.2017-s09.edge-9", encode_batch(Batch(of_run, 1, -1, readings)))
    publish(loopback.cloud, "readings.2017-s09.edge-9", encode_batch(Batch(2**64 - 1, 2, 0, fixes)))
    refused, corrupt = loopback.active().get(), loopback.services["feed"].get()["corrupt"]
    publish(loopback.truck, "readings.2017-s09.edge-9", encode_batch(Batch(run, 3, 0, nowhere)))
    publish(loopback.truck, "readings.2017-s09.edge-9", encode_batch(Batch(2**64 - 1, 4, 0, fixes)))
    publish(loopback.truck, "readings.2017-s09.edge-9", encode_batch(Batch(1, 5, 0, fixes)))
    publish(loopback.cloud, "states.2017-s09", b"x" * 1_000_000)
    for lie in (StateFrame(2**64 - 1, loopback.field.clock_ms, *REST), StateFrame(run, 2**62, *REST)):
        publish(loopback.cloud, "states.2017-s09", encode_states(lie))
    for name in ("control", "events", "forecasts"):
        for garbage in (b"", b"\xff" * 5000, b"[" * 100_000, b'{"kind": "withdrawal", "rider": NaN, "at_ms": 1e400}'):
            publish(loopback.cloud, f"{name}.2017-s09", garbage)
    for _ in range(5):
        loopback.field.ride()
        time.sleep(0.2)
    eventually("the feed is live", loopback.is_live)
    assert equal(loopback.settle()) == loopback.field.seconds * 198 > before
    assert loopback.active().get()["refused"] >= refused["refused"] + 198
    assert loopback.active().get()["foreign"] >= 3
    assert loopback.services["recorder"].get()["foreign"] == 2
    assert loopback.services["feed"].get()["corrupt"] >= corrupt + 3


def test_the_archive_waits_for_an_object_store_that_is_away(loopback: Loopback) -> None:
    """Guards against messages that are acknowledged although nothing was stored."""
    archive = loopback.services["archive"]
    with loopback.store_away(), loopback.field.riding():
        eventually("the archive says what is wrong", lambda: "is away" in archive.get()["detail"])
        assert archive.get()["pending"] > 0
    assert equal(loopback.settle()) == loopback.field.seconds * 198


def test_the_stored_parquet_holds_each_reading_and_each_state_once(loopback: Loopback) -> None:
    """Guards against a manifest that is right while the objects are not."""
    truck, _ = loopback.settle()
    config = loopback.folder / "archive.json"
    again = subprocess.run(
        [sys.executable, "-m", "tracking.manifest", "archive", "--config", str(config)], capture_output=True, check=True
    )
    assert json.loads(again.stdout) == truck
    for kind, identity in (("readings", "device"), ("states", "rider")):
        table = loopback.stored(kind)
        keys = np.rec.fromarrays([table[identity].to_numpy(), table["time_ms"].to_numpy()])
        assert len(np.unique(keys)) == table.num_rows > 0


def test_stopping_the_relay_hands_over_what_it_holds(loopback: Loopback) -> None:
    """Guards against a drain that loses the last second of the race."""
    loopback.field.ride()
    time.sleep(0.05)
    for name in RELAYS:
        relay = loopback.services[name]
        assert relay.terminate() == 0
        relay.start()
        eventually(f"{name} is back", relay.healthy)
    assert equal(loopback.settle()) == loopback.field.seconds * 198
