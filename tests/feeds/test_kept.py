"""Moments out of a broker's stream of states."""

import asyncio
from dataclasses import dataclass

import pytest
from nats.js.errors import NotFoundError
from tracking.feeds.gate import Refused
from tracking.feeds.kept import KeptStates
from tracking.transport.streams import states_subject
from tracking.transport.wire import encode_states

from tests.feeds.races import STACK, START_MS, frame


@dataclass
class Kept:
    """A message as a broker keeps it."""

    seq: int
    subject: str
    data: bytes


class FakeStream:
    """What is asked of JetStream here; the oldest messages are gone, others are of no use."""

    def __init__(self) -> None:
        ours, other = states_subject(STACK), states_subject("2017-s10")
        told = [(ours, encode_states(frame(second, run=1))) for second in range(1, 40)]
        told += [(ours, b"no frame"), (other, encode_states(frame(7, run=9)))]
        told += [(ours, encode_states(frame(second, run=2))) for second in (*range(1, 50), *range(60, 100))]
        told += [(other, encode_states(frame(8, run=9)))]
        self._kept = [Kept(number, *message) for number, message in enumerate(told, 1) if number > 5]
        self.asked = 0

    async def get_last_msg(self, stream: str, subject: str) -> Kept:
        found = [kept for kept in self._kept if kept.subject == subject]
        if not found:
            raise NotFoundError
        return found[-1]

    async def get_msg(self, stream: str, seq: int, subject: str, next: bool) -> Kept:
        self.asked += 1
        for kept in self._kept:
            if kept.seq >= seq and kept.subject == subject:
                return kept
        raise NotFoundError


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def states(stream: FakeStream) -> KeptStates:
    kept = KeptStates(STACK)
    kept.connect(stream)  # type: ignore[arg-type]
    return kept


MOMENTS = [(1, 1), (30, 30), (49, 49), (55, 49), (60, 60), (99, 99), (500, 99), (0, None)]


@pytest.mark.parametrize(("asked", "told"), MOMENTS)
def test_each_moment_is_the_last_second_up_to_it(states: KeptStates, asked: int, told: int | None) -> None:
    """Guards: a replay that shows another second, or one of an earlier run of the race."""
    found = asyncio.run(states.at(START_MS + asked * 1000 + 400))
    assert (found and (found.run, (found.clock_ms - START_MS) // 1000)) == (told and (2, told))


def test_the_span_is_that_of_the_present_run(states: KeptStates) -> None:
    """Guards: a scrubber that begins in a rehearsal."""
    assert asyncio.run(states.span()) == (START_MS + 1000, START_MS + 99_000)


def test_the_next_second_costs_next_to_nothing(states: KeptStates, stream: FakeStream) -> None:
    """Guards: replays that keep the broker from the live race."""

    async def replay() -> int:
        await states.at(START_MS + 20_000)
        before = stream.asked
        for second in range(21, 31):
            await states.at(START_MS + second * 1000)
        return stream.asked - before

    assert asyncio.run(replay()) < 40


def test_a_broker_that_is_away_is_said_to_be(states: KeptStates) -> None:
    """Guards: a scrubber that claims that nothing was."""
    states.connect(None)
    with pytest.raises(Refused) as refused:
        asyncio.run(states.at(START_MS))
    assert refused.value.status == 503
