"""Tells the Manage Centre's hub what the day cycle does; the day goes on where the hub is not there yet."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import nats
from nats.errors import Error as NatsError

_PATIENCE_S = 3.0


@dataclass(frozen=True)
class Hub:
    """The hub as the operator reaches it."""

    url: str
    password: str

    def estate(self, stack: str, graph: dict) -> bool:
        """Make the graph of a stack known; the hub keeps the last one. False where the hub did not answer."""
        return self._publish(f"estate.{stack}", graph)

    def phase(self, stack: str, phase: str, message: str) -> bool:
        """Say how far the day is. False where the hub did not answer."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return self._publish(f"day.{stack}", {"at": at, "phase": phase, "step": phase, "message": message})

    def _publish(self, subject: str, document: dict) -> bool:
        try:
            asyncio.run(asyncio.wait_for(self._send(subject, json.dumps(document).encode()), _PATIENCE_S))
        except (NatsError, OSError, TimeoutError):
            return False
        return True

    async def _send(self, subject: str, payload: bytes) -> None:
        access = {"user": "etape", "password": self.password, "error_cb": _told_by_the_answer}
        connection = await nats.connect(self.url, **access, allow_reconnect=False, connect_timeout=2)
        try:
            await connection.jetstream().publish(subject, payload, timeout=2)
        finally:
            await connection.close()


async def _told_by_the_answer(error: Exception) -> None:
    """The client would print a traceback of what `_publish` answers with False."""
