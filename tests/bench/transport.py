"""What the way from the road to the cloud can carry, and what an outage of half an hour does to it.

*Durable ingest*: relay, broker and recorder as they run on the truck, each write synced (`sync_interval: always`, and
the recorder's own). Datagrams of 50 readings are sent as fast as the relay takes them; counted are readings that both
the broker has acknowledged and the raw log holds, over the time from the first datagram to the last of both.

*Outage*: the whole path on loopback, 30 minutes of the race sent while the uplink is cut (faster than real: 1,800
batches of every relay, which is what counts, wait on the truck), then real time again. Live is when the feed shows what
the field sends, while the backlog still drains; lost and doubled are by the manifests of both ends and by the rows of
the stored Parquet.
"""

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tracking.manifest import Manifest, compare
from tracking.records import READING
from tracking.transport.wire import encode_datagrams

from tests.bench.figure import Figure

INGEST_GOAL = 50_000
INGEST_SECONDS, INGEST_DEVICES = 1000, 600
UNDER_WAY = 30_000
"""Readings that the relay has not counted yet, at most: UDP does not say when it drops."""
OUTAGE_S = 1800
BACK_GOAL_S = 2.0
START_MS = 1_499_590_800_000


def figures() -> list[Figure]:
    """Durable readings a second; and of an outage of 30 minutes how soon it is over, what it lost and doubled."""
    with tempfile.TemporaryDirectory(prefix="etape-bench-") as folder:
        ingest = Figure(
            "tracking.ingest_durable_readings_per_s",
            round(_ingest(Path(folder))),
            "readings/s",
            goal=INGEST_GOAL,
            higher=True,
        )
    return [ingest, *_outage()]


def _ingest(folder: Path) -> float:
    """Readings a second."""
    from tests.tracking_transport.harness import Broker, Service, eventually, free_port  # pytest, moto, pyarrow

    port = free_port(socket.SOCK_DGRAM)
    broker = Broker(folder, "truck")
    relay = Service(folder, "relay", {"broker": broker.config(), "relay": "edge-1", "port": port})
    recorder = Service(folder, "recorder", {"broker": broker.config(), "state_dir": str(folder / "raw")})
    total = INGEST_SECONDS * INGEST_DEVICES
    try:
        for process in (broker, relay, recorder):
            process.start()
        for service in (relay, recorder):
            eventually("the truck is ready", service.healthy)
        seconds = _seconds()
        began = time.monotonic()
        _send(seconds, port, lambda: relay.get()["readings"])
        eventually("the broker has all", lambda: relay.get()["waiting"] == 0, within=120)
        eventually("the log has all", lambda: recorder.get()["readings"] == total, within=120)
        return total / (time.monotonic() - began)
    finally:
        for process in (recorder, relay, broker):
            process.kill()


def _send(seconds: list[list[bytes]], port: int, taken: Callable[[], int]) -> None:
    """All seconds, no faster than they are taken."""
    sent = known = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
        for second in seconds:
            while sent - known > UNDER_WAY:
                known = taken()
            for datagram in second:
                radio.sendto(datagram, ("127.0.0.1", port))
            sent += INGEST_DEVICES


def _seconds() -> list[list[bytes]]:
    """The datagrams of each second."""
    rows = np.zeros(INGEST_DEVICES, READING)
    rows["device"] = np.arange(1, INGEST_DEVICES + 1)
    rows["lon"] = 5.9
    made = []
    for second in range(INGEST_SECONDS):
        rows["time_ms"] = START_MS + second * 1000
        rows["lat"] = 45 + second * 1e-4
        made.append(list(encode_datagrams(rows)))
    return made


def _outage() -> list[Figure]:
    from tests.tracking_transport.harness import estate_on_loopback, eventually

    with tempfile.TemporaryDirectory(prefix="etape-bench-") as folder, estate_on_loopback(Path(folder)) as estate:
        field, forwarder = estate.field, estate.services["forwarder"]
        with field.riding(rate=5):
            eventually("the feed is live", estate.is_live)
        estate.uplink.cut()
        eventually("the cut is noticed", lambda: forwarder.get()["uplink"] == "down")
        until = field.seconds + OUTAGE_S
        with field.riding(rate=100):
            eventually("half an hour of the race", lambda: field.seconds >= until, within=120)
        with field.riding(rate=1):
            time.sleep(2)
            estate.uplink.mend()
            began = time.monotonic()
            eventually("the feed is live again", estate.is_live)
            back = time.monotonic() - began
            behind = forwarder.get()["pending"]
            live = [estate.is_live() for _ in _until(lambda: forwarder.get()["pending"] == 0)]
        truck, archived = map(Manifest.from_json, estate.settle())
        rows = estate.stored("readings").num_rows
    print(f"{behind} batches still waited then; live in {np.mean(live):.0%} of looks until the last", file=sys.stderr)
    lost = max(field.seconds * 198, truck.readings) - archived.readings
    return [
        Figure("tracking.uplink_back_to_live", round(back, 2), "s", goal=BACK_GOAL_S),
        Figure("tracking.outage_lost", max(lost, len(compare(truck, archived))), "readings", goal=0),
        Figure("tracking.outage_duplicated", rows - archived.readings, "readings", goal=0),
    ]


def _until(over: Callable[[], bool], within_s: float = 120.0) -> Iterator[None]:
    """Ten times a second until it is over."""
    end = time.monotonic() + within_s
    while not over() and time.monotonic() < end:
        yield
        time.sleep(0.1)
