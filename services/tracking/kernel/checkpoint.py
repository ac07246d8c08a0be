"""A checkpoint: arrays as bytes that are small, whole or refused, and tied to what they belong to.

An envelope (magic, version, length of the description), the description as JSON, the arrays' bytes compressed, and the
CRC-32 of everything before it. The bytes of each array are sorted by their place in its items before they are
compressed, so that times and flags shrink to almost nothing.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"ETCK"
VERSION = 1
LARGEST = 64 * 1024 * 1024
"""Bytes that the arrays of a checkpoint have at most."""

_ENVELOPE = struct.Struct("<4sHI")
_CRC = struct.Struct("<I")


class CheckpointError(ValueError):
    """A checkpoint that cannot be gone on from; the text says why and what to do."""


def seal(arrays: Mapping[str, np.ndarray], belongs_to: Mapping[str, int]) -> bytes:
    """The bytes of a checkpoint. `belongs_to` names what it is of, as numbers that `unseal` compares."""
    contents = [[name, str(array.dtype), list(array.shape)] for name, array in arrays.items()]
    described = json.dumps({"belongs_to": dict(belongs_to), "arrays": contents}).encode()
    packed = zlib.compress(b"".join(map(_by_place, arrays.values())), 4)
    body = _ENVELOPE.pack(MAGIC, VERSION, len(described)) + described + packed
    return body + _CRC.pack(zlib.crc32(body))


def unseal(data: bytes, belongs_to: Mapping[str, int], dtypes: Mapping[str, np.dtype]) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint, writable and of these dtypes; CheckpointError."""
    described, packed = _open(data)
    for what, number in belongs_to.items():
        if described["belongs_to"].get(what) != number:
            raise CheckpointError(f"the checkpoint is of another {what}; begin anew from the first reading")
    found = {name: (dtype, tuple(shape)) for name, dtype, shape in described["arrays"]}
    if {name: dtype for name, (dtype, _) in found.items()} != {name: str(dtype) for name, dtype in dtypes.items()}:
        raise CheckpointError("the checkpoint was made by another version; begin anew from the first reading")
    raw = zlib.decompressobj().decompress(packed, LARGEST)
    arrays, start = {}, 0
    for name, (_, shape) in found.items():
        dtype = dtypes[name]
        count = int(np.prod(shape))
        end = start + count * dtype.itemsize
        bytes_by_place = np.frombuffer(raw[start:end], np.uint8).reshape(dtype.itemsize, count)
        arrays[name] = np.array(bytes_by_place.T, order="C").view(dtype).reshape(shape)
        start = end
    return arrays


def _by_place(array: np.ndarray) -> memoryview:
    """All first bytes of the items, all second ones, and so on."""
    contents = np.frombuffer(array.tobytes(), np.uint8).reshape(-1, array.dtype.itemsize)
    return np.ascontiguousarray(contents.T).data


def _open(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The description and the compressed arrays, after every check of the envelope."""
    if len(data) < _ENVELOPE.size + _CRC.size or data[: len(MAGIC)] != MAGIC:
        raise CheckpointError("these bytes are no checkpoint; begin anew from the first reading")
    if zlib.crc32(memoryview(data)[: -_CRC.size]) != _CRC.unpack_from(data, len(data) - _CRC.size)[0]:
        raise CheckpointError("the checkpoint is damaged; take an earlier one")
    _, version, size = _ENVELOPE.unpack_from(data)
    if version != VERSION:
        raise CheckpointError(f"version {version} of checkpoints is not known here, only {VERSION}; begin anew")
    end = _ENVELOPE.size + size
    return json.loads(data[_ENVELOPE.size : end]), data[end : -_CRC.size]
