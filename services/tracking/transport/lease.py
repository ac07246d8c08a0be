"""Which of several processes acts for a race: a lease in a bucket of the broker.

The holder renews it; a lease that has not moved for `LEASE_S` on a watcher's own clock is free, and of all who then
reach for it the broker lets one have it. No clocks of two machines are compared. A holder that was stopped for a while
may still believe in its lease for a moment, so what it does has to be fenced as well: see `tracking.transport.outlet`.
"""

import asyncio
import contextlib
import time
import uuid

from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig
from nats.js.errors import KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from tracking.service import log
from tracking.transport.broker import TROUBLE

LEASES = "LEASES"
LEASE_S = 1.2
RENEW_S = 0.3
RELEASE_TIMEOUT_S = 0.3
BUCKET_BYTES = 16 * 1024**2


async def bucket_of(js: JetStreamContext, name: str) -> KeyValue:
    """The newest value of each key, kept on the broker's disk; made where it is missing."""
    try:
        return await js.key_value(name)
    except NotFoundError:
        return await js.create_key_value(KeyValueConfig(name, history=1, max_bytes=BUCKET_BYTES))


class Lease:
    """One process's part in the contest for one lease."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._holder = uuid.uuid4().hex.encode()
        self._epoch: int | None = None
        self._revision = 0
        self._moved = self._renewed = 0.0

    @property
    def epoch(self) -> int | None:
        """Rises with every holder; None while this process is not the holder, or may not be by now."""
        return self._epoch if time.monotonic() - self._renewed < LEASE_S else None

    async def keep(self, js: JetStreamContext) -> None:
        """Take the lease when it is free and renew it; until cancelled, which releases it, or one of `TROUBLE`."""
        bucket = await bucket_of(js, LEASES)
        try:
            while True:
                await self._renew(bucket) if self._epoch else await self._watch(bucket)
                await asyncio.sleep(RENEW_S)
        finally:
            if self._epoch:
                self._epoch = None
                with contextlib.suppress(*TROUBLE):
                    released = bucket.delete(self._name, last=self._revision)
                    await asyncio.wait_for(released, RELEASE_TIMEOUT_S)

    async def _renew(self, bucket: KeyValue) -> None:
        asked = time.monotonic()
        try:
            self._revision = await bucket.update(self._name, self._holder, last=self._revision)
            self._renewed = asked
        except KeyWrongLastSequenceError:
            log("lease-lost", lease=self._name, epoch=self._epoch)
            self._epoch = None

    async def _watch(self, bucket: KeyValue) -> None:
        asked = time.monotonic()
        try:
            entry = await bucket.get(self._name)
        except NotFoundError:  # never held, or released
            taking = bucket.create(self._name, self._holder)
        else:
            assert entry.revision is not None
            if entry.revision != self._revision:
                self._revision, self._moved = entry.revision, asked
            if entry.value != self._holder and asked - self._moved < LEASE_S:
                return
            taking = bucket.update(self._name, self._holder, last=entry.revision)
        with contextlib.suppress(KeyWrongLastSequenceError):  # another was first
            self._epoch = self._revision = await taking
            self._renewed = asked
            log("lease-taken", lease=self._name, epoch=self._epoch)
