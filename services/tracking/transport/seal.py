"""Datagrams that only this race's own radio can have made, and each taken once.

A sealed datagram is the datagram, who sealed it and when, and a keyed BLAKE2s of all of that. The moment rises with
each datagram of a sender, so that it is also its number: one that comes again, or too late, is a replay.
"""

import hashlib
import hmac
import secrets
import struct
from collections import OrderedDict
from typing import Annotated

from pydantic import Field

RadioKey = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){16,32}$")]
"""A race's secret as hexadecimal digits, 16 to 32 bytes; the same at the relays and at all that send to them."""

TOLERANCE_NS = 30_000_000_000
"""How far a sender's clock may be from the relay's, and how long a relay remembers what it has taken."""
REMEMBERED = 1 << 17

_SEAL = struct.Struct("<IQ")
_MAC_BYTES = 16
SEAL_BYTES = _SEAL.size + _MAC_BYTES


class Forged(ValueError):
    """A datagram that was not sealed with this race's key."""


class Replayed(ValueError):
    """A datagram that was sealed with this race's key, but came before, or at another time."""


class Sealer:
    """One sender; a restarted one is another."""

    def __init__(self, key: RadioKey) -> None:
        self._key = bytes.fromhex(key)
        self._sender = secrets.randbits(32)
        self._last_ns = 0

    def seal(self, datagram: bytes, now_ns: int) -> bytes:
        """The datagram as it may travel; `now_ns`: Unix nanoseconds."""
        self._last_ns = max(now_ns, self._last_ns + 1)
        body = datagram + _SEAL.pack(self._sender, self._last_ns)
        return body + _mac(self._key, body)


class Gate:
    """Where sealed datagrams come in."""

    def __init__(self, key: RadioKey) -> None:
        self._key = bytes.fromhex(key)
        self._taken: OrderedDict[tuple[int, int], None] = OrderedDict()

    def open(self, sealed: bytes, *now_ns: int) -> bytes:
        """The datagram in it; Forged or Replayed. `now_ns`: Unix nanoseconds by each clock that may be right."""
        body, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        if len(sealed) < SEAL_BYTES or not hmac.compare_digest(mac, _mac(self._key, body)):
            raise Forged("the seal is not this race's")
        sender, sealed_ns = _SEAL.unpack_from(body, len(body) - _SEAL.size)
        age_ns = min((now - sealed_ns for now in now_ns), key=abs)
        if abs(age_ns) > TOLERANCE_NS:
            raise Replayed(f"sealed {age_ns / 1e9:.0f} s ago")
        if (sender, sealed_ns) in self._taken:
            raise Replayed("it has come before")
        self._taken[sender, sealed_ns] = None
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        return body[: -_SEAL.size]


def _mac(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2s(body, key=key, digest_size=_MAC_BYTES).digest()
