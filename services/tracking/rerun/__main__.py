"""Runs archived stages again on several workers and machines, and says whether the states are those told live.

The config names the broker, the object store and the stages with their courses; every machine has the same. A worker
takes one job after the other; start one for each core. Results are objects under reruns/ in the archive's bucket.

Examples:
  python -m tracking.rerun enqueue --config /etc/etape/rerun.json
  python -m tracking.rerun worker --config /etc/etape/rerun.json --until-empty
  python -m tracking.rerun status --config /etc/etape/rerun.json --json
"""

import argparse
import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from tracking.briefing.briefing import BriefingConfig
from tracking.briefing.race_day import race_day
from tracking.command_line import described_parser
from tracking.live import RaceDay
from tracking.rerun.jobs import DURABLE, JOBS, LEASE_S, Job, enqueue, ensure_jobs
from tracking.rerun.work import run_again
from tracking.service import Mistakes, Section, StageConfig, load_config, log
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import STORE_TROUBLE, PartStore
from tracking.transport.broker import TROUBLE, BrokerConfig, connected, hold

FAILED, UNUSABLE = 1, 2
FETCH_S = 1.0


class RerunConfig(Section):
    """rerun.json"""

    broker: BrokerConfig
    object_store: ObjectStoreConfig
    stages: tuple[StageConfig, ...]
    briefing: BriefingConfig = BriefingConfig()
    """As the processor has it."""


def main() -> int:
    """0 when done, and for `status` when all is equal; 1 where something differs or is away; 2 on a mistake."""
    options = _parser().parse_args()
    try:
        config = load_config(RerunConfig, options.config)
        return asyncio.run(_COMMANDS[options.command](config, options))
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)
        return UNUSABLE
    except STORE_TROUBLE as error:
        print(f"{options.config}: object_store: does not answer ({error}); start it first.", file=sys.stderr)
        return FAILED
    except TROUBLE as error:
        print(f"{options.config}: broker: does not answer ({error}); start it first.", file=sys.stderr)
        return FAILED


def known_jobs(config: RerunConfig, store: PartStore) -> list[Job]:
    """The newest run of each stage that has arrivals in the archive."""
    stages = ((stage.edition, stage.number) for stage in config.stages)
    found = ((stage, store.newest_run("arrivals", *stage)) for stage in stages)
    return sorted(Job(*stage, run) for stage, run in found if run is not None)


async def _enqueue(config: RerunConfig, options: argparse.Namespace) -> int:
    jobs = await asyncio.to_thread(known_jobs, config, PartStore(config.object_store))
    async with connected(config.broker, "rerun-enqueue") as client:
        added = await enqueue(client.jetstream(), jobs, options.batch)
    print(f"{added} of {len(jobs)} jobs are new in the queue; {len(config.stages)} stages are configured.")
    return 0


async def _work(config: RerunConfig, options: argparse.Namespace) -> int:
    worker = Worker(config, options.until_empty)
    await hold([config.broker], "rerun-worker", worker.work)
    return 0


class Worker:
    """Takes jobs until there are none, or for ever."""

    def __init__(self, config: RerunConfig, until_empty: bool) -> None:
        self._config, self._until_empty = config, until_empty
        self._store = PartStore(config.object_store)
        self._stages = {(stage.edition, stage.number): stage for stage in config.stages}

    async def work(self, client: Client) -> None:
        """One job after the other."""
        js = client.jetstream()
        await ensure_jobs(js)
        subscription = await js.pull_subscribe_bind(consumer=DURABLE, stream=JOBS)
        while True:
            try:
                (message,) = await subscription.fetch(1, timeout=FETCH_S)
            except TimeoutError:
                if self._until_empty and await _left(js) == 0:
                    return
                continue
            await self._do(message)

    async def _do(self, message: Msg) -> None:
        """Acknowledged when the result is stored; until then the worker says that it is at work."""
        working = asyncio.ensure_future(_say_at_work(message))
        try:
            job = Job.from_json(message.data)
            verdict = await asyncio.to_thread(run_again, self._store, self._day(job), job)
            log("rerun", **verdict.to_json())
        except (ValueError, KeyError, TypeError, Mistakes) as error:  # it would be the same for any worker
            log("job-refused", subject=message.subject, reason=str(error))
            await message.term()
        except (OSError, *STORE_TROUBLE) as error:
            log("job-interrupted", subject=message.subject, reason=str(error))
            await message.nak(delay=LEASE_S)
        else:
            await message.ack()
        finally:
            working.cancel()

    def _day(self, job: Job) -> RaceDay:
        stage = self._stages.get((job.edition, job.stage))
        if stage is None:
            raise Mistakes([f"stage {job.stage} of {job.edition} is not in this worker's config; add it to stages."])
        return race_day(stage, 1.0, self._config.briefing)


async def _say_at_work(message: Msg) -> None:
    with contextlib.suppress(*TROUBLE):
        while True:
            await asyncio.sleep(LEASE_S / 3)
            await message.in_progress()


async def _left(js: JetStreamContext) -> int:
    return (await js.stream_info(JOBS)).state.messages


async def _status(config: RerunConfig, options: argparse.Namespace) -> int:
    store = PartStore(config.object_store)
    async with connected(config.broker, "rerun-status") as client:
        js = client.jetstream()
        await ensure_jobs(js)
        left = await _left(js)
        at_work = (await js.consumer_info(JOBS, DURABLE)).num_ack_pending or 0
    jobs = await asyncio.to_thread(known_jobs, config, store)
    verdicts = [await asyncio.to_thread(store.get_json, f"{job.prefix}verdict.json") for job in jobs]
    told: dict[str, Any] = {
        "stages": len(jobs),
        "left": left,
        "at_work": at_work,
        "done": sum(verdict is not None for verdict in verdicts),
        "equal": sum(bool(verdict and verdict["equal"]) for verdict in verdicts),
        "remarks": [f"{_name(verdict)}: {said}" for verdict in verdicts if verdict for said in verdict["remarks"]],
        "different": [verdict for verdict in verdicts if verdict and not verdict["equal"]],
    }
    if options.json:
        print(json.dumps(told, indent=1))
    else:
        print(
            "{done} of {stages} stages done, {equal} equal to live; {left} jobs left, {at_work} at work".format(**told)
        )
        for verdict in told["different"]:
            print(f"  {_name(verdict)}: {verdict['difference'] or 'nothing was told live'}")
        for remark in told["remarks"]:
            print(f"  {remark}")
    return 0 if told["equal"] == len(jobs) and not left else FAILED


def _name(verdict: dict[str, Any]) -> str:
    return "stage {stage} of {edition}, run {run}".format(**verdict["job"])


_COMMANDS = {"enqueue": _enqueue, "worker": _work, "status": _status}


def _parser() -> argparse.ArgumentParser:
    parser = described_parser("python -m tracking.rerun", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {"enqueue": "ask for all stages", "worker": "do jobs", "status": "what is done, and whether it is equal"}
    made = {name: commands.add_parser(name, help=text) for name, text in helps.items()}
    for command in made.values():
        command.add_argument("--config", type=Path, required=True, help="JSON file; unknown keys are refused")
    made["enqueue"].add_argument(
        "--batch", default="season", help="name of this run of the season; a new one runs again"
    )
    made["worker"].add_argument("--until-empty", action="store_true", help="end when no job is left")
    made["status"].add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
