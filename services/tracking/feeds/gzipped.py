"""One compression for all readers: DEFLATE blocks that fit into any gzip stream, and the checksum at its end.

A gzip stream ends with the CRC-32 of all that was in it. Each reader has been sent something else, since it came at
another moment and may have missed messages; so its checksum is put together from those of the messages, by a
multiplication of polynomials whose tables each message makes once for all readers.
"""

import struct
import zlib
from functools import lru_cache

LEVEL = 6
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LAST_BLOCK = b"\x03\x00"

_CRC_32 = 0xEDB88320
_ONE = 1 << 31
"""The polynomial 1: the lowest power is the highest bit."""
_X = 1 << 30

Tables = tuple[tuple[int, ...], ...]
"""What a checksum's four bytes, the lowest first, become when bytes follow; their sum is the checksum of both."""


def deflate(data: bytes) -> bytes:
    """Blocks that refer to nothing before them, and end on a byte."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


class Checksum:
    """Of all that one reader was sent."""

    __slots__ = ("_crc", "_size")

    def __init__(self) -> None:
        self._crc = self._size = 0

    def add(self, crc: int, size: int, tables: Tables) -> None:
        """Data with this checksum and of this many bytes follows; `tables` are `following(size)`."""
        before = self._crc
        first, second, third, fourth = tables
        moved = first[before & 255] ^ second[before >> 8 & 255] ^ third[before >> 16 & 255] ^ fourth[before >> 24]
        self._crc = moved ^ crc
        self._size += size

    @property
    def tail(self) -> bytes:
        """The end of the gzip stream."""
        return LAST_BLOCK + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF)


@lru_cache(maxsize=64)
def following(size: int) -> Tables:
    """The tables of a checksum that so many bytes follow."""
    shift = _power(8 * size)
    columns = [_times(shift, 1 << bit) for bit in range(32)]
    return tuple(_sums(columns[first : first + 8]) for first in range(0, 32, 8))


def _sums(columns: list[int]) -> tuple[int, ...]:
    """For each byte the sum of the columns whose bits it has."""
    sums = [0]
    for column in columns:
        sums += [known ^ column for known in sums]
    return tuple(sums)


def _power(exponent: int) -> int:
    """x to this power, modulo the polynomial of CRC-32."""
    power, square = _ONE, _X
    while exponent:
        if exponent & 1:
            power = _times(power, square)
        square = _times(square, square)
        exponent >>= 1
    return power


def _times(left: int, right: int) -> int:
    """The product of two polynomials, modulo that of CRC-32."""
    product = 0
    while left:
        if left & _ONE:
            product ^= right
        left = left << 1 & 0xFFFFFFFF
        right = right >> 1 ^ (_CRC_32 if right & 1 else 0)
    return product
