"""Moments of this race day, from where the broker keeps its states: they are looked up, and not held in memory."""

from functools import partial

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from tracking.feeds.gate import Refused
from tracking.transport.broker import TROUBLE
from tracking.transport.streams import STATES, revised_subject, states_subject
from tracking.transport.wire import DecodeError, StateFrame, decode_states

REMEMBERED = 20_000
"""Messages whose time is known already: who looks for the next second goes almost the same way."""

Key = tuple[int, int]
"""(run, race clock) of a frame; along the stream it only rises."""


class KeptStates:
    """The published states of one race, found by their time as a word is found in a dictionary."""

    def __init__(self, stack: str) -> None:
        self._stack, self._subject = stack, states_subject(stack)
        self._js: JetStreamContext | None = None
        self._keys: dict[int, Key] = {}

    def connect(self, js: JetStreamContext | None) -> None:
        """Ask this broker from now on; None while there is none."""
        self._js = js
        self._keys.clear()

    async def span(self) -> tuple[int, int] | None:
        """Race clock of the first and of the last moment of the present run; None where there is none."""
        last = await self._last()
        if last is None:
            return None
        number, frame = last
        before = await self._last_up_to((frame.run, -1), number)
        return (await self._frame(before + 1)).clock_ms, frame.clock_ms

    async def at(self, time_ms: int) -> StateFrame | None:
        """The state at the last second up to this moment, of the present run, in its last revision; None before the
        first.
        """
        last = await self._last()
        if last is None:
            return None
        number, frame = last
        if time_ms >= frame.clock_ms:
            return frame
        if amended := await self._revised(frame.run, time_ms - time_ms % 1000):
            return amended
        found = await self._last_up_to((frame.run, time_ms), number)
        if found == 0:
            return None
        kept = await self._frame(found)
        if kept.run != frame.run:
            return None
        return await self._revised(kept.run, kept.clock_ms) or kept

    async def _last_up_to(self, wanted: Key, later: int) -> int:
        """The highest number whose frame, or that of the next message of this race, is not after `wanted`; 0 for none.

        The frame of `later` is after it.
        """
        low, high = 0, later
        while high - low > 1:
            middle = (low + high) // 2
            if await self._key(middle) <= wanted:
                low = middle
            else:
                high = middle
        return low

    async def _key(self, number: int) -> Key:
        if number not in self._keys:
            frame = await self._frame(number)
            if len(self._keys) >= REMEMBERED:
                self._keys.clear()
            self._keys[number] = frame.run, frame.clock_ms
        return self._keys[number]

    async def _last(self) -> tuple[int, StateFrame] | None:
        """(number, frame) of the newest message of this race."""
        js = self._broker()
        try:
            message = await js.get_last_msg(STATES, self._subject)
            return message.seq or 0, decode_states(message.data or b"")
        except (NotFoundError, DecodeError):
            return None
        except TROUBLE:
            raise _away() from None

    async def _revised(self, run: int, clock_ms: int) -> StateFrame | None:
        """What late readings made of a second; None where they changed nothing."""
        try:
            message = await self._broker().get_last_msg(STATES, revised_subject(self._stack, clock_ms))
            frame = decode_states(message.data or b"")
            return frame if frame.run == run else None
        except (NotFoundError, DecodeError):
            return None
        except TROUBLE:
            raise _away() from None

    async def _frame(self, number: int) -> StateFrame:
        """Of the first message of this race from a number on."""
        js = self._broker()
        ask = partial(js.get_msg, STATES, subject=self._subject, next=True)
        try:
            while True:
                message = await ask(seq=number)
                try:
                    return decode_states(message.data or b"")
                except DecodeError:  # counted where it came in
                    number = (message.seq or number) + 1
        except TROUBLE:
            raise _away() from None

    def _broker(self) -> JetStreamContext:
        if self._js is None:
            raise _away()
        return self._js


def _away() -> Refused:
    return Refused(503, "The broker that keeps the states is away; come back later.", {"retry-after": "5"})
