"""Readings that come too late amend what was told, and what they amend is marked."""

import asyncio
from functools import cache
from pathlib import Path

import numpy as np
from tracking.course import read_course
from tracking.feeds.kept import KeptStates
from tracking.live import RaceDay
from tracking.race_control import Decision, JerseyWorn, Withdrawal
from tracking.records import LOST, RIDER_STATE
from tracking.replay.amending import Heard, amended, frames_in_order
from tracking.simulation.simulator import Race
from tracking.transport.broker import BrokerConfig, connected
from tracking.transport.streams import (
    READINGS,
    STATES,
    ensure_stream,
    readings_subject,
    revised_subject,
    states_subject,
)
from tracking.transport.wire import Batch, RaceStatus, StateFrame, decode_states, encode_batch, encode_states

from tests.replay.archives import RUN, START_MS
from tests.tracking_transport.harness import COURSE, STACK, Broker, Service, eventually, stage_config

SECONDS = 300
OUTAGE = slice(100, 200)
"""Seconds without uplink: their readings come at the end."""


@cache
def day() -> RaceDay:
    return RaceDay(read_course(COURSE), START_MS, 1.0)


@cache
def seconds() -> tuple[np.ndarray, ...]:
    """A simulated race without stragglers: every reading comes in the second of its fix."""
    race = Race(day().course, 4, START_MS)
    race.skip_to(60)
    readings = np.concatenate([race.tick() for _ in range(SECONDS + 40)])
    numbers = (readings["time_ms"] - START_MS) // 1000 - 60
    return tuple(readings[numbers == number] for number in range(SECONDS))


def with_outage() -> list[np.ndarray]:
    """What arrives, in order: the present first, the backlog after it."""
    return [*seconds()[: OUTAGE.start], *seconds()[OUTAGE.stop :], *seconds()[OUTAGE]]


def heard(batches: list[np.ndarray]) -> Heard:
    kept = Heard(RUN)
    for batch in batches:
        kept.hear(batch)
    return kept


def clock_s(frame: StateFrame) -> int:
    return (frame.clock_ms - START_MS) // 1000 - 60


def test_a_backlog_amends_the_seconds_of_the_outage_and_not_those_long_before() -> None:
    """Guards: history that stays empty although the readings came in the end, or all of it told anew."""
    kept = heard(with_outage())
    revised = list(amended(day(), RUN, kept.punctual, kept.late))
    told = {clock_s(frame) for frame in revised}
    assert set(range(OUTAGE.start, OUTAGE.stop)) <= told
    assert min(told) >= OUTAGE.start
    whole = {frame.clock_ms: frame.riders for frame in frames_in_order(day(), RUN, seconds())}
    for frame in revised:
        assert frame.riders.tobytes() == whole[frame.clock_ms].tobytes()


def test_without_late_readings_nothing_is_amended() -> None:
    """Guards: seconds that change although nothing new is known."""
    kept = heard(list(seconds()))
    assert kept.late == []
    assert list(amended(day(), RUN, kept.punctual, [])) == []


def test_what_is_known_does_not_count_as_late() -> None:
    """Guards: a refetch of what had arrived that amends for ever."""
    kept = heard(list(seconds()))
    assert sum(kept.hear(batch) for batch in seconds()[:50]) == 0
    assert kept.late == []


def test_what_is_amended_has_the_decisions_where_they_were() -> None:
    """Guards: a rider who has gone home and rides again in every second that is amended, or is gone before."""
    kept, decided_s = Heard(RUN), OUTAGE.start + 50
    decisions: tuple[Decision, ...] = (
        Withdrawal(rider=45, at_ms=START_MS),
        JerseyWorn(jersey="yellow", rider=21),
    )
    for second, batch in enumerate(with_outage()):
        if second == OUTAGE.start:
            kept.decided += [(START_MS + (60 + decided_s) * 1000, decision) for decision in decisions]
        kept.hear(batch)
    revised = {clock_s(frame): frame.riders for frame in amended(day(), RUN, kept.punctual, kept.late, kept.decided)}
    assert {decided_s, decided_s + 1} <= set(revised)
    for second, riders in revised.items():
        of = {int(state["rider"]): state for state in riders}
        assert (of[45]["quality"] == LOST) == (second > decided_s)
        assert (of[21]["gap_yellow_s"] == 0) == (second > decided_s)
    punctual = Heard(RUN, decided=kept.decided)
    for batch in seconds():
        punctual.hear(batch)
    assert list(amended(day(), RUN, punctual.punctual, [], punctual.decided)) == []


def test_an_amender_tells_the_outage_again_and_goes_on_counting_after_it_was_killed(
    tmp_path: Path, broker: Broker
) -> None:
    """Guards: late data that amends nothing, and a second amendment that calls itself the first."""
    config = {"broker": broker.config(), "stage": stage_config(), "settle_s": 1.0}
    amender = Service(tmp_path, "amender", config)
    amender.start()
    try:
        eventually("the amender follows", amender.healthy, within=60)
        arriving = with_outage()
        backlog, rest = arriving[:-20], arriving[-20:]
        publish(broker, backlog)
        eventually("the first amendment is made", lambda: amender.get()["amendments"], within=120)
        first = revisions(broker)
        assert set(first.values()) == {1}
        assert set(range(OUTAGE.start, OUTAGE.stop - 20)) <= set(first)
        amender.kill()
        amender.start()
        eventually("the amender follows again", amender.healthy, within=60)
        publish(broker, rest, first_seq=1000)
        last = OUTAGE.stop - 5
        eventually("the rest is told", lambda: revisions(broker).get(last, 0) >= 1, within=120)
        told = revisions(broker)
        assert {told[second] for second in range(OUTAGE.start, OUTAGE.start + 50)} == {1}
        assert max(told.values()) == 2
    finally:
        amender.kill()


def test_who_asks_for_the_past_is_told_what_late_readings_made_of_it(broker: Broker) -> None:
    """Guards: an amended history that nobody is shown, and a second that was never told because of the outage."""
    told, amended, untold = (told_at(second, revision) for second, revision in ((100, 0), (100, 1), (103, 1)))
    last = told_at(110, 0)

    async def ask() -> list[int]:
        async with connected(BrokerConfig(**broker.config()), "test") as client:
            js = client.jetstream()
            await ensure_stream(js, STATES)
            for frame in (told, last):
                await js.publish(states_subject(STACK), encode_states(frame))
            for frame in (amended, untold):
                await js.publish(revised_subject(STACK, frame.clock_ms), encode_states(frame))
            kept = KeptStates(STACK)
            kept.connect(js)
            found = [await kept.at(frame.clock_ms) for frame in (told, untold, last)]
            return [int(frame.riders["revision"][0]) for frame in found if frame is not None]

    assert asyncio.run(ask()) == [1, 1, 0]


def told_at(second: int, revision: int) -> StateFrame:
    """A frame of one rider."""
    riders = np.zeros(1, RIDER_STATE)
    riders["revision"] = revision
    return StateFrame(RUN, START_MS + second * 1000, 0, 0, RaceStatus.LIVE, 1.0, 0.0, 0, 0, 0, riders)


def publish(broker: Broker, batches: list[np.ndarray], first_seq: int = 1) -> None:
    async def send() -> None:
        async with connected(BrokerConfig(**broker.config()), "test") as client:
            js = client.jetstream()
            await ensure_stream(js, READINGS)
            for seq, readings in enumerate(batches, first_seq):
                frame = encode_batch(Batch(RUN, seq, 0, readings))
                await js.publish(readings_subject(STACK, "edge-2"), frame)

    asyncio.run(send())


def revisions(broker: Broker) -> dict[int, int]:
    """The last revision of each second that was told again."""
    told: dict[int, int] = {}

    async def read() -> None:
        async with connected(BrokerConfig(**broker.config()), "test") as client:
            js = client.jetstream()
            stream = await ensure_stream(js, STATES)
            for seq in range(stream.state.first_seq, stream.state.last_seq + 1):
                message = await js.get_msg(STATES, seq)
                frame = decode_states(message.data or b"")
                assert message.subject == revised_subject(STACK, frame.clock_ms)
                assert np.all(frame.riders["revision"] == frame.riders["revision"][0])
                told[clock_s(frame)] = max(told.get(clock_s(frame), 0), int(frame.riders["revision"][0]))

    asyncio.run(read())
    return told
