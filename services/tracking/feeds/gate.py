"""The gate of the feeds: who may ask how often, and read how many streams at once.

A partner is known by its key and has a quota of its own; everybody else has the quota of the address they come from.
"""

import contextlib
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tracking.door import site_of
from tracking.feeds.keys import KeyRing, Partner

MAX_BUCKETS = 50_000
"""Addresses whose use is remembered; the one that has been silent for longest is forgotten first."""
ANONYMOUS = "anonymous"


class Refused(Exception):
    """A request that gets no answer: a status, a sentence that says why, and what to do."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}


class GateConfig(BaseModel):
    """Quotas of those without a key, and where the keys are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Path | None = None
    """File that `python -m tracking.feeds.keys` writes."""
    requests_per_minute: int = Field(default=3000, ge=1)
    """Of one address: many people share one."""
    streams: int = Field(default=256, ge=1)
    """Of one address, at once."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose quota a request uses up."""

    name: str
    """Of the partner, or `ANONYMOUS`."""
    account: str
    streams: int


@dataclass(slots=True)
class _Bucket:
    """What an account may still ask for; it fills up over a minute."""

    level: float
    at_s: float


class Gate:
    """Admits requests, counts them, and says no in a sentence."""

    def __init__(self, config: GateConfig) -> None:
        self._config = config
        self._ring = KeyRing(config.keys) if config.keys else None
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._streams: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def admit(self, host: str, key: str | None) -> Caller:
        """Who asks; `Refused` for an unknown key (401) and an empty account (429)."""
        anonymous = Caller(ANONYMOUS, site_of(host), self._config.streams)
        if key is None:
            return self._charge(anonymous, self._config.requests_per_minute)
        partner = self._partner(key)
        if partner is None:
            self._charge(anonymous, self._config.requests_per_minute)  # guessing is not free
            self._refused["key"] += 1
            raise Refused(401, "This key is not known or has expired; ask for a new one, or ask without a key.")
        return self._charge(Caller(partner.name, f"key {partner.name}", partner.streams), partner.requests_per_minute)

    @contextlib.contextmanager
    def streaming(self, caller: Caller) -> Iterator[None]:
        """While a stream is open; `Refused` (429) where the caller has enough of them."""
        if self._streams[caller.account] >= caller.streams:
            self._refused["streams"] += 1
            raise Refused(
                429, f"{caller.streams} streams are open already; close one, or ask for a key.", {"retry-after": "10"}
            )
        self._streams[caller.account] += 1
        try:
            yield
        finally:
            self._streams[caller.account] -= 1
            if not self._streams[caller.account]:
                del self._streams[caller.account]

    @property
    def streams(self) -> int:
        """Open now."""
        return self._streams.total()

    def counts(self) -> dict[str, Any]:
        """Requests by partner since the start, refusals by reason, streams by partner now."""
        open_now = Counter({ANONYMOUS: 0})
        for account, number in self._streams.items():
            open_now[account.removeprefix("key ") if account.startswith("key ") else ANONYMOUS] += number
        return {"requests": dict(self._requests), "refused": dict(self._refused), "streams": dict(open_now)}

    @property
    def trouble(self) -> str:
        """What is wrong with the file of keys; empty where nothing is."""
        return self._ring.trouble if self._ring else ""

    def _partner(self, key: str) -> Partner | None:
        return self._ring.find(key) if self._ring else None

    def _charge(self, caller: Caller, per_minute: int) -> Caller:
        now_s = time.monotonic()
        bucket = self._buckets.pop(caller.account, None) or _Bucket(per_minute, now_s)
        bucket.level = min(per_minute, bucket.level + (now_s - bucket.at_s) * per_minute / 60)
        bucket.at_s = now_s
        self._buckets[caller.account] = bucket
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if bucket.level < 1:
            self._refused["quota"] += 1
            wait_s = math.ceil((1 - bucket.level) * 60 / per_minute)
            raise Refused(
                429,
                f"{per_minute} requests a minute are used up; wait {wait_s} s, or ask for a key.",
                {"retry-after": str(wait_s)},
            )
        bucket.level -= 1
        self._requests[caller.name] += 1
        return caller
