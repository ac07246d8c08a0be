"""The forwarder: carries the truck's batches over the uplink into the cloud's broker, and loses none.

Two lanes, each on its own connections so that neither waits behind the other's bytes:
- the *live* lane listens to what relays publish and sends the newest batch at once; what it cannot deliver it leaves;
- the *backlog* lane is a durable consumer: it brings everything in order, at a limited rate, and acknowledges a
  batch on the truck only after the cloud's broker has acknowledged it. What the live lane has brought, it skips.
A batch that crosses twice all the same is known to the cloud's broker by its id.
"""

import asyncio
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Mapping

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError
from pydantic import Field
from starlette.routing import BaseRoute

from tracking.service import Health, ServiceConfig, main, together, until
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.streams import MSG_ID, READINGS, ensure_stream, pending, pull, readings_subject, resume

DURABLE = "forwarder"
PUBLISH_TIMEOUT_S = 10.0
"""Not how a cut is noticed, see `tracking.transport.broker`: a far end that is merely busy must not be left."""
LIVE_WAITING = 64
LIVE_AT_ONCE = 8
REMEMBERED = 10_000
"""Batches that both lanes know to have arrived."""


class ForwarderConfig(ServiceConfig):
    """forwarder.json"""

    truck: BrokerConfig
    cloud: BrokerConfig
    backlog_at_once: int = Field(default=32, ge=1, le=1000)
    """Batches of the backlog on the uplink at the same time."""
    backlog_bytes_per_second: float = Field(default=2_000_000, gt=0)
    """The backlog's share of the uplink."""


class Crossing:
    """What has lately arrived at the far end, and what is on its way there, on either lane."""

    def __init__(self) -> None:
        self.forwarded = 0
        self.acked_at: float | None = None
        """When the far end last acknowledged anything, `time.monotonic()`."""
        self.refusal: str | None = None
        """Why the far end, which is there, does not take batches."""
        self._arrived: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, asyncio.Event] = {}

    async def carry(self, far: JetStreamContext, subject: str, data: bytes, headers: Mapping[str, str] | None) -> None:
        """Return once the far end has this batch; one of `TROUBLE` when it did not say so in time."""
        identity = (headers or {}).get(MSG_ID) or f"{zlib.crc32(data):08x}-{len(data)}"
        while landing := self._under_way.get(identity):
            await landing.wait()
        if identity in self._arrived:
            return
        self._under_way[identity] = landing = asyncio.Event()
        try:
            await far.publish(subject, data, headers={MSG_ID: identity})
            self.refusal = None
            self._arrived[identity] = None
            if len(self._arrived) > REMEMBERED:
                self._arrived.popitem(last=False)
            self.forwarded += 1
            self.acked_at = time.monotonic()
        except APIError as error:
            self.refusal = error.description
            raise
        finally:
            del self._under_way[identity]
            landing.set()


class LiveLane:
    """Sends the newest batch first, each once."""

    def __init__(self, crossing: Crossing, subject: str) -> None:
        self.up = False
        self._crossing = crossing
        self._subject = subject
        self._waiting: deque[Msg] = deque(maxlen=LIVE_WAITING)
        self._arrived = asyncio.Event()

    async def work(self, cloud: Client, truck: Client) -> None:
        """Until the uplink fails, which raises one of `TROUBLE`."""
        far = cloud.jetstream(timeout=PUBLISH_TIMEOUT_S)
        await ensure_stream(far, READINGS)
        self._waiting.clear()
        await truck.subscribe(self._subject, cb=self._offer)
        self.up = True
        try:
            await together(self._send_newest_known(far, truck), *(self._send(far) for _ in range(LIVE_AT_ONCE)))
        finally:
            self.up = False

    async def _send_newest_known(self, far: JetStreamContext, truck: Client) -> None:
        """The state of the race is live again before the next batch comes."""
        near = truck.jetstream(timeout=PUBLISH_TIMEOUT_S)
        last = (await ensure_stream(near, READINGS)).state.last_seq
        if last:
            newest = await near.get_msg(READINGS, last)
            await self._crossing.carry(far, newest.subject or "", newest.data or b"", newest.headers)

    async def _offer(self, message: Msg) -> None:
        self._waiting.append(message)
        self._arrived.set()

    async def _send(self, far: JetStreamContext) -> None:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            message = self._waiting.pop()
            await self._crossing.carry(far, message.subject, message.data, message.headers)


class BacklogLane:
    """Brings everything, in order, behind the live lane."""

    def __init__(self, crossing: Crossing, at_once: int, bytes_per_second: float) -> None:
        self.acknowledged = 0
        self._crossing = crossing
        self._at_once = at_once
        self._bytes_per_second = bytes_per_second

    async def work(self, cloud: Client, truck: Client) -> None:
        """Until either end fails, which raises one of `TROUBLE`."""
        far = cloud.jetstream(timeout=PUBLISH_TIMEOUT_S)
        near = truck.jetstream()
        await ensure_stream(far, READINGS)
        await ensure_stream(near, READINGS)
        await resume(near, READINGS, DURABLE)
        async for group in pull(near, READINGS, DURABLE, self._at_once):
            began = time.monotonic()
            results = await asyncio.gather(*(self._bring(far, message) for message in group), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            share = sum(len(message.data) for message in group) / self._bytes_per_second
            await asyncio.sleep(max(0.0, began + share - time.monotonic()))

    async def _bring(self, far: JetStreamContext, message: Msg) -> None:
        await self._crossing.carry(far, message.subject, message.data, message.headers)
        await message.ack()
        self.acknowledged += 1


class Forwarder:
    """Both lanes, and what is known of them."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: ForwarderConfig) -> None:
        self._config = config
        self._crossing = Crossing()
        self._live = LiveLane(self._crossing, readings_subject(config.stack, "*"))
        self._backlog = BacklogLane(self._crossing, config.backlog_at_once, config.backlog_bytes_per_second)
        self._truck: JetStreamContext | None = None

    async def health(self) -> Health:
        """Healthy while the uplink is up; `pending` is what the truck holds that the cloud has not acknowledged."""
        waiting = await pending(self._truck, READINGS, DURABLE)
        acked_at = self._crossing.acked_at
        counts = {
            "uplink": "up" if self._live.up else "down",
            "pending": waiting,
            "forwarded": self._crossing.forwarded,
            "acknowledged": self._backlog.acknowledged,
            "last_ack_age_s": None if acked_at is None else round(time.monotonic() - acked_at, 3),
        }
        if waiting is None:
            return Health(False, f"the truck's broker at {self._config.truck.url} is away", counts)
        if self._crossing.refusal:
            reason = f"does not take batches ({self._crossing.refusal}); make room on its disk"
            return Health(False, f"the cloud's broker at {self._config.cloud.url} {reason}", counts)
        if not self._live.up:
            return Health(False, f"the cloud's broker at {self._config.cloud.url} is out of reach", counts)
        return Health(True, "the uplink is up", counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry until stopped; what is not acknowledged then stays on the truck for the next start."""
        both = (self._config.cloud, self._config.truck)
        await until(
            stopping,
            together(
                hold(both, "live-lane", self._live.work),
                hold(both, "backlog-lane", self._backlog.work),
                hold([self._config.truck], "forwarder-health", self._keep_truck),
            ),
        )

    async def _keep_truck(self, truck: Client) -> None:
        self._truck = truck.jetstream(timeout=PUBLISH_TIMEOUT_S)
        try:
            await asyncio.Event().wait()
        finally:
            self._truck = None


if __name__ == "__main__":
    main(ForwarderConfig, Forwarder)
