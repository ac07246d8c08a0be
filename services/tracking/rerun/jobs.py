"""Jobs on a JetStream work queue: each is given to one worker at a time, and again when that worker dies."""

import json
from dataclasses import asdict, dataclass

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError

from tracking.transport.streams import MSG_ID

JOBS = "JOBS"
DURABLE = "rerun"
LEASE_S = 15.0
"""A worker that does not say for so long that it is at work has lost its job to the next one."""
ATTEMPTS = 5
"""A job that has killed so many workers waits for people; `status` shows it."""


@dataclass(frozen=True, order=True)
class Job:
    """One run of a stage."""

    edition: int
    stage: int
    run: int

    @property
    def prefix(self) -> str:
        """The folder of its results."""
        return f"reruns/edition={self.edition}/stage={self.stage:02d}/run={self.run}/"

    @classmethod
    def from_json(cls, data: bytes) -> "Job":
        """Reverse of what `enqueue` sends; ValueError, KeyError or TypeError for what is none."""
        fields = json.loads(data)
        return cls(int(fields["edition"]), int(fields["stage"]), int(fields["run"]))


async def ensure_jobs(js: JetStreamContext) -> StreamInfo:
    """The work queue and its one consumer, made where they are missing."""
    config = StreamConfig(name=JOBS, subjects=["jobs.>"], retention=RetentionPolicy.WORK_QUEUE, duplicate_window=3600)
    try:
        info = await js.add_stream(config)
    except BadRequestError:  # it exists with another configuration
        info = await js.update_stream(config)
    consumer = ConsumerConfig(
        durable_name=DURABLE,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=LEASE_S,
        max_deliver=ATTEMPTS,
        max_ack_pending=1000,
    )
    await js.add_consumer(JOBS, consumer)
    return info


async def enqueue(js: JetStreamContext, jobs: list[Job], batch: str) -> int:
    """How many were not yet in the queue under this `batch`: to ask twice for one does no work twice."""
    await ensure_jobs(js)
    added = 0
    for job in jobs:
        subject = f"jobs.rerun.{job.edition}.{job.stage}.{job.run}"
        ack = await js.publish(subject, json.dumps(asdict(job)).encode(), headers={MSG_ID: f"{batch}-{subject}"})
        added += not ack.duplicate
    return added
