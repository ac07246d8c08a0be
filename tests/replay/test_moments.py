"""Any moment of an archived stage, and the parts that it is found in."""

import asyncio

import numpy as np
import pytest
from tracking.replay import compaction
from tracking.replay.compaction import CompactionError, compact
from tracking.replay.moments import ArchivedMoments
from tracking.store.collector import Arrivals, Control, Readings, States
from tracking.store.parts import PartStore, Shelf
from tracking.transport.wire import RaceStatus, StateFrame

from tests.replay.archives import RUN, SHELF, START_MS, states


def moments(store: PartStore) -> ArchivedMoments:
    return ArchivedMoments(store, 2017, 9, START_MS)


def at(found: ArchivedMoments, second: float) -> StateFrame | None:
    return asyncio.run(found.at(round(START_MS + second * 1000)))


def put_minutes(store: PartStore, minutes: int) -> None:
    for minute in range(minutes):
        store.put(SHELF, f"1-{minute:012d}", states(60 * minute, 60))


def test_a_moment_is_the_last_second_up_to_it(store: PartStore) -> None:
    """Guards: a scrubber between two seconds, or in a hole, that shows nothing or the future."""
    put_minutes(store, 2)
    store.put(SHELF, "1-000000000009", states(200, 60))
    found = moments(store)
    assert asyncio.run(found.span()) == (START_MS, START_MS + 259_000)
    for asked, second in ((0, 0), (59.9, 59), (60, 60), (150, 119), (200.5, 200), (9999, 259)):
        frame = at(found, asked)
        assert frame is not None
        assert frame.clock_ms == START_MS + second * 1000
        assert np.array_equal(frame.riders, states(second, 1))
        assert (frame.run, frame.status) == (RUN, RaceStatus.LIVE)
    assert at(found, -1) is None


def test_an_empty_archive_has_no_moments(store: PartStore) -> None:
    """Guards: a scrubber that fails before the race."""
    assert asyncio.run(moments(store).span()) is None
    assert at(moments(store), 5) is None


def test_the_last_revision_of_a_second_is_shown(store: PartStore) -> None:
    """Guards: amended history that nobody gets to see."""
    put_minutes(store, 2)
    store.put(SHELF, "1-000000000050", states(30, 10, revision=2))
    store.put(SHELF, "1-000000000040", states(30, 20, revision=1))
    found = moments(store)
    told = [at(found, second) for second in (29, 30, 39, 40, 49, 50)]
    assert [int(frame.riders["revision"][0]) for frame in told if frame] == [0, 2, 2, 1, 1, 0]


def test_what_is_not_stored_yet_is_told_from_what_was_published(store: PartStore) -> None:
    """Guards: a replay beside live that ends a minute ago."""
    put_minutes(store, 1)
    found = moments(store)
    for second, revision in ((61, 0), (20, 1)):
        rows = states(second, 1, revision)
        found.note(StateFrame(RUN, int(rows["time_ms"][0]), 0, 0, RaceStatus.LIVE, 1.0, 0.0, 0, 0, 0, rows))
    assert asyncio.run(found.span()) == (START_MS, START_MS + 61_000)
    told = [at(found, second) for second in (20, 21, 60, 62)]
    assert [(f.clock_ms - START_MS, int(f.riders["revision"][0])) for f in told if f] == [
        (20_000, 1),
        (21_000, 0),
        (59_000, 0),
        (61_000, 0),
    ]


def test_only_the_asked_minute_is_fetched_from_a_long_stage(store: PartStore, monkeypatch) -> None:
    """Guards: a whole stage that travels for one second of it."""
    monkeypatch.setattr(compaction, "GROUP_ROWS", 300)
    put_minutes(store, 30)
    (done,) = compact(store, States, SHELF)
    assert (done.parts, done.rows, done.repeated) == (30, 30 * 300, 0)
    assert list(store.keys(SHELF.prefix)) == [done.key]
    found = moments(store)
    frame = at(found, 700)
    assert frame is not None
    assert np.array_equal(frame.riders, states(700, 1))
    assert sum(map(len, found._rows.values())) <= 600


def test_moments_go_on_when_their_parts_are_compacted(store: PartStore) -> None:
    """Guards: a reader that holds on to parts that are gone."""
    put_minutes(store, 3)
    found = moments(store)
    assert at(found, 10) is not None
    compact(store, States, SHELF)
    frame = at(found, 130)
    assert frame is not None
    assert frame.clock_ms == START_MS + 130_000


@pytest.mark.parametrize("content", [Readings, States, Arrivals])
def test_compaction_keeps_every_row_once_and_in_order(store: PartStore, content) -> None:
    """Guards: rows that are lost, doubled after a crash, or out of order within a message."""
    shelf = Shelf(content.kind, 2017, 9, RUN)
    lot = np.random.default_rng(3)
    rows = states(0, 500) if content is States else np.zeros(4000, content.dtype)
    if content is not States:
        rows["device"], rows["time_ms"] = lot.integers(1, 9, 4000), START_MS + np.arange(4000)
        rows["lat"], rows["lon"] = lot.random((2, 4000))
    if content is Arrivals:
        rows["seq"], rows["row"] = np.arange(4000) // 40 + 1, np.arange(4000) % 40
    for number, part in enumerate(np.array_split(rows, 10)):
        store.put(shelf, f"1-{number:012d}", part)
    store.put(shelf, "1-000000000099", rows[:400])  # as a compaction leaves it that was killed
    (done,) = compact(store, content, shelf)
    assert done.repeated == 400
    kept = np.concatenate(list(store.read(shelf, content.dtype)))
    assert kept.tobytes() == rows.tobytes()
    assert compact(store, content, shelf) == []


def test_a_compaction_that_was_killed_while_parts_went_loses_nothing_and_is_made_good(
    store: PartStore, monkeypatch
) -> None:
    """Guards: the only copy of a row overwritten by a part that turns out to be damaged."""
    put_minutes(store, 3)
    kept_parts = list(store.keys(SHELF.prefix))[1:]
    before = b"".join(rows.tobytes() for rows in store.read(SHELF, States.dtype))
    monkeypatch.setattr(store, "delete", lambda keys: None)
    (killed,) = compact(store, States, SHELF)
    monkeypatch.undo()
    store.delete([key for key in store.keys(SHELF.prefix) if key not in (*kept_parts, killed.key)])
    with monkeypatch.context() as damaged:
        damaged.setattr(compaction, "_read_back", lambda *_: (0, 0))
        with pytest.raises(CompactionError, match="stay"):
            compact(store, States, SHELF)
    (done,) = compact(store, States, SHELF)
    assert list(store.keys(SHELF.prefix)) == [done.key]
    assert b"".join(rows.tobytes() for rows in store.read(SHELF, States.dtype)) == before


def test_words_are_compacted_each_stream_for_itself(store: PartStore) -> None:
    """Guards: two decisions taken for one because they have the same number in two streams."""
    shelf = Shelf("control", 2017, 9, 0)
    for created, seq, text in ((1, 5, "a"), (1, 7, "b"), (2, 5, "c"), (1, 7, "b")):
        store.put(shelf, f"{created}-{seq:012d}-{text}", np.array([(seq, 0, text, text)], Control.dtype))
    store.put(shelf, "1-000000000099-again", np.array([(7, 0, "b", "b")], Control.dtype))
    (done,) = compact(store, Control, shelf)
    assert (done.parts, done.rows, done.repeated) == (3, 2, 1)
    assert [row["text"] for rows in store.read(shelf, Control.dtype) for row in rows] == ["a", "b", "c"]


def test_parts_stay_when_the_compacted_one_is_not_equal(store: PartStore, monkeypatch) -> None:
    """Guards: originals that go although their successor is damaged."""
    put_minutes(store, 3)
    before = list(store.keys(SHELF.prefix))
    monkeypatch.setattr(compaction, "_read_back", lambda *_: (0, 0))
    with pytest.raises(CompactionError, match="stay"):
        compact(store, States, SHELF)
    assert list(store.keys(SHELF.prefix)) == before


def test_every_revision_of_a_second_is_collected_once() -> None:
    """Guards: an amended second taken for one that was there already."""
    content = States()
    assert len(content.fresh(states(0, 2))) == 10
    assert len(content.fresh(states(1, 1))) == 0
    assert len(content.fresh(states(1, 1, revision=1))) == 5
