"""From batches to state frames, and from frames to what a page reads."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from tracking.course import read_course
from tracking.feeds.snapshot import MAX_POINTS, course_document, snapshot_document
from tracking.kernel.checkpoint import CheckpointError
from tracking.live import LiveRace, RaceDay
from tracking.records import RIDER_STATE
from tracking.service import StageConfig
from tracking.transport.wire import Batch, RaceStatus, StateFrame

from tests.tracking_transport.field import COURSE, RACE_START_MS, Field
from tests.tracking_transport.harness import stage_config

RUN = 1_499_590_000
STAGE = StageConfig.model_validate(stage_config())


@pytest.fixture(scope="module")
def day() -> RaceDay:
    return RaceDay(read_course(COURSE), RACE_START_MS, 1.0)


def seconds(first: int, last: int) -> Iterator[Batch]:
    """One batch a second, sent half a second after its fixes."""
    field = Field(9)
    for second in range(first, last + 1):
        field.seconds = second
        yield Batch(RUN, second, (field.clock_ms + 500) * 1_000_000, field.fixes())


def raced(day: RaceDay, first: int, last: int) -> tuple[LiveRace, StateFrame]:
    race = LiveRace(day, RUN)
    for batch in seconds(first, last):
        race.take(batch)
    frame = race.frame(now_ns=0)
    assert frame is not None
    return race, frame


def test_a_second_gives_one_frame_that_tells_when_its_batch_was_sent(day: RaceDay) -> None:
    """Guards against frames published twice, and latency measured against the wrong batch."""
    race, frame = raced(day, 1, 20)
    assert frame.clock_ms == RACE_START_MS + 20_000
    assert frame.ingest_ns == (RACE_START_MS + 20_500) * 1_000_000
    assert frame.status is RaceStatus.LIVE
    assert race.frame(now_ns=1) is None


def test_one_wrong_clock_does_not_move_the_race(day: RaceDay) -> None:
    """Guards against one device in the future that makes all others late."""
    race, _ = raced(day, 1, 20)
    (batch,) = seconds(21, 21)
    readings = batch.readings.copy()
    readings["time_ms"][7] += 3_600_000
    race.take(Batch(RUN, 21, 0, readings))
    frame = race.frame(now_ns=0)
    assert frame is not None
    assert frame.clock_ms == RACE_START_MS + 21_000


@pytest.mark.parametrize("off_ms", [-120_000, -20_000, 7_000, 300_000])
def test_a_clock_that_is_off_is_set_right(day: RaceDay, off_ms: int) -> None:
    """Guards against a rider who is late, or in the future, all day, for a clock that can be read as well."""
    race, right = LiveRace(day, RUN), LiveRace(day, RUN)
    for batch in seconds(1, 40):
        right.take(batch)
        readings = batch.readings.copy()
        readings["time_ms"][7] += off_ms
        race.take(Batch(RUN, batch.seq, batch.sent_at_ns, readings))
    frame, expected = race.frame(now_ns=0), right.frame(now_ns=0)
    assert frame is not None
    assert expected is not None
    assert frame.clock_ms == expected.clock_ms
    assert frame.riders["quality"][7] == 0
    np.testing.assert_allclose(frame.riders["distance_m"], expected.riders["distance_m"], atol=20)


def test_clocks_of_1970_and_2080_are_refused_and_counted(day: RaceDay) -> None:
    """Guards against a device that starts anew, and takes the race's clock with it."""
    race, _ = raced(day, 1, 20)
    (batch,) = seconds(21, 21)
    readings = batch.readings.copy()
    readings["time_ms"][:100] = 315_964_800_000
    readings["time_ms"][100:] = 3_500_000_000_000
    race.take(Batch(RUN, 21, 0, readings))
    assert race.frame(now_ns=0) is None
    assert race.counts.clock == len(readings)


def test_a_backlog_behind_the_live_lane_does_not_turn_the_clock_back(day: RaceDay) -> None:
    """Guards against a picture that jumps to and fro after an outage."""
    race, _ = raced(day, 1, 20)
    *missed, newest = seconds(21, 80)
    race.take(newest)
    live = race.frame(now_ns=0)
    assert live is not None
    assert live.clock_ms == RACE_START_MS + 80_000
    for batch in missed:
        race.take(batch)
    assert race.frame(now_ns=0) is None
    assert race.clock_ms == live.clock_ms


def test_a_restored_race_goes_on_as_if_it_never_stopped(day: RaceDay) -> None:
    """Guards against riders, gaps and counts that begin anew, or are others, after a restart."""
    lasting, _ = raced(day, 1, 60)
    restored = LiveRace.restored(day, lasting.checkpoint())
    for batch in seconds(61, 70):
        lasting.take(batch)
        restored.take(batch)
    a, b = lasting.frame(now_ns=0), restored.frame(now_ns=0)
    assert a is not None
    assert b is not None
    assert (a.run, a.clock_ms, a.ingest_ns, a.readings) == (b.run, b.clock_ms, b.ingest_ns, b.readings)
    assert a.riders.tobytes() == b.riders.tobytes()


def test_a_snapshot_seals_its_own_moment_whenever_that_is(day: RaceDay) -> None:
    """Guards against a checkpoint that is half of one second and half of a later one, as another thread makes it."""
    race, _ = raced(day, 1, 60)
    at_once, later = race.checkpoint(), race.snapshot()
    for batch in seconds(61, 70):
        race.take(batch)
    assert later() == at_once != race.checkpoint()


def test_a_checkpoint_of_another_start_is_refused(day: RaceDay) -> None:
    """Guards against yesterday's race that goes on today."""
    race, _ = raced(day, 1, 5)
    with pytest.raises(CheckpointError, match="another start"):
        LiveRace.restored(RaceDay(day.course, day.start_ms + 86_400_000, 1.0), race.checkpoint())


def test_a_snapshot_tells_the_race_in_json(day: RaceDay) -> None:
    """Guards against NaN in JSON, which no browser reads, and against groups that miss riders."""
    _, frame = raced(day, 1, 60)
    text = json.dumps(snapshot_document(frame, STAGE, "2017-s09"), allow_nan=False)
    told = json.loads(text)
    assert told["race"]["clock"] == "2017-07-09T11:01:00+02:00"
    assert told["race"]["status"] == "live"
    assert [rider["position"] for rider in told["riders"]] == list(range(1, 199))
    assert sorted(number for group in told["groups"] for number in group["riders"]) == sorted(frame.riders["rider"])
    gaps = [group["gap_s"] for group in told["groups"]]
    assert gaps == sorted(gaps)
    assert told["groups"][2]["gap_to_previous_s"] == pytest.approx(gaps[2] - gaps[1])


def test_before_the_first_state_the_snapshot_says_waiting() -> None:
    """Guards against a page that fails before the race."""
    told = snapshot_document(None, STAGE, "2017-s09")
    assert told["race"]["status"] == "waiting"
    assert (told["groups"], told["riders"], told["race"]["clock"]) == ([], [], None)


def test_a_rider_never_seen_has_no_place_on_the_map() -> None:
    """Guards against a lost rider drawn where nobody is."""
    riders = np.zeros(1, RIDER_STATE)
    riders["quality"], riders["lat"], riders["lon"] = 2, np.nan, np.nan
    frame = StateFrame(RUN, RACE_START_MS, 0, 0, RaceStatus.LIVE, 1.0, 0.0, 0, 0, 0, riders)
    told = snapshot_document(frame, STAGE, "2017-s09")
    assert told["groups"] == []
    assert told["riders"][0]["lat"] is None


def test_the_course_fits_a_page_and_says_whose_road_it_is(day: RaceDay) -> None:
    """Guards against a stand-in that is taken for the stage itself, and a document of megabytes."""
    told = course_document(day.course, STAGE)
    assert len(told["points"]) <= MAX_POINTS
    assert told["points"][-1]["km"] == pytest.approx(day.course.length_m / 1000, abs=0.001)
    assert told["stands_in_for"] == "2017 stage 9, Nantua → Chambéry"
    assert told["name"] != told["stands_in_for"]
    assert told["attribution"]
