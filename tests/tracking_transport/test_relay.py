"""The relay without a broker: what it takes, what it keeps, what it gives up, and that it says so."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.records import READING
from tracking.relay import Relay, RelayConfig
from tracking.service import Mistakes
from tracking.transport.broker import BrokerConfig, connected
from tracking.transport.seal import Sealer
from tracking.transport.spill import Spill
from tracking.transport.streams import READINGS
from tracking.transport.wire import encode_datagrams

from tests.tracking_transport.harness import Broker

NOBODY = {"url": "nats://127.0.0.1:1", "user": "etape", "password": "x"}
HERE = ("127.0.0.1", 5000)


KEY = "5e" * 16


def relay(**limits: object) -> Relay:
    config = {"stack": "2017-s09", "health_port": 0, "broker": NOBODY, "relay": "edge-2", "port": 0, **limits}
    return Relay(RelayConfig.model_validate(config))


def fixes(count: int, time_ms: int = 1_499_590_800_000) -> np.ndarray:
    readings = np.zeros(count, READING)
    readings["device"] = np.arange(1, count + 1)
    readings["time_ms"] = time_ms
    return readings


def counts_after(relay: Relay, datagrams: list[bytes], wait_s: float = 0.0) -> dict:
    async def scenario() -> dict:
        for datagram in datagrams:
            relay.datagram_received(datagram, HERE)
        await asyncio.sleep(wait_s)
        return (await relay.health()).counts

    return asyncio.run(scenario())


def test_the_readings_of_a_second_make_one_batch() -> None:
    """Guards against a message, and a sync of the broker's disk, for each datagram."""
    counts = counts_after(relay(window_ms=20), list(encode_datagrams(fixes(198))), wait_s=0.05)
    assert (counts["readings"], counts["waiting"]) == (198, 1)


def test_a_flood_is_cut_into_batches_of_bounded_size() -> None:
    """Guards against one batch that grows past what a broker takes."""
    counts = counts_after(relay(batch_readings=100), list(encode_datagrams(fixes(450))))
    assert counts["waiting"] == 5


def test_without_a_broker_the_oldest_batches_are_given_up_and_counted() -> None:
    """Guards against memory that grows without end, and losses that nobody learns of."""
    kept = relay(batch_readings=50, max_waiting=3)
    counts = counts_after(kept, list(encode_datagrams(fixes(250))))
    assert (counts["waiting"], counts["dropped"]) == (3, 100)


def test_what_no_longer_fits_into_memory_goes_to_the_disk_and_outlives_the_relay(tmp_path: Path) -> None:
    """Guards against readings given up in an outage although the disk has room for a day of them."""
    datagrams = list(encode_datagrams(fixes(250)))
    kept = relay(batch_readings=50, max_waiting=3, state_dir=str(tmp_path))
    counts = counts_after(kept, datagrams)
    assert (counts["waiting"], counts["spilled"], counts["dropped"]) == (3, 2, 0)
    assert counts["waiting_bytes_on_disk"] > 100 * READING.itemsize
    waiting = Spill(tmp_path / "waiting", 1_000_000).oldest()
    assert waiting is not None
    assert [batch.readings["device"][0] for batch in waiting] == [1, 51]


def test_a_disk_without_room_is_said_and_what_it_does_not_take_is_counted(tmp_path: Path) -> None:
    """Guards against a relay that stops, or loses in silence, when its disk is full."""
    full = relay(batch_readings=50, max_waiting=3, state_dir=str(tmp_path), spill_bytes=1500)
    counts = counts_after(full, list(encode_datagrams(fixes(300))))
    assert (counts["waiting"], counts["spilled"], counts["dropped"]) == (3, 1, 100)
    health = asyncio.run(full.health())
    assert not health.ok
    assert "readings are given up" in health.detail
    assert "1500 bytes" in health.detail


def test_a_folder_that_cannot_be_used_is_a_mistake(tmp_path: Path) -> None:
    """Guards against a relay that starts and finds out in the first outage."""
    (tmp_path / "waiting").write_text("a file where the folder should be")
    with pytest.raises(Mistakes, match="state_dir"):
        relay(state_dir=str(tmp_path))


def test_a_reading_heard_by_two_paths_is_taken_once() -> None:
    """Guards against overlapping receivers that double what goes to the disk and over the uplink."""
    first, second = list(encode_datagrams(fixes(100)))
    later = fixes(100, time_ms=1_499_590_801_000)
    counts = counts_after(relay(), [first, second, first, second, *encode_datagrams(later)])
    assert (counts["readings"], counts["repeated"]) == (200, 100)


def test_another_position_at_the_same_time_is_not_a_repeat() -> None:
    """Guards against a relay that decides which of two contradicting fixes the race sees."""
    moved = fixes(3)
    moved["lat"] += 0.001
    counts = counts_after(relay(), [*encode_datagrams(fixes(3)), *encode_datagrams(moved)])
    assert (counts["readings"], counts["repeated"]) == (6, 0)


def test_only_datagrams_with_the_seal_of_this_race_are_taken_and_each_once() -> None:
    """Guards against anyone near the road who moves riders, or plays yesterday's or a minute ago's radio again."""
    keyed = relay(radio_key=KEY)
    now = time.time_ns()
    ours, strangers = Sealer(KEY), Sealer("ab" * 16)
    (plain,) = encode_datagrams(fixes(5))
    (later,) = encode_datagrams(fixes(5, time_ms=1_499_590_801_000))
    sealed = ours.seal(plain, now)
    bent = bytes([*sealed[:20], sealed[20] ^ 1, *sealed[21:]])
    old = ours.seal(later, now + 60_000_000_000)
    datagrams = [sealed, sealed, plain, bent, strangers.seal(plain, now), b"", sealed[:8], old]
    counts = counts_after(keyed, datagrams)
    assert {name: counts[name] for name in ("readings", "forged", "replayed", "corrupt")} == {
        "readings": 5,
        "forged": 5,
        "replayed": 2,
        "corrupt": 0,
    }


def test_two_datagrams_of_one_moment_are_both_taken() -> None:
    """Guards against a sender whose clock is coarse and whose datagrams are taken for replays."""
    ours = Sealer(KEY)
    now = time.time_ns()
    sealed = [ours.seal(datagram, now) for datagram in encode_datagrams(fixes(150))]
    assert counts_after(relay(radio_key=KEY), sealed)["readings"] == 150


def test_clocks_that_are_not_on_the_day_of_the_race_are_refused() -> None:
    """Guards against a receiver that lived through a rollover of its weeks, 20 years off, within this century."""
    dated = relay(race_start="2017-07-09T11:00:00+02:00")
    wrong = [
        *encode_datagrams(fixes(4, time_ms=880_000_000_000 + 100_000_000_000)),
        *encode_datagrams(fixes(3, time_ms=-(2**63))),
        *encode_datagrams(fixes(2, time_ms=1_499_590_800_000 + 90_000_000)),
    ]
    counts = counts_after(dated, [*wrong, *encode_datagrams(fixes(5))])
    assert (counts["refused"], counts["reasons"]["clock"], counts["readings"]) == (9, 9, 5)


def test_impossible_positions_are_counted_by_reason_and_disturb_nothing() -> None:
    """Guards against NaN that spreads through every mean, and riders at the pole."""
    bad = fixes(8)
    bad["lat"][:4] = [np.nan, 91.0, np.inf, -1e300]
    bad["lon"][4] = 181.0
    bad["device"][5] = 0
    counts = counts_after(relay(), list(encode_datagrams(bad)))
    assert (counts["reasons"], counts["readings"]) == ({"device": 1, "position": 5, "clock": 0}, 2)


def test_fixes_that_no_device_can_have_sent_are_refused_and_counted() -> None:
    """Guards against a receiver without a fix that moves the race clock to 1980."""
    counts = counts_after(relay(), [*encode_datagrams(fixes(7, time_ms=315_964_800_000)), *encode_datagrams(fixes(5))])
    assert (counts["refused"], counts["readings"]) == (7, 5)


def test_a_relay_without_its_broker_is_not_healthy_and_names_it() -> None:
    """Guards against a green light over a buffer that fills."""
    health = asyncio.run(relay().health())
    assert not health.ok
    assert NOBODY["url"] in health.detail


@pytest.mark.parametrize("step_s", [-3600, -60, 60, 3600])
def test_a_clock_that_is_set_while_the_relay_runs_refuses_nobody(monkeypatch: pytest.MonkeyPatch, step_s: int) -> None:
    """Guards against a relay that is deaf from the moment at which its own clock is set, right or wrong."""
    keyed = relay(radio_key=KEY)
    ours, before_ns = Sealer(KEY), time.time_ns()
    step_ns = step_s * 1_000_000_000
    (by_the_old,) = (ours.seal(datagram, before_ns) for datagram in encode_datagrams(fixes(5)))
    (by_the_new,) = (Sealer(KEY).seal(d, before_ns + step_ns) for d in encode_datagrams(fixes(5, 1_499_590_801_000)))
    (by_neither,) = (
        Sealer(KEY).seal(d, before_ns + 2 * step_ns) for d in encode_datagrams(fixes(5, 1_499_590_802_000))
    )
    monkeypatch.setattr(time, "time_ns", lambda: before_ns + step_ns)
    counts = counts_after(keyed, [by_the_old, by_the_new, by_the_old, by_neither])
    assert (counts["readings"], counts["replayed"]) == (10, 2)


def test_a_relay_that_starts_behind_its_own_past_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against batches that a broker takes for those of an hour ago, because a clock was set back between."""
    broker = Broker(tmp_path, "truck")
    broker.start()
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)

    async def life(time_ms: int) -> None:
        stopping = asyncio.Event()
        living = relay(broker=broker.config())
        running = asyncio.create_task(living.run(stopping))
        async with asyncio.timeout(30):
            while not (await living.health()).ok:
                await asyncio.sleep(0.02)
            for datagram in encode_datagrams(fixes(5, time_ms)):
                living.datagram_received(datagram, HERE)
            stopping.set()
            await running

    async def held() -> int:
        async with connected(BrokerConfig.model_validate(broker.config()), "test") as client:
            return (await client.jetstream().stream_info(READINGS)).state.messages

    try:
        for time_ms in (1_499_590_800_000, 1_499_590_801_000):
            asyncio.run(life(time_ms))
        assert asyncio.run(held()) == 2
    finally:
        broker.kill()


mischief = st.lists(
    st.tuples(
        st.sampled_from(["whole", "again", "cut", "bent", "longer", "unsealed", "noise", "sealed noise", "late"]),
        st.integers(0, 1399),
        st.binary(max_size=200),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(mischief)
def test_every_datagram_of_a_hostile_neighbour_is_counted_once_and_disturbs_no_other(
    acts: list[tuple[str, int, bytes]],
) -> None:
    """Guards against bytes that raise, that are counted twice or never, or that cost an honest sender its reading."""
    now, ours, guarded = time.time_ns(), Sealer(KEY), relay(radio_key=KEY, race_start="2017-07-09T11:00:00+02:00")
    sent, honest, last = [], 0, b""
    for number, (act, place, noise) in enumerate(acts):
        (plain,) = encode_datagrams(fixes(3, time_ms=1_499_590_800_000 + number * 1000))
        sealed = ours.seal(plain, now)
        place %= len(sealed)
        match act:
            case "whole":
                honest, last = honest + 1, sealed
            case "again":
                sealed = last
            case "cut":
                sealed = sealed[:place]
            case "bent":
                sealed = bytes([*sealed[:place], sealed[place] ^ 0x40, *sealed[place + 1 :]])
            case "longer":
                sealed += b"\0" + noise
            case "unsealed":
                sealed = plain
            case "noise":
                sealed = noise
            case "sealed noise":
                sealed = ours.seal(noise, now)
            case "late":
                sealed = Sealer(KEY).seal(plain, now - 3600 * 10**9)
        sent.append(sealed)
    counts = counts_after(guarded, sent)
    assert counts["readings"] == 3 * honest
    assert honest + sum(counts[name] for name in ("forged", "replayed", "corrupt")) == len(sent)
    assert (counts["refused"], counts["repeated"], counts["dropped"]) == (0, 0, 0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(-(2**63), 2**63 - 1), st.floats(), st.floats())))
def test_whatever_a_sealed_datagram_says_its_readings_are_taken_or_refused_by_reason(
    rows: list[tuple[int, int, float, float]],
) -> None:
    """Guards against a broken receiver with the right key: NaN, the pole, another century."""
    guarded, ours = relay(radio_key=KEY, race_start="2017-07-09T11:00:00+02:00"), Sealer(KEY)
    said = np.array(rows, READING)
    sealed = [ours.seal(datagram, time.time_ns()) for datagram in encode_datagrams(said)]
    counts = counts_after(guarded, sealed)
    assert counts["readings"] + counts["repeated"] + counts["refused"] == len(rows)
    assert counts["refused"] <= sum(counts["reasons"].values()) <= 3 * counts["refused"]
