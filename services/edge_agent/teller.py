"""Tells the hub: every few seconds, at once when something changed, and again as soon as it is back."""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from edge_agent.watcher import Watcher, wait

_log = logging.getLogger("edge_agent")
_AT_MOST_EVERY_S = 0.1
_LONGEST_RETRY_S = 2.0


class Away(Exception):
    """The hub cannot be reached, or has stopped to answer; says why."""


class Connection(Protocol):
    """One connection to the hub."""

    async def publish(self, subject: str, payload: bytes) -> None:
        """Return when the hub has it; raise Away where it does not come to that."""


Connect = Callable[[Callable[[], None]], AbstractAsyncContextManager[Connection]]
"""Opens a connection, or raises Away; what it is given is called when the connection ends from the other side."""


async def tell(watcher: Watcher, connect: Connect) -> None:
    """Run until cancelled. While the hub is away only the newest facts and the last events wait, so nothing grows."""
    subject = f"facts.{watcher.config.stack}.{watcher.config.node}"
    seq, attempt = 0, 0
    while True:
        try:
            async with connect(watcher.news.set) as connection:
                _log.info("the hub takes facts")
                attempt = 0
                while True:
                    seq += 1
                    await _tell_once(watcher, connection, subject, seq)
        except Away as reason:
            if attempt == 0:
                _log.warning("the hub is away (%s): the newest facts wait", reason)
            attempt += 1
            await asyncio.sleep(random.uniform(0.2, min(0.5 * attempt, _LONGEST_RETRY_S)))


async def _tell_once(watcher: Watcher, connection: Connection, subject: str, seq: int) -> None:
    """Publish, then wait for news or for the next heartbeat, spread so that eighty nodes do not speak at once."""
    watcher.news.clear()
    document = watcher.document(seq)
    await connection.publish(subject, json.dumps(document).encode())
    watcher.told(len(document["events"]))
    await asyncio.sleep(_AT_MOST_EVERY_S)
    await wait(watcher.news, watcher.config.interval_s * random.uniform(0.85, 1.0))
