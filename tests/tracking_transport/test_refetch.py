"""The archive becomes equal to the truck's log by itself, and a difference says when it is."""

import asyncio

import nats
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.manifest import Manifest, Tally, compare
from tracking.transport.spans import DAY_MS, MINUTE_MS, SPAN, coarser, from_rows, lacking, to_rows

from tests.tracking_transport.harness import Loopback, eventually
from tests.tracking_transport.test_manifest import START_MS, race

calm = settings(deadline=None, max_examples=40)


def tally_of(rows: np.ndarray) -> Tally:
    tally = Tally()
    for start in range(0, len(rows), 97):
        tally.add(rows[start : start + 97])
    return tally


@calm
@given(st.sets(st.integers(0, 7 * 200 - 1), max_size=30))
def test_what_is_lacking_is_named_to_the_minute(lost: set[int]) -> None:
    """Guards against a whole day that is sent again for one reading, and a reading that no span covers."""
    rows = race(7, 200)
    kept = np.delete(rows, list(lost))
    missing = lacking(tally_of(rows).spans(MINUTE_MS), tally_of(kept).spans(MINUTE_MS))
    gone = rows[list(lost)]
    expected = {(int(r["device"]), int(r["time_ms"]) // MINUTE_MS * MINUTE_MS) for r in gone}
    assert {(int(s["device"]), int(s["from_ms"])) for s in missing} == expected
    assert not len(lacking(tally_of(kept).spans(MINUTE_MS), tally_of(rows).spans(MINUTE_MS)))


def test_days_are_the_sums_of_their_minutes() -> None:
    """Guards against two levels that contradict each other, so that nothing is ever found."""
    tally = tally_of(race(5, 300))
    days = tally.spans(DAY_MS)
    assert coarser(tally.spans(MINUTE_MS), DAY_MS).tobytes() == days.tobytes()
    assert days["readings"].tolist() == [300] * 5
    assert from_rows(to_rows(days)).tobytes() == days.tobytes()
    assert Tally().spans(MINUTE_MS).shape == lacking(np.zeros(0, SPAN), days).shape == (0,)
    assert len(lacking(days, np.zeros(0, SPAN))) == 5


def test_a_difference_says_between_which_minutes_it_is() -> None:
    """Guards against a person who has to search five hours for one minute."""
    rows = race(2, 400)
    lost = (rows["device"] == 2) & (rows["time_ms"] >= START_MS + 70_000) & (rows["time_ms"] < START_MS + 130_000)
    truck, archive = (Manifest.from_json(tally_of(r).manifest(1, True).to_json()) for r in (rows, rows[~lost]))
    (sentence,) = compare(truck, archive)
    assert sentence == "device 2: 400 readings on the truck, 340 archived; they differ in 09:01–09:03 UTC"


def test_what_the_cloud_lost_before_it_was_archived_comes_again_from_the_raw_log(loopback: Loopback) -> None:
    """Guards against a hole in the archive that only a person with both manifests would ever find."""
    archive, recorder = loopback.services["archive"], loopback.services["recorder"]
    field = loopback.field
    loopback.settle()
    archive.kill()
    with field.riding(rate=20):
        eventually("half a minute of the race", lambda s=field.seconds: field.seconds > s + 30)
    eventually("all has crossed", lambda: loopback.services["forwarder"].get()["pending"] == 0)
    purge(loopback)
    archive.start()
    eventually("the archive is back", archive.healthy)
    lost_until = field.seconds

    def compared_anew(since: int) -> bool:
        """The comparison that was under way at that time, and a whole one after it, have come to an end."""
        told = recorder.get()["archive"]
        return told["compared"] >= since + 2 and told["refetched"] > 0 and told["equal"]

    with field.riding(rate=40):
        eventually("the minutes of the loss are over", lambda: field.seconds > lost_until + 70)
        since = recorder.get()["archive"]["compared"]
        eventually("what was lost is sent again", lambda: compared_anew(since))
    truck, archived = map(Manifest.from_json, loopback.settle())
    assert compare(truck, archived) == ()


def purge(loopback: Loopback) -> None:
    """Everything that the cloud's broker holds of the readings is gone."""

    async def once() -> None:
        config = loopback.cloud.config()
        client = await nats.connect(config["url"], user=config["user"], password=config["password"])
        await client.jetstream().purge_stream("READINGS")
        await client.close()

    asyncio.run(once())


def test_nothing_is_sent_again_that_is_merely_under_way(loopback: Loopback) -> None:
    """Guards against a backlog that crosses the uplink twice."""
    loopback.settle()
    before = loopback.services["recorder"].get()["archive"]["refetched"]
    loopback.uplink.cut()
    with loopback.field.riding(rate=40):
        eventually("two minutes of the race", lambda s=loopback.field.seconds: loopback.field.seconds > s + 120)
    loopback.uplink.mend()
    truck, archived = map(Manifest.from_json, loopback.settle())
    assert compare(truck, archived) == ()
    compared = loopback.services["recorder"].get()["archive"]["compared"]
    eventually("one more comparison", lambda: loopback.services["recorder"].get()["archive"]["compared"] > compared)
    assert loopback.services["recorder"].get()["archive"]["refetched"] == before
