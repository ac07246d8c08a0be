"""A truck and a cloud on loopback: real brokers and services as processes, and an uplink that can be cut."""

import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pyarrow.dataset as ds
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

from tests.tracking_transport.field import COURSE, Field
from tests.tracking_transport.link import Link

T = TypeVar("T")
STACK = "2017-s09"
PASSWORD = "loopback"
RADIO_KEY = "10" * 16
PROCESSORS = ("processor", "standby")
RELAYS = ("edge-1", "edge-2")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody listens on now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nats_server() -> str:
    """The pinned broker: on PATH, or where set-up keeps its engines."""
    cache = Path(os.environ.get("ETAPE_CACHE", Path.home() / ".cache/etape"))
    found = shutil.which("nats-server", path=f"{os.environ['PATH']}:{cache / 'node'}")
    if found is None:
        pytest.fail(f"nats-server is neither on PATH nor in {cache / 'node'}; `scripts/stage up` builds it")
    return found


def eventually(what: str, answer: Callable[[], T | None], within: float = 30.0) -> T:
    """The first true answer; fails the test, naming `what`, when there is none in time."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            if last := answer():
                return last
        except (httpx.HTTPError, OSError) as error:
            last = error
        time.sleep(0.02)
    pytest.fail(f"not within {within} s: {what} (last: {last!r})")


class Process:
    """A child that can be killed and started again with the same state."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self.log = log
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        """SIGKILL: nothing is finished."""
        if self._child:
            self._child.kill()
            self._child.wait()
            self._child = None

    def pause(self) -> None:
        """SIGSTOP: it does not know that time goes on."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def unpause(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self._child is not None
        self._child.terminate()
        code = self._child.wait(timeout=30)
        self._child = None
        return code


class Broker(Process):
    """nats-server with JetStream, every write synced, and its keeper where its disk is named."""

    def __init__(self, folder: Path, name: str, disk: Path | None = None) -> None:
        """`disk`: where it keeps its streams, else in `folder`."""
        self.port = free_port()
        config = folder / f"{name}.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{(disk or folder) / name}", max_file_store: 4GB, sync_interval: always }}\n'
            f"authorization {{ user: etape, password: {PASSWORD} }}\n"
            "max_payload: 8MB\n"
        )
        command = [nats_server(), "-c", str(config)]
        if disk:
            health = free_port()
            with config.open("a") as more:
                more.write(f'http: "127.0.0.1:{health}"\n')
            keeper = ["--health", f"http://127.0.0.1:{health}/healthz", "--disk", str(disk), "--room-mb", "16", "--"]
            command = [sys.executable, "-m", "tracking.broker_keeper", *keeper, *command]
        super().__init__(command, folder / f"{name}.log")

    def config(self, port: int | None = None) -> dict[str, str]:
        """As a service's config names it; by another port for the way through a link."""
        return {"url": f"nats://127.0.0.1:{port or self.port}", "user": "etape", "password": PASSWORD}


class Service(Process):
    """`python -m tracking.<module> --config ...`"""

    def __init__(self, folder: Path, module: str, config: dict[str, Any], name: str | None = None) -> None:
        """`name` where there are several of a kind."""
        name = name or module
        self.port = free_port()
        file = folder / f"{name}.json"
        file.write_text(json.dumps({"stack": STACK, "listen": "127.0.0.1", "health_port": self.port, **config}))
        super().__init__([sys.executable, "-m", f"tracking.{module}", "--config", str(file)], folder / f"{name}.log")

    def get(self, path: str = "/healthz") -> dict[str, Any]:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5).json()

    def post(self, path: str) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", timeout=40)

    def healthy(self) -> bool:
        return self.get()["status"] == "ok"


class Loopback:
    """The whole path of a reading, from the field to the archive and the feed."""

    def __init__(self, folder: Path, store: ThreadedMotoServer) -> None:
        self.folder, self.store = folder, store
        self.truck, self.cloud = Broker(folder, "truck"), Broker(folder, "cloud")
        self.uplink = Link(self.cloud.port)
        ports = [free_port(socket.SOCK_DGRAM) for _ in RELAYS]
        self.field = Field(*ports, radio_key=RADIO_KEY)
        truck, cloud, stage = self.truck.config(), self.cloud.config(), stage_config()
        port = store.get_host_and_port()[1]
        endpoint = f"http://127.0.0.1:{port}"
        self.bucket = f"loopback-{port}"
        """Our own: all of moto's servers in a process show the same objects."""
        objects = {"endpoint": endpoint, "access_key": "loopback", "secret_key": "loopback", "bucket": self.bucket}
        far = self.cloud.config(self.uplink.port)
        configs: dict[str, dict[str, Any]] = {
            "forwarder": {"truck": truck, "cloud": far},
            "recorder": {"broker": truck, "state_dir": str(folder / "raw"), "cloud": far, "compare_s": 0.5},
            "processor": {"broker": cloud, "stage": stage, "speed": 5.0, "checkpoint_s": 1.0},
            "archive": {
                "broker": cloud,
                "stage": stage,
                "object_store": objects,
                "part_seconds": 1.0,
                "quiet_seconds": 3600.0,
            },
            "feed": {"broker": cloud, "stage": stage, "heartbeat_s": 0.2},
        }
        self.services = {name: Service(folder, name, config) for name, config in configs.items()}
        self.services["standby"] = Service(folder, "processor", configs["processor"], "standby")
        for name, port in zip(RELAYS, ports, strict=True):
            radio = {"radio_key": RADIO_KEY, "state_dir": str(folder / name), "race_start": stage["race_start"]}
            config = {"broker": truck, "relay": name, "port": port, **radio}
            self.services[name] = Service(folder, "relay", config, name)

    def start(self) -> None:
        standby = self.services["standby"]
        first = [service for service in self.services.values() if service is not standby]
        for processes in ([self.truck, self.cloud, *first], [standby]):  # the first has compiled for the second
            for process in processes:
                process.start()
            for name, service in self.services.items():
                if service in processes:
                    eventually(f"{name} is healthy", service.healthy, within=120)

    def stop(self) -> None:
        for process in (*self.services.values(), self.truck, self.cloud):
            process.kill()
        self.uplink.close()
        self.store.stop()

    @contextlib.contextmanager
    def store_away(self) -> Iterator[None]:
        """Nobody listens where the object store was; its objects outlive that."""
        port = self.store.get_host_and_port()[1]
        self.store.stop()
        try:
            yield
        finally:
            self.store = ThreadedMotoServer(port=port, verbose=False)
            self.store.start()

    def active(self, beside: Service | None = None) -> Service:
        """The processor that publishes; `beside` is not asked."""
        asked = [self.services[name] for name in PROCESSORS if self.services[name] is not beside]
        return eventually("one of the processors is active", lambda: next(filter(is_active, asked), None))

    def stored(self, kind: str) -> Any:
        """The Parquet in the object store of readings or states, as a table of Arrow."""
        endpoint = f"http://127.0.0.1:{self.store.get_host_and_port()[1]}"
        store = fs.S3FileSystem(endpoint_override=endpoint, access_key="loopback", secret_key="loopback")
        return ds.dataset(f"{self.bucket}/{kind}/edition=2017", filesystem=store, partitioning="hive").to_table()

    def snapshot(self) -> dict[str, Any]:
        return self.services["feed"].get("/api/snapshot")

    def is_live(self) -> bool:
        """Whether the feed shows what the field sends at this moment, give or take two seconds of the race."""
        return (self.snapshot()["race"]["clock_ms"] or 0) >= self.field.clock_ms - 2000

    def settle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """When nothing is under way any more: (truck's manifest, archive's manifest)."""
        services = self.services
        for name in RELAYS:
            eventually(f"{name} has handed everything over", lambda s=services[name]: handed_over(s.get()))
        for name in ("forwarder", "recorder"):
            eventually(f"{name} has nothing pending", lambda s=services[name]: s.get()["pending"] == 0)
        flushed = services["archive"].post("/flush")
        assert flushed.status_code == 200, flushed.text
        return services["recorder"].get("/manifest"), flushed.json()


@contextlib.contextmanager
def estate_on_loopback(folder: Path) -> Iterator[Loopback]:
    """One truck and one cloud, all of it running."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    store = ThreadedMotoServer(port=0, verbose=False)
    store.start()
    estate = Loopback(folder, store)
    try:
        estate.start()
        yield estate
    finally:
        estate.stop()


def is_active(processor: Service) -> bool:
    """False also for one that does not answer."""
    try:
        return processor.get()["role"] == "active"
    except httpx.HTTPError:
        return False


def handed_over(relay: dict[str, Any]) -> bool:
    """Whether a relay, as it answers, holds nothing any more."""
    return relay["waiting"] == relay["waiting_bytes_on_disk"] == 0


def stage_config() -> dict[str, Any]:
    """As Ansible renders it."""
    return {
        "edition": 2017,
        "number": 9,
        "start": "Nantua",
        "finish": "Chambéry",
        "race_start": "2017-07-09T11:00:00+02:00",
        "official_km": 181.5,
        "course": str(COURSE),
    }
