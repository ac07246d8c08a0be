"""Watches the node, each thing at its own pace, and remembers what changed until someone has been told."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent import daemons, netlink, probes
from edge_agent.config import Config
from edge_agent.facts import Event, Seen, changes, facts
from edge_agent.load import LoadMeter

_KEPT_EVENTS = 200
_AT_MOST_EVERY_S = 0.1
_STEADY_S = 30.0
_IN_TRANSITION = {"activating", "deactivating", "reloading"}


def boot_id() -> str:
    """Changes with each boot, of a machine or of a container on one."""
    kernel = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    started = Path("/proc/1/stat").read_text().rsplit(")", 1)[1].split()[19]
    return f"{kernel}-{started}"


class Watcher:
    """What is seen, always true: `look` reads everything once, `run` keeps it so."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.seen = Seen()
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._boot_id = boot_id()
        self._meter = LoadMeter()
        self.news = asyncio.Event()
        """Set by a change that should be told at once."""
        self._link_changed = asyncio.Event()
        self._unit_ended = asyncio.Event()
        self._link_changed_at = 0.0
        self._unit_names = tuple(unit.name for unit in config.units)
        self._threads = ThreadPoolExecutor(max_workers=2)

    async def look(self) -> None:
        """Read everything once, the slow parts side by side."""
        self._read_network()
        await asyncio.gather(
            self._read_neighbours(), self._read_units(), self._read_health(), self._read_clock(), self._read_uplink()
        )
        self._events.clear()

    def document(self, seq: int = 0) -> dict[str, Any]:
        """The facts as of now, with the events that nobody has been told yet."""
        self.seen = replace(self.seen, load=self._meter.read())
        return facts(
            self.config,
            self.seen,
            at=datetime.now(UTC),
            boot_id=self._boot_id,
            seq=seq,
            events=tuple(self._events),
        )

    def told(self, events: int) -> None:
        """Forget the oldest events: they have arrived."""
        for _ in range(min(events, len(self._events))):
            self._events.popleft()

    async def run(self) -> None:
        """Watch until cancelled."""
        tasks = [self._watch_network(), self._watch_neighbours(), self._watch_units(), self._watch_health()]
        tasks += [self._watch_clock(), self._watch_uplink()]
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(task)

    def _update(self, **parts: Any) -> None:
        before, self.seen = self.seen, replace(self.seen, **parts)
        events = tuple(changes(self.config, before, self.seen, datetime.now(UTC)))
        if events:
            self._events.extend(events)
            self.news.set()

    async def _in_thread(self, work: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    # What is read, and how.

    def _read_network(self) -> None:
        self._update(network=netlink.read_network())

    async def _read_neighbours(self) -> None:
        text = await self._in_thread(daemons.ask, daemons.NEIGHBOURS)
        self._update(neighbours=daemons.parse_neighbours(text))

    async def _read_units(self) -> None:
        if self._unit_names:
            text = await self._in_thread(daemons.ask, daemons.show_units(self._unit_names))
            self._update(units=daemons.parse_units(text, self._unit_names))

    async def _read_health(self) -> None:
        asked = [(unit.name, unit.health_url) for unit in self.config.units if unit.health_url]
        answers = await asyncio.gather(*(self._in_thread(probes.ask_health, url) for _, url in asked))
        self._update(health={name: answer for (name, _), answer in zip(asked, answers, strict=True)})

    async def _read_clock(self) -> None:
        self._update(clock=daemons.parse_tracking(await self._in_thread(daemons.ask, daemons.TRACKING)))

    async def _read_uplink(self) -> None:
        if self.config.uplink_target:
            self._update(rtt_ms=await self._in_thread(probes.ping, self.config.uplink_target))

    # When it is read again.

    async def _watch_network(self) -> None:
        changed = asyncio.Event()
        with netlink.listen() as events:

            def heard() -> None:
                netlink.drain(events)
                changed.set()

            asyncio.get_running_loop().add_reader(events, heard)
            while True:
                if await wait(changed, _STEADY_S):
                    self._link_changed_at = asyncio.get_running_loop().time()
                    self._link_changed.set()
                self._read_network()
                await asyncio.sleep(_AT_MOST_EVERY_S)

    async def _watch_neighbours(self) -> None:
        while True:
            await wait(self._link_changed, self._neighbour_pace())
            await self._read_neighbours()
            await asyncio.sleep(_AT_MOST_EVERY_S)

    def _neighbour_pace(self) -> float:
        """Often for a while after a change, as long as a port waits for its neighbour; management has none."""
        network = self.seen.network
        management = {route.interface for route in network.routes if route.destination == "0.0.0.0/0"}
        dark = {port.name for port in network.ports.values() if not (port.pluggable and port.carrier)}
        if network.ports.keys() - dark - management <= self.seen.neighbours.keys():
            return _STEADY_S
        return 1.0 if asyncio.get_running_loop().time() - self._link_changed_at < _STEADY_S else 10.0

    async def _watch_units(self) -> None:
        while True:
            watched = self._watch_main_processes()
            await wait(self._unit_ended, self._unit_pace())
            for process in watched:
                asyncio.get_running_loop().remove_reader(process)
                os.close(process)
            await self._read_units()

    def _watch_main_processes(self) -> list[int]:
        """Process file descriptors become readable when a main process ends: no polling for the likely fault."""
        watched = []
        for unit in self.seen.units.values():
            if unit.main_pid:
                try:
                    process = os.pidfd_open(unit.main_pid)
                except OSError:
                    self._unit_ended.set()
                    continue
                asyncio.get_running_loop().add_reader(process, self._unit_ended.set)
                watched.append(process)
        return watched

    def _unit_pace(self) -> float:
        states = {unit.active for unit in self.seen.units.values()}
        if states & _IN_TRANSITION:
            return 1.0
        return _STEADY_S if states == {"active"} else 5.0

    async def _watch_health(self) -> None:
        while True:
            healthy = all(health.healthy for health in self.seen.health.values())
            await asyncio.sleep(self.config.interval_s if healthy else min(2.0, self.config.interval_s))
            await self._read_health()

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(15.0 if self.seen.clock.synchronised else 5.0)
            await self._read_clock()

    async def _watch_uplink(self) -> None:
        while self.config.uplink_target:
            await asyncio.sleep(2.0)
            await self._read_uplink()


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Until the event or the time, whichever is first; the event is used up. True where it was the event."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    happened = event.is_set()
    event.clear()
    return happened
