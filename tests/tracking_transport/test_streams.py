"""Messages taken from a stream in groups, and by whom."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from tracking.transport.broker import BrokerConfig, connected
from tracking.transport.streams import READINGS, ensure_stream, pull, resume

from tests.tracking_transport.harness import Broker


@dataclass(frozen=True)
class Message:
    seq: int
    num_pending: int

    @property
    def metadata(self) -> SimpleNamespace:
        return SimpleNamespace(num_pending=self.num_pending)


@dataclass
class Pulled:
    """Answers each fetch with the next of `answers`, or not in time where that is None."""

    answers: list[Sequence[Message] | None]
    asked: list[int] = field(default_factory=list)

    async def pull_subscribe_bind(self, consumer: str, stream: str) -> "Pulled":
        return self

    async def fetch(self, count: int, timeout: float) -> list[Message]:
        self.asked.append(count)
        answer = self.answers.pop(0)
        if answer is None:
            raise TimeoutError
        return list(answer)


def first_groups(broker: Pulled, count: int) -> list[list[int]]:
    async def take() -> list[list[int]]:
        groups = pull(broker, "READINGS", "archive", at_once=64)
        return [[message.seq for message in await anext(groups)] for _ in range(count)]

    return asyncio.run(take())


def test_exactly_what_waits_is_asked_for() -> None:
    """Guards against a group that waits for more than there is."""
    broker = Pulled([[Message(1, 2)], [Message(2, 1), Message(3, 0)], None, [Message(4, 0)]])
    assert first_groups(broker, 2) == [[1, 2, 3], [4]]
    assert broker.asked == [1, 2, 1, 1]


def test_a_broker_that_is_slow_with_the_rest_costs_nothing_of_what_it_gave() -> None:
    """Guards against a message that was taken and forgotten, which its stream gives again ten minutes later."""
    assert first_groups(Pulled([[Message(1, 5)], None, [Message(2, 0)]]), 2) == [[1], [2]]


def test_what_a_forgotten_connection_still_asks_for_goes_to_who_resumes(tmp_path: Path) -> None:
    """Guards against messages that a half-dead connection swallows, until their time to acknowledge has run out."""
    broker = Broker(tmp_path, "cloud")
    config = BrokerConfig.model_validate(broker.config())

    async def scenario() -> bytes:
        async with connected(config, "before") as before, connected(config, "after") as after:
            js = after.jetstream()
            await ensure_stream(js, READINGS)
            await resume(before.jetstream(), READINGS, "archive")
            forgotten = asyncio.create_task(anext(pull(before.jetstream(), READINGS, "archive")))
            while not (await js.consumer_info(READINGS, "archive")).num_waiting:
                await asyncio.sleep(0.01)
            await resume(js, READINGS, "archive")
            await js.publish("readings.any", b"one")
            async with asyncio.timeout(5):
                (message,) = await anext(pull(js, READINGS, "archive"))
            forgotten.cancel()
            await asyncio.gather(forgotten, return_exceptions=True)
            return message.data

    broker.start()
    try:
        assert asyncio.run(scenario()) == b"one"
    finally:
        broker.kill()
