"""Messages taken from a stream in groups, from a broker that is made up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

from tracking.streams import pull


@dataclass(frozen=True)
class Message:
    seq: int
    num_pending: int

    @property
    def metadata(self) -> SimpleNamespace:
        return SimpleNamespace(num_pending=self.num_pending)


@dataclass
class Broker:
    """Answers each fetch with the next of `answers`, or not in time where that is None."""

    answers: list[Sequence[Message] | None]
    asked: list[int] = field(default_factory=list)

    async def pull_subscribe_bind(self, consumer: str, stream: str) -> "Broker":
        return self

    async def fetch(self, count: int, timeout: float) -> list[Message]:
        self.asked.append(count)
        answer = self.answers.pop(0)
        if answer is None:
            raise TimeoutError
        return list(answer)


def first_groups(broker: Broker, count: int) -> list[list[int]]:
    async def take() -> list[list[int]]:
        groups = pull(broker, "READINGS", "archive", at_once=64)
        return [[message.seq for message in await anext(groups)] for _ in range(count)]

    return asyncio.run(take())


def test_exactly_what_waits_is_asked_for() -> None:
    """Guards against a group that waits for more than there is."""
    broker = Broker([[Message(1, 2)], [Message(2, 1), Message(3, 0)], None, [Message(4, 0)]])
    assert first_groups(broker, 2) == [[1, 2, 3], [4]]
    assert broker.asked == [1, 2, 1, 1]


def test_a_broker_that_is_slow_with_the_rest_costs_nothing_of_what_it_gave() -> None:
    """Guards against a message that was taken and forgotten, which its stream gives again ten minutes later."""
    assert first_groups(Broker([[Message(1, 5)], None, [Message(2, 0)]]), 2) == [[1], [2]]
