"""Frames on the wire: what goes in comes out, and nothing else is ever taken for a frame."""

import contextlib
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.records import READING, RIDER_STATE
from tracking.transport.seal import Forged, Gate, Sealer
from tracking.transport.wire import (
    DATAGRAM_ROWS,
    MAGIC,
    MAX_ROWS,
    VERSION,
    Batch,
    DecodeError,
    Kind,
    RaceStatus,
    StateFrame,
    decode_batch,
    decode_datagram,
    decode_states,
    encode_batch,
    encode_datagrams,
    encode_states,
    plausible,
    split_batches,
)

calm = settings(deadline=None, max_examples=40)
fixes = st.tuples(
    st.integers(0, 0xFFFF),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=64),
    st.floats(width=64),
)
readings = st.lists(fixes, max_size=70).map(lambda rows: np.array(rows, READING))


def batch(rows: int = 3, seq: int = 7) -> Batch:
    found = np.zeros(rows, READING)
    found["device"] = np.arange(1, rows + 1)
    return Batch(run=1_499_590_800, seq=seq, sent_at_ns=1_499_590_801_000_000_000, readings=found)


@calm
@given(readings, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_any_batch_comes_back_bit_for_bit(rows: np.ndarray, run: int, seq: int) -> None:
    """Guards against a field that is narrowed, reordered or rounded on the way."""
    back = decode_batch(encode_batch(Batch(run, seq, -1, rows)))
    assert (back.run, back.seq, back.sent_at_ns) == (run, seq, -1)
    assert back.readings.tobytes() == rows.tobytes()


@calm
@given(readings)
def test_datagrams_hold_all_readings_in_order_and_fit_the_link(rows: np.ndarray) -> None:
    """Guards against readings lost at the seams, and against fragmented datagrams."""
    datagrams = list(encode_datagrams(rows))
    assert all(len(datagram) <= 1400 for datagram in datagrams)
    assert all(len(decode_datagram(datagram)) <= DATAGRAM_ROWS for datagram in datagrams)
    assert b"".join(decode_datagram(datagram).tobytes() for datagram in datagrams) == rows.tobytes()


def test_a_state_frame_comes_back_with_all_its_figures() -> None:
    """Guards against figures that change places in the header."""
    riders = np.zeros(2, RIDER_STATE)
    riders["gap_s"] = [0.0, np.nan]
    frame = StateFrame(1, 2, 3, 4, RaceStatus.LIVE, 8.0, 198.5, 5, 6, 7, riders)
    back = decode_states(encode_states(frame))
    assert {**vars(back), "riders": None} == {**vars(frame), "riders": None}
    assert back.riders.tobytes() == riders.tobytes()


@calm
@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_refused(place: int, change: int) -> None:
    """Guards against a damaged batch that reaches the processor or the archive as if it were whole."""
    frame = bytearray(encode_batch(batch()))
    frame[place % len(frame)] ^= change
    with pytest.raises(DecodeError):
        decode_batch(bytes(frame))


@calm
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_with_a_reason(noise: bytes) -> None:
    """Guards against an exception other than DecodeError, which would end the service."""
    for decode in (decode_datagram, decode_batch, decode_states):
        with pytest.raises(DecodeError, match="."):
            decode(noise)


envelopes = st.builds(
    lambda magic, version, kind, count: struct.pack("<4sBBH", magic, version, kind, count),
    st.just(MAGIC) | st.binary(min_size=4, max_size=4),
    st.just(VERSION) | st.integers(0, 255),
    st.sampled_from(list(Kind)) | st.integers(0, 255),
    st.integers(0, 3) | st.integers(0, 0xFFFF),
)


@calm
@given(envelopes, st.binary(max_size=600) | st.integers(0, 600).map(bytes), st.booleans())
def test_no_bytes_make_a_decoder_raise_anything_else_or_take_much_memory(head: bytes, rest: bytes, whole: bool) -> None:
    """Guards against a frame with a good checksum and a wrong claim inside, from a program that is not ours."""
    body = head + rest
    frame = body + struct.pack("<I", zlib.crc32(body)) if whole else body
    tracemalloc.start()
    try:
        for decode in (decode_datagram, decode_batch, decode_states):
            with contextlib.suppress(DecodeError):
                decode(frame)
        split_batches(frame)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@calm
@given(readings)
def test_the_defects_of_any_reading_are_found_without_an_error(rows: np.ndarray) -> None:
    """Guards against a value that no comparison expects: NaN, infinity, the smallest integer."""
    good = rows[plausible(rows, 1_499_590_800_000)]
    assert (np.abs(good["time_ms"] - 1_499_590_800_000) <= 86_400_000).all()
    assert (good["device"] > 0).all()
    assert (np.abs(good["lat"]) <= 90).all()


@calm
@given(st.binary(max_size=200), st.integers(0, 200), st.integers(1, 255))
def test_a_seal_holds_against_any_change(datagram: bytes, place: int, change: int) -> None:
    """Guards against a datagram that can be bent, cut or made up without the key."""
    key = "a1" * 20
    sealed = bytearray(Sealer(key).seal(datagram, 1))
    assert Gate(key).open(bytes(sealed), 2) == datagram
    sealed[place % len(sealed)] ^= change
    for forged in (bytes(sealed), datagram, bytes(sealed[:-1])):
        with pytest.raises(Forged):
            Gate(key).open(forged, 2)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: f[:5], "too few"),
        (lambda f: b"RACE" + f[4:], "begins with"),
        (lambda f: f[:4] + b"\x09" + f[5:], "version 9"),
        (lambda f: f[:5] + b"\x03" + f[6:], "kind 3 came where batch"),
        (lambda f: f[:6] + b"\xff\xff" + f[8:], "for 65535 rows"),
        (lambda f: f + b"\0", "for 3 rows"),
        (lambda f: f[:-1] + bytes([f[-1] ^ 1]), "checksum"),
    ],
)
def test_each_defect_is_named(spoil, reason: str) -> None:
    """Guards against one message for everything, which nobody can act on."""
    with pytest.raises(DecodeError, match=reason):
        decode_batch(spoil(encode_batch(batch())))


def test_more_rows_than_a_frame_can_count_are_refused() -> None:
    """Guards against a count that wraps and cuts the batch."""
    with pytest.raises(ValueError, match=str(MAX_ROWS)):
        encode_batch(batch(MAX_ROWS + 1))


def test_a_file_of_batches_is_read_past_what_a_crash_tore() -> None:
    """Guards against one torn frame that hides every later one."""
    first, torn, last = (encode_batch(batch(seq=seq)) for seq in (1, 2, 3))
    log = first + torn[:40] + last + first[:11]
    batches, damaged = split_batches(log)
    assert [found.seq for found in batches] == [1, 3]
    assert damaged == 40 + 11


def test_only_what_can_be_a_fix_is_plausible() -> None:
    """Guards against receivers without a fix (year 1980, NaN) and device 0 in the stream."""
    rows = np.array(
        [
            (9, 1_499_590_800_000, 45.6, 5.9),
            (0, 1_499_590_800_000, 45.6, 5.9),
            (9, 315_964_800_000, 45.6, 5.9),
            (9, 1_499_590_800_000, np.nan, 5.9),
            (9, 1_499_590_800_000, 45.6, 181.0),
        ],
        READING,
    )
    assert plausible(rows).tolist() == [True, False, False, False, False]
