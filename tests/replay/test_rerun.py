"""A season run again on a work queue: complete whoever dies, and equal to what was told live."""

import asyncio
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
from tracking.course import read_course
from tracking.live import LiveRace, RaceDay
from tracking.rerun.jobs import DURABLE, JOBS, Job
from tracking.rerun.work import run_again
from tracking.simulation.simulator import Race
from tracking.store.collector import Arrivals
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import PartStore, Shelf
from tracking.transport.broker import BrokerConfig, connected
from tracking.transport.wire import Batch, encode_batch

from tests.replay.archives import RUN, START_MS
from tests.tracking_transport.harness import COURSE, Broker, eventually, stage_config

SECONDS = 240


@cache
def day() -> RaceDay:
    return RaceDay(read_course(COURSE), START_MS, 1.0)


@cache
def batches() -> tuple[Batch, ...]:
    """What two relays sent of a simulated race: each hears a part, and much comes twice."""
    race = Race(day().course, 4, START_MS)
    race.skip_to(30)
    sent = []
    lot = np.random.default_rng(1)
    for second in range(SECONDS):
        readings = race.tick()
        for relay in range(2):
            heard = readings[lot.random(len(readings)) < 0.8]
            sent.append(Batch(RUN, second * 2 + relay, (START_MS + second * 1000) * 1_000_000, heard))
    return tuple(sent)


def archive_stage(store: PartStore, stage: int, spoil: bool = False) -> Job:
    """As the archive leaves a stage: arrivals in their order, and the frames that the processor published."""
    race = LiveRace(day(), RUN)
    rows, frames = [], []
    for seq, batch in enumerate(batches(), 100):
        rows.append(Arrivals.decode(encode_batch(batch), seq)[1])
        race.take(batch)
        frame = race.frame(0)
        if frame is not None and seq % 7:  # some are left out: nobody waited for them
            frames.append(frame.riders)
    if spoil:
        frames[50]["gap_s"][3] += 0.001
    for kind, parts in (("arrivals", rows), ("states", frames)):
        shelf = Shelf(kind, 2017, stage, RUN)
        for number, part in enumerate(np.array_split(np.arange(len(parts)), 5)):
            store.put(shelf, f"1-{number:012d}", np.concatenate([parts[i] for i in part]))
    return Job(2017, stage, RUN)


def test_a_stage_run_again_is_equal_to_live_bit_for_bit(store: PartStore) -> None:
    """Guards: a rerun that sees the messages in another order, or without what was repeated."""
    verdict = run_again(store, day(), archive_stage(store, 9))
    assert verdict.difference is None
    assert verdict.equal
    assert verdict.live_frames > 150
    assert verdict.live_rows == verdict.live_frames * 198
    assert verdict.rerun_frames >= verdict.live_frames


def test_the_first_difference_is_told_with_rider_and_column(store: PartStore) -> None:
    """Guards: a rerun that calls itself equal, or says only that it is not."""
    verdict = run_again(store, day(), archive_stage(store, 9, spoil=True))
    assert not verdict.equal
    assert verdict.difference is not None
    assert (verdict.difference.column, verdict.difference.rider) == ("gap_s", 4)
    stored = store.get_json(f"{verdict.job.prefix}verdict.json")
    assert stored["difference"]["column"] == "gap_s"


def test_a_stage_that_told_nothing_is_not_called_equal(store: PartStore) -> None:
    """Guards: an empty comparison taken for a proof."""
    job = archive_stage(store, 9)
    store.delete(list(store.keys("states/")))
    assert not run_again(store, day(), job).equal


def test_results_are_complete_and_equal_although_a_worker_is_killed(
    tmp_path: Path, broker: Broker, store: PartStore, store_config: ObjectStoreConfig
) -> None:
    """Guards: a job that is lost with its worker, or whose half result stays."""
    stages = []
    for number in (7, 8, 9):
        archive_stage(store, number)
        stages.append({**stage_config(), "number": number})
    config = {"broker": broker.config(), "object_store": store_config.model_dump(), "stages": stages}
    file = tmp_path / "rerun.json"
    file.write_text(json.dumps(config))
    eventually("jobs are in the queue", lambda: call(file, "enqueue").returncode == 0)
    assert "0 of 3 jobs are new" in call(file, "enqueue").stdout
    first = start_worker(file)
    eventually("a job is at work", lambda: at_work(broker) == 1, within=60)
    first.kill()
    first.wait()
    others = [start_worker(file), start_worker(file)]
    for worker in others:
        assert worker.wait(timeout=120) == 0
    status = json.loads(call(file, "status", "--json").stdout)
    assert status == {"stages": 3, "left": 0, "at_work": 0, "done": 3, "equal": 3, "remarks": [], "different": []}


def call(file: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tracking.rerun", arguments[0], "--config", str(file), *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True)


def start_worker(file: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tracking.rerun", "worker", "--config", str(file), "--until-empty"]
    return subprocess.Popen(command)


def at_work(broker: Broker) -> int:
    async def ask() -> int:
        async with connected(BrokerConfig(**broker.config()), "test") as client:
            return (await client.jetstream().consumer_info(JOBS, DURABLE)).num_ack_pending or 0

    return asyncio.run(ask())
