"""Channels: each tells its newest message to any number of readers, none of whom can hold up another.

A reader is up to date, or it is behind. Who is behind gets what it has missed where that is still known and short, and
else the newest message whole; who does not take what is written is left out until there is room again, and dropped by
the door when there is none for too long.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tracking.feeds.messages import ALIVE, Message

RING = 60
"""Messages that a reader who is behind, or comes back, can still be told one by one."""
TURN = 256
"""Readers that are served before others may use the loop."""


class Line(Protocol):
    """A connection to one reader."""

    on_room: Callable[[], None] | None
    """Called when a full line takes bytes again."""
    on_end: Callable[[], None] | None
    """Called when the connection is gone."""

    @property
    def is_full(self) -> bool:
        """Whether the reader is not keeping up."""
        ...

    @property
    def is_gone(self) -> bool:
        """Whether the connection is gone."""
        ...


@dataclass(frozen=True)
class Entry:
    """One moment of a channel, with the number by which the channel knows it."""

    number: int
    ident: str
    step: Message | None
    """For a reader who has all before it; None where the whole message is the shortest way to tell it."""


class Channel:
    """A sequence of messages; only the loop's own thread may touch it."""

    def __init__(self, heartbeat_s: float) -> None:
        self.readers: set[Reader] = set()
        self.newest = 0
        """Number of the newest message."""
        self._whole: Message | None = None
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._changed = asyncio.Event()
        self._heartbeat_s = heartbeat_s

    def publish(self, whole: Message, step: Message | None = None) -> None:
        """Make `whole` the newest; `step` tells it to those who have all before it."""
        self.newest += 1
        self._whole = whole
        self._ring.append(Entry(self.newest, whole.ident, step))
        self._changed.set()

    def forget(self) -> None:
        """Begin anew: what was told does not lead to what will be."""
        self._ring.clear()
        self.newest += 1

    def number_of(self, ident: str | None) -> int:
        """The number of the message with this id, 0 where it is not known any more."""
        return next((entry.number for entry in reversed(self._ring) if entry.ident == ident), 0)

    def after(self, number: int) -> list[Message]:
        """What a reader needs who has been told all up to a number."""
        if self._whole is None or number == self.newest:
            return []
        missed = list(self._ring)[number - self.newest :] if self.newest - number <= RING else []
        steps = [entry.step for entry in missed if entry.step is not None and entry.number > number]
        return steps if len(steps) == self.newest - number else [self._whole]

    async def run(self) -> None:
        """Tell each new message to all readers, and a sign of life when there is none for long."""
        while True:
            try:
                async with asyncio.timeout(self._heartbeat_s):  # wait_for can swallow a cancellation
                    await self._changed.wait()
            except TimeoutError:
                await self._to_all(lambda reader: reader.tell(ALIVE))
                continue
            self._changed.clear()
            await self._to_all(Reader.catch_up)

    async def _to_all(self, tell: Callable[["Reader"], None]) -> None:
        for number, reader in enumerate(tuple(self.readers), 1):
            tell(reader)
            if number % TURN == 0:
                await asyncio.sleep(0)

    def close(self) -> None:
        """Every reader's stream ends in order, after the newest message."""
        for reader in self.readers:
            reader.catch_up()
            reader.finish()


class Reader:
    """One reader of one channel, while it reads."""

    def __init__(self, channel: Channel, line: Line, write: Callable[[Message], None], seen: str | None) -> None:
        """`seen`: id of the last message that it was told earlier; `write` puts a message on its line."""
        self._channel = channel
        self._line = line
        self._write = write
        self._number = channel.number_of(seen)
        self._over = asyncio.Event()

    def __enter__(self) -> "Reader":
        self._line.on_room, self._line.on_end = self.catch_up, self.finish
        if self._line.is_gone:
            self.finish()
        self._channel.readers.add(self)
        self.catch_up()
        return self

    def __exit__(self, *error: object) -> None:
        self._channel.readers.discard(self)
        self._line.on_room = self._line.on_end = None

    def catch_up(self) -> None:
        """Write what this reader has not been told, if its line has room."""
        if self._line.is_full or self._line.is_gone:
            return
        missing, self._number = self._channel.after(self._number), self._channel.newest
        for message in missing:
            self._write(message)

    def tell(self, message: Message) -> None:
        """Write a message that is not part of the channel, if there is room."""
        if not (self._line.is_full or self._line.is_gone):
            self._write(message)

    def finish(self) -> None:
        """Let the stream end."""
        self._over.set()

    async def until_over(self) -> None:
        """Return when the reader is gone or the channel is closed."""
        await self._over.wait()
