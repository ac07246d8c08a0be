"""Two processors of one race: one speaks, the other takes over at once, and never both."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats
import pytest
from nats.js import JetStreamContext
from tracking.briefing.stage import stage_course
from tracking.live import LiveRace, RaceDay
from tracking.processor import CHECKPOINTS
from tracking.service import StageConfig
from tracking.transport.lease import bucket_of
from tracking.transport.streams import read_on
from tracking.transport.wire import DecodeError, StateFrame, decode_batch, decode_told

from tests.tracking_transport.field import RACE_START_MS
from tests.tracking_transport.harness import PROCESSORS, STACK, Loopback, Service, eventually, stage_config

T = TypeVar("T")
BACK_WITHIN_S = 3.0


def asked(loopback: Loopback, question: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """What the cloud's broker answers."""

    async def ask() -> T:
        config = loopback.cloud.config()
        client = await nats.connect(config["url"], user=config["user"], password=config["password"])
        try:
            return await question(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(ask())


def stored(loopback: Loopback, stream: str, after: int = 0) -> list[bytes]:
    """The messages of a stream in the cloud behind this one, in order."""

    async def read(js: JetStreamContext) -> list[bytes]:
        last = (await js.stream_info(stream)).state.last_seq
        messages: list[bytes] = []
        async for group in read_on(js, stream, after + 1):
            messages += [message.data for message in group]
            if group[-1].metadata.sequence.stream >= last:
                break
        return messages

    return asked(loopback, read)


def told(loopback: Loopback) -> list[StateFrame]:
    """All frames that were ever published, in order; what others have sent there is left out."""
    frames = []
    for data in stored(loopback, "STATES"):
        with contextlib.suppress(DecodeError):
            frames.append(decode_told(data, RACE_START_MS, time.time()))
    return frames


def checkpoint(loopback: Loopback) -> tuple[LiveRace, int]:
    """The race as it was stored, and the last message in it."""

    async def read(js: JetStreamContext) -> bytes:
        return (await (await bucket_of(js, CHECKPOINTS)).get(STACK)).value or b""

    described, _, data = asked(loopback, read).partition(b"\n")
    course = stage_course(StageConfig.model_validate(stage_config()))
    race = LiveRace.restored(RaceDay(course, RACE_START_MS, 5.0), data)
    return race, json.loads(described)["through"]


def go_on(loopback: Loopback, race: LiveRace, through: int) -> dict[int, bytes]:
    """Riders by race clock, as one processor would have told them that went on from here and never stopped."""
    riders = {}
    for data in stored(loopback, "READINGS", through):
        with contextlib.suppress(DecodeError):
            race.take(decode_batch(data))
            if frame := race.frame(0):
                riders[frame.clock_ms] = frame.riders.tobytes()
    return riders


def assert_each_second_once_and_forward(frames: list[StateFrame]) -> None:
    clocks = [(frame.run, frame.clock_ms) for frame in frames]
    assert clocks == sorted(set(clocks))


def seconds_until_live(loopback: Loopback, act: Callable[[], None]) -> float:
    eventually("the feed is live", loopback.is_live)
    act()
    began = time.monotonic()
    shown = loopback.snapshot()["race"]["clock_ms"]
    eventually("the feed goes on", lambda: loopback.snapshot()["race"]["clock_ms"] > shown + 1000)
    eventually("the feed is live again", loopback.is_live)
    return time.monotonic() - began


def other_than(loopback: Loopback, processor: Service) -> Service:
    return next(s for s in map(loopback.services.__getitem__, PROCESSORS) if s is not processor)


def test_the_standby_takes_over_from_a_killed_processor(loopback: Loopback) -> None:
    """Guards against a picture that stands still until a process has started, and seconds told twice."""
    with loopback.field.riding():
        active = loopback.active()
        took = seconds_until_live(loopback, active.kill)
        assert loopback.active() is other_than(loopback, active)
        active.start()
        eventually("the killed one is back", active.healthy)
    assert took < BACK_WITHIN_S
    assert_each_second_once_and_forward(told(loopback))


def test_a_processor_that_was_stopped_wakes_up_and_gets_nothing_in_between(loopback: Loopback) -> None:
    """Guards against an old holder of the lease that goes on where it stood, behind its successor."""
    with loopback.field.riding():
        paused = loopback.active()
        took = seconds_until_live(loopback, paused.pause)
        successor = loopback.active(beside=paused)
        paused.unpause()
        eventually("the paused one answers", lambda: paused.get()["role"] == "standby")
        time.sleep(1)
        assert successor.get()["role"] == "active"
    assert took < BACK_WITHIN_S
    assert_each_second_once_and_forward(told(loopback))


@pytest.mark.parametrize("way", ["kill", "terminate"])
def test_a_processor_that_starts_again_tells_what_it_would_have_told(loopback: Loopback, way: str) -> None:
    """Guards against riders, gaps and groups that are others after a restart than before it."""
    processors = [loopback.services[name] for name in PROCESSORS]
    with loopback.field.riding():
        eventually("a checkpoint is stored", lambda: loopback.active().get()["checkpoints"] > 0)
        race, through = checkpoint(loopback)
        from_ms = race.clock_ms
        for processor in processors:
            getattr(processor, way)()
        for processor in processors:
            processor.start()
        eventually("the race goes on", lambda: loopback.snapshot()["race"]["clock_ms"] > from_ms + 15_000)
    for processor in processors:
        eventually("a processor is back", processor.healthy)
        assert '"restored"' in processor.log.read_text()
    frames = told(loopback)
    assert_each_second_once_and_forward(frames)
    alone = go_on(loopback, race, through)
    since = [frame for frame in frames if frame.clock_ms > from_ms]
    assert [frame.clock_ms for frame in since if frame.riders.tobytes() != alone[frame.clock_ms]] == []
    assert len(since) > 5


def test_what_others_publish_as_a_frame_does_not_stop_the_processor(loopback: Loopback) -> None:
    """Guards against one foreign message on the subject that makes every later frame a conflict."""
    with loopback.field.riding():
        eventually("the feed is live", loopback.is_live)
        for _ in range(3):
            asked(loopback, lambda js: js.publish(f"states.{STACK}", b"not a frame of ours"))
        shown = loopback.snapshot()["race"]["clock_ms"]
        eventually("the feed goes on", lambda: loopback.snapshot()["race"]["clock_ms"] > shown + 3000)
    assert_each_second_once_and_forward(told(loopback))
