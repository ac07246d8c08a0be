"""Telling the hub: at once, again when it is back, and nothing grows while it is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from edge_agent.netlink import Network, Port
from edge_agent.teller import Away, tell
from edge_agent.watcher import Watcher

from tests.edge_agent.examples import config


class FakeHub:
    """Takes messages, refuses them, or lets them hang and fail, as it is told."""

    def __init__(self) -> None:
        self.there = True
        self.messages: list[dict] = []
        self.attempts = 0

    @asynccontextmanager
    async def connect(self, on_closed: Callable[[], None]) -> AsyncIterator["FakeHub"]:
        self.attempts += 1
        if not self.there:
            raise Away("nobody listens")
        yield self

    async def publish(self, subject: str, payload: bytes) -> None:
        if not self.there:
            raise Away("it does not answer")
        assert subject == "facts.2017-s09.edge-2"
        self.messages.append(json.loads(payload))


class SeenWatcher(Watcher):
    """A watcher whose ports the test moves."""

    def port(self, carrier: bool) -> None:
        self._update(network=Network({"eno1": Port("eno1", carrier, 1500, "02:00:00:00:00:01")}, {}, ()))


def play(story: Callable[[SeenWatcher, FakeHub], Awaitable[None]], **changed: object) -> FakeHub:
    hub = FakeHub()

    async def run() -> None:
        watcher = SeenWatcher(replace(config(), units=(), **changed))
        telling = asyncio.create_task(tell(watcher, hub.connect))
        async with asyncio.timeout(10):
            await story(watcher, hub)
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling

    asyncio.run(run())
    return hub


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_a_change_is_told_long_before_the_heartbeat() -> None:
    """Guards: a pulled cable that waits five seconds to be seen."""

    async def story(watcher: SeenWatcher, hub: FakeHub) -> None:
        await until(lambda: len(hub.messages) == 1)
        watcher.port(False)
        async with asyncio.timeout(1):
            await until(lambda: len(hub.messages) == 2)

    hub = play(story)
    assert [event["sentence"] for event in hub.messages[1]["events"]] == ["has no carrier"]


def test_events_wait_for_the_hub_and_are_told_once_with_the_newest_facts() -> None:
    """Guards: what happened while the uplink was cut is lost, or told twice."""

    async def story(watcher: SeenWatcher, hub: FakeHub) -> None:
        await until(lambda: len(hub.messages) == 1)
        hub.there = False
        watcher.port(True)
        watcher.port(False)
        await until(lambda: hub.attempts > 2)
        hub.there = True
        await until(lambda: len(hub.messages) == 2)
        watcher.port(True)
        await until(lambda: len(hub.messages) == 3)

    hub = play(story)
    assert [event["sentence"] for event in hub.messages[1]["events"]] == ["has carrier", "has no carrier"]
    assert hub.messages[1]["ports"]["eno1"]["carrier"] is False
    assert [event["sentence"] for event in hub.messages[2]["events"]] == ["has carrier"]


def test_a_hub_that_stays_away_costs_bounded_memory() -> None:
    """Guards: a flapping link fills the memory of a node through a night."""

    async def story(watcher: SeenWatcher, hub: FakeHub) -> None:
        hub.there = False
        for index in range(1000):
            watcher.port(index % 2 == 0)
        hub.there = True
        await until(lambda: bool(hub.messages))

    assert len(play(story).messages[0]["events"]) == 200


def test_without_changes_there_is_a_heartbeat() -> None:
    """Guards: a node that is well looks dead."""

    async def story(watcher: SeenWatcher, hub: FakeHub) -> None:
        await until(lambda: len(hub.messages) == 2)

    assert [message["seq"] for message in play(story, interval_s=1.0).messages] == [1, 2]
