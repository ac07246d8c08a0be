"""The Manage Centre over an estate that is played: agents report by the contract of the hub, without lab or NATS.

python -m tests.browser.fake_hub [PORT] [small|full] [well|cable|uplink|power|services|de-rig]
"""

import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from manage_centre.centre import Centre
from manage_centre.hub import Heard
from manage_centre.page import manage_page
from starlette.applications import Starlette

from tests.manage.playing import STAGE, Play, graphs

_PACE_S = 0.5


class FakeHub:
    """Gives a Centre what a hub would: graphs, steps of the day, and the facts of each node that still reports."""

    def __init__(self, play: Play, state_dir: Path) -> None:
        self.play = play
        self.ahead = timedelta()
        """How far the Manage Centre's clock is ahead, so that a test need not wait until facts are old."""
        self.centre = Centre("2017-core", state_dir, self.now)
        self.centre.hub_is(True)
        self.gone: set[str] = set()
        self._sequence = 0
        for stack, document in play.documents.items():
            self.publish("estate", stack, document)

    def now(self) -> datetime:
        """The time that the Manage Centre goes by."""
        return datetime.now(UTC) + self.ahead

    def publish(self, kind: str, stack: str, document: dict[str, Any]) -> None:
        """One message."""
        sequence = 0
        if kind != "facts":
            self._sequence += 1
            sequence = self._sequence
        self.centre.hear(Heard(kind, stack, json.dumps(document).encode(), sequence))

    def day(self, phase: str, message: str) -> None:
        """One step of the day cycle."""
        at = self.now().isoformat(timespec="milliseconds")
        self.publish("day", STAGE, {"at": at, "phase": phase, "step": phase, "message": message})

    def report(self) -> None:
        """Every node that is there reports once."""
        for name in self.play.graph.nodes:
            if name not in self.play.silent and name not in self.gone:
                facts = {**self.play.facts(name), "at": self.now().isoformat()}
                self.publish("facts", facts["stack"], facts)

    async def run(self) -> None:
        """Report again and again."""
        while True:
            self.report()
            await asyncio.sleep(_PACE_S)


class ServedCentre:
    """The page over a fake hub, on a port that the kernel chooses. Faults are played by `change`."""

    def __init__(self, hub: FakeHub, port: int = 0) -> None:
        self.hub = hub

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            self._loop = asyncio.get_running_loop()
            tasks = [asyncio.create_task(hub.run()), asyncio.create_task(hub.centre.run())]
            yield
            for task in tasks:
                task.cancel()

        app = Starlette(routes=[manage_page(hub.centre)], lifespan=lifespan)
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "ServedCentre":
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("The server of the fake hub ended before it could serve.")
            time.sleep(0.02)
        self.address = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        return self

    def change(self, fault: Callable[[FakeHub], None], then_after: float = 0.0) -> None:
        """Play a fault between two reports, the second of which comes so many seconds of the Manage Centre later."""

        async def play() -> None:
            fault(self.hub)
            self.hub.ahead += timedelta(seconds=then_after)
            self.hub.report()

        asyncio.run_coroutine_threadsafe(play(), self._loop).result(5)

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5)


def cable_out(hub: FakeHub) -> None:
    """The plug of edge-2 at the race switch is out."""
    hub.play.pull(hub.play.between("edge-2", "switch-1").label)


def uplink_out(hub: FakeHub) -> None:
    """The town's handoff is dark: nothing of the truck reports any more."""
    hub.play.pull(hub.play.between("gateway-1", "wan-1").label)
    hub.play.hush(node.name for node in hub.play.graph.nodes.values() if node.site == "truck")


def power_out(hub: FakeHub) -> None:
    """edge-1 has no power."""
    hub.play.power_off("edge-1")


def services_down(hub: FakeHub) -> None:
    """The truck's broker has failed, and those that need it say so."""
    hub.play.stop("edge-1", "etape-broker", "failed")
    hub.play.sick("edge-2", "etape-relay", "the broker does not answer")
    hub.play.sick("edge-2", "etape-forwarder", "the broker does not answer")


def de_rig(hub: FakeHub) -> None:
    """Machines are taken away: the cloud is gone already."""
    hub.day("draining", "producers stop, the backlog goes to the cloud")
    hub.day("de-rig", "machines and cables are being taken away")
    hub.gone |= {node.name for node in hub.play.graph.nodes.values() if node.site == "cloud"}


FAULTS: dict[str, Callable[[FakeHub], None]] = {
    "well": lambda hub: None,
    "cable": cable_out,
    "uplink": uplink_out,
    "power": power_out,
    "services": services_down,
    "de-rig": de_rig,
}


def main(port: int = 8330, scale: str = "full", fault: str = "cable") -> None:
    """Serve until interrupted."""
    with tempfile.TemporaryDirectory() as folder:
        hub = FakeHub(Play(graphs(scale)), Path(folder))
        hub.day("rigging", f"{STAGE} is deployed, arrival is being checked")
        hub.day("live", f"{STAGE} is race-ready")
        with ServedCentre(hub, port) as served:
            print(served.address)
            time.sleep(3)
            served.change(FAULTS[fault])
            threading.Event().wait()


if __name__ == "__main__":
    main(*[int(word) if word.isdigit() else word for word in sys.argv[1:]])
