"""Disks that are really full: who says so, who keeps what, and that nothing acknowledged is lost."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tracking.relay import Relay, RelayConfig
from tracking.service import Health
from tracking.transport import streams
from tracking.transport.wire import encode_datagrams

from tests.tracking_transport.field import Field
from tests.tracking_transport.harness import STACK, Broker, Service, eventually, free_port, handed_over
from tests.tracking_transport.test_relay import HERE


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def truck(
    tmp_path: Path, disk: Disk, request: pytest.FixtureRequest
) -> Iterator[tuple[Broker, Service, Service, Field]]:
    """Broker, relay, recorder and field; the one that is named keeps its data on the small disk."""
    folder, full = tmp_path, request.param
    broker = Broker(folder, "truck", disk.folder if full == "broker" else None)
    raw = (disk.folder if full == "recorder" else folder) / "raw"
    port = free_port()
    relay_config = {"broker": broker.config(), "relay": "edge-1", "port": port, "max_waiting": 5}
    relay = Service(folder, "relay", {**relay_config, "state_dir": str(folder / "relay")})
    recorder = Service(folder, "recorder", {"broker": broker.config(), "state_dir": str(raw)})
    processes = (broker, relay, recorder)
    try:
        for process in processes:
            process.start()
        for service in (relay, recorder):
            eventually("the truck is ready", service.healthy)
        yield broker, relay, recorder, Field(port)
    finally:
        relay.kill()
        recorder.kill()
        broker.terminate()


@pytest.mark.parametrize("truck", ["recorder"], indirect=True)
def test_a_full_disk_of_the_recorder_leaves_the_readings_with_the_broker(
    truck: tuple[Broker, Service, Service, Field], disk: Disk
) -> None:
    """Guards against batches that are acknowledged and nowhere, and a log that stays stuck when there is room again."""
    _, relay, recorder, field = truck
    disk.resize("64k")
    with field.riding(rate=50):
        eventually("the recorder says what to do", lambda: "make room" in recorder.get()["detail"])
        eventually("the broker keeps what it does not take", lambda: (recorder.get()["pending"] or 0) > 20)
    assert relay.healthy()
    disk.resize("64m")
    eventually("the recorder is well again", recorder.healthy)
    eventually("all is in the log", lambda: recorder.get()["readings"] == field.seconds * 198)
    recorder.terminate()
    recorder.start()
    eventually("all is there after a restart", lambda: recorder.get()["readings"] == field.seconds * 198)


@pytest.mark.parametrize("truck", ["broker"], indirect=True)
def test_a_full_disk_of_the_broker_leaves_the_readings_with_the_relay(
    truck: tuple[Broker, Service, Service, Field], disk: Disk
) -> None:
    """Guards against readings dropped while the relay has room for a day, and a truck that waits for a person."""
    _, relay, recorder, field = truck
    field.ride()
    eventually("the path works", lambda: recorder.get()["readings"] == 198)
    disk.resize("300k")
    with field.riding(rate=50):
        eventually("the relay says that it cannot hand over", lambda: not relay.healthy())
        eventually("what does not fit into memory is on its disk", lambda: relay.get()["spilled"] > 20)
    assert relay.get()["dropped"] == 0
    disk.resize("64m")
    eventually("all is handed over", lambda: handed_over(relay.get()))
    eventually("all is in the log", lambda: recorder.get()["readings"] == field.seconds * 198)


def test_a_stream_that_has_its_bytes_refuses_and_the_relay_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against the oldest readings of the day thrown away by the broker to make room for new ones."""
    broker = Broker(tmp_path, "truck")
    settings = {"broker": broker.config(), "relay": "edge-1", "port": 0, "max_waiting": 3, "state_dir": str(tmp_path)}
    config = {"stack": STACK, "health_port": 0, "listen": "127.0.0.1", "batch_readings": 198, **settings}
    relay = Relay(RelayConfig.model_validate(config))
    field = Field()

    async def ride_until(is_so: Callable[[Health], bool]) -> None:
        while not is_so(await relay.health()):
            field.seconds += 1
            for datagram in encode_datagrams(field.fixes()):
                relay.datagram_received(datagram, HERE)
            await asyncio.sleep(0.02)

    async def scenario() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(relay.run(stopping))
        async with asyncio.timeout(30):
            await ride_until(lambda health: "maximum bytes exceeded" in health.detail and relay.counts.spilled > 0)
            monkeypatch.setattr(streams, "READINGS_BYTES", 1024**3)
            while not (await relay.health()).ok:
                await asyncio.sleep(0.05)
        stopping.set()
        await running

    monkeypatch.setattr(streams, "READINGS_BYTES", 50_000)
    broker.start()
    try:
        asyncio.run(scenario())
    finally:
        broker.kill()
    assert relay.counts.dropped == 0
    assert relay.counts.readings == field.seconds * 198
