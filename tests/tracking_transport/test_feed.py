"""The feed's stream towards clients that do not keep up."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message
from tracking.feed import EventStream


def test_a_client_that_takes_nothing_is_dropped() -> None:
    """Guards against memory and tasks held for ever by a page on a phone that went into a tunnel."""

    async def events() -> AsyncIterator[bytes]:
        while True:
            yield b"event: state\n\n"

    async def stuck(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    stream = EventStream(events(), patience_s=0.05)
    asyncio.run(asyncio.wait_for(stream.stream_response(stuck), 5))
