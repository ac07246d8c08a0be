"""What is derived of each rider: against sums that can be done by hand, and against the truth of a simulated stage."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking.briefing.riders import start_list
from tracking.course import Course, build_course
from tracking.course.file import Trace
from tracking.groups import GroupRules
from tracking.kernel import Tracker
from tracking.kernel.power import DRAG_AREA_M2, DRIVE, LOADED_KG, ROLLING
from tracking.records import READING
from tracking.simulation.effort import drag_share, resistance
from tracking.simulation.road import build_road

from tests.tracking.rides import START_MS, course, laps_stage

PREDICTED, LOST, FINISHED = 1, 2, 3
WEARER = 55


@cache
def straight_road() -> Course:
    """11 km due east along the equator, flat, at sea level."""
    lon = np.linspace(0.0, 0.1, 600)
    flat = np.zeros(600)
    return build_course(
        Trace("West", "East", "road", 0, 0, official_km=11.1195, attribution="", lat=flat, lon=lon, elevation=flat)
    )


def on_the_road(distance: np.ndarray, clock_ms: int) -> np.ndarray:
    """READING (n,) of riders 1 to n exactly at these distances of the straight road."""
    road = straight_road()
    readings = np.zeros(len(distance), READING)
    readings["device"], readings["time_ms"] = np.arange(1, len(distance) + 1), clock_ms
    readings["lon"] = np.interp(distance, road.distance, road.lon)
    return readings


def ridden(tracker: Tracker, metres: np.ndarray) -> np.ndarray:
    """RIDER_STATE (t, n) of riders who are at `metres` (t, n) second by second."""
    frames = []
    for second, distance in enumerate(metres):
        tracker.ingest(on_the_road(distance, START_MS + second * 1000))
        frames.append(tracker.frame(START_MS + second * 1000))
    return np.array(frames)


def four_riders() -> np.ndarray:
    """Metres (301, 4) at 10 m/s: 1 leads, 2 follows 50 m behind, 3 and 4 are 200 and 205 m behind."""
    return np.maximum(10.0 * np.arange(301.0)[:, None] + 300.0 - np.array([0.0, 50.0, 200.0, 205.0]), 0.0)


def test_four_riders_on_a_straight_road() -> None:
    """Guards: a column that means something else than it says. All numbers here can be found with a pencil."""
    tracker = Tracker(straight_road(), np.arange(1, 5), START_MS)
    tracker.set_classification(np.array([1, 2, 3]), np.array([100.0, 0.0, 5.0]))
    tracker.set_yellow(2)
    tracker.set_wind(np.array([-3.0]), np.array([2.0]))  # towards the west and north: in their faces, from the right
    told = ridden(tracker, four_riders())[-1]
    leader_m = 3300.0

    def is_near(column: str, expected: list[float], within: float) -> None:
        np.testing.assert_allclose(told[column], expected, atol=within, err_msg=column)

    is_near("distance_m", [leader_m, 3250, 3100, 3095], 0.5)
    is_near("elevation_m", [0] * 4, 0.01)
    is_near("heading_deg", [90] * 4, 0.01)
    is_near("speed_ms", [10] * 4, 0.02)
    is_near("speed_10s_ms", [10] * 4, 0.02)
    is_near("speed_average_ms", [11.0, 3250 / 300, 3100 / 300, 3095 / 300], 0.01)
    is_near("acceleration_ms2", [0] * 4, 0.01)
    is_near("gap_s", [0, 5, 20, 20.5], 0.1)
    is_near("gap_m", [0, 50, 200, 205], 0.5)
    is_near("gap_previous_s", [np.nan, 5, 15, 0.5], 0.1)
    is_near("gap_previous_m", [np.nan, 50, 150, 5], 0.5)
    is_near("gap_yellow_s", [-5, 0, 15, 15.5], 0.1)
    is_near("gap_yellow_m", [-50, 0, 150, 155], 0.5)
    is_near("head_wind_ms", [3] * 4, 0.01)
    is_near("cross_wind_ms", [-2] * 4, 0.01)
    assert told["group"].tolist() == [1, 1, 2, 2]
    assert told["group_position"].tolist() == [1, 2, 1, 2]
    assert told["group_id"][0] == told["group_id"][1] != told["group_id"][2] == told["group_id"][3]
    # 2 and 1 are given the time of the first group, 3 that of the second; nothing is known of 4.
    assert told["virtual_rank"].tolist() == [3, 1, 2, 0]
    is_near("virtual_gap_s", [100, 0, 25, np.nan], 0.1)
    rolling_n, air_n = 78 * 9.81 * 0.004, 0.5 * 1.225 * 0.32 * 11.8 * np.hypot(11.8, 1.2)
    alone_w = [10 * (rolling_n + share * air_n) / 0.975 for share in (0.96, 0.70, 0.96, 0.70)]
    is_near("power_w", alone_w, 8)
    assert (LOADED_KG, ROLLING, DRAG_AREA_M2, DRIVE) == (78.0, 0.004, 0.32, 0.975), "they are published"


def test_what_is_not_known_is_nan_or_nothing() -> None:
    """Guards: a wind of 0, a rank of 1 or a gap of 0 where nobody knows any."""
    told = ridden(Tracker(straight_road(), np.arange(1, 5), START_MS), four_riders())[-1]
    for column in ("head_wind_ms", "cross_wind_ms", "gap_yellow_s", "gap_yellow_m", "virtual_gap_s"):
        assert np.isnan(told[column]).all(), column
    assert (told["virtual_rank"] == 0).all()
    assert np.isfinite(told["power_w"]).all(), "without a wind that is known, the air is thought to be still"
    nobody = Tracker(straight_road(), np.arange(1, 5), START_MS).frame(START_MS + 5000)
    for column in ("speed_10s_ms", "speed_average_ms", "acceleration_ms2", "power_w", "gap_s", "gap_previous_s"):
        assert np.isnan(nobody[column]).all(), column
    assert (nobody["group_id"] == 0).all()
    assert (nobody["group_position"] == 0).all()


def test_who_withdraws_leaves_the_classification_and_who_is_only_lost_does_not() -> None:
    """Guards: ranks that jump with every radio shadow, and a leader who went home."""
    tracker = Tracker(straight_road(), np.arange(1, 5), START_MS)
    tracker.set_classification(np.arange(1, 5), np.array([0.0, 10.0, 60.0, 70.0]))
    ridden(tracker, four_riders()[:200])
    tracker.withdraw(2, START_MS + 200_000)
    for second in range(200, 290):
        fixes = on_the_road(four_riders()[second], START_MS + second * 1000)
        tracker.ingest(fixes[fixes["device"] != 1])
        told = tracker.frame(START_MS + second * 1000)
    assert told["quality"].tolist() == [LOST, LOST, 0, 0]
    assert told["virtual_rank"].tolist() == [0, 0, 2, 3]


def test_a_yellow_jersey_that_does_not_start_gives_no_gaps() -> None:
    """Guards: gaps to the first of the start list where the holder has gone home."""
    tracker = Tracker(straight_road(), np.arange(1, 5), START_MS)
    tracker.set_yellow(99)
    assert np.isnan(ridden(tracker, four_riders())[-1]["gap_yellow_s"]).all()


@pytest.mark.parametrize(("split_s", "join_s"), [(0.0, 0.0), (3.0, 4.0), (5.0, -1.0), (float("nan"), 1.0)])
def test_thresholds_by_which_groups_would_flicker_are_refused(split_s: float, join_s: float) -> None:
    """Guards: a group that is split and joined in every second."""
    with pytest.raises(ValueError, match="choose 0 < join_s <= split_s"):
        GroupRules(split_s, join_s)


def test_groups_follow_the_thresholds_that_are_given() -> None:
    """Guards: published thresholds that are not those in use."""
    groups = [
        ridden(Tracker(straight_road(), np.arange(1, 5), START_MS, rules=GroupRules(split_s, split_s)), four_riders())
        for split_s in (4.0, 8.0, 18.0)
    ]
    assert [frames[-1]["group"].tolist() for frames in groups] == [[1, 2, 3, 3], [1, 1, 2, 2], [1, 1, 1, 1]]


def crumbling_field() -> np.ndarray:
    """Metres (700, 10): a peloton of ten loses four riders, of those one more, and all come back."""
    second = np.arange(700.0)
    behind = np.tile(np.arange(10.0) * 2, (700, 1))
    away = np.interp(second, [100, 200, 400, 500], [0, 150, 150, 0])
    behind[:, 6:] += away[:, None]
    behind[:, 9] += np.interp(second, [200, 300, 400, 500], [0, 200, 200, 0])
    return np.maximum(12.0 * second[:, None] + 300 - behind, 0)


def test_a_group_keeps_its_identity_through_splits_and_merges() -> None:
    """Guards: a peloton that is another one in every commentary, and a group that lives on under a strange name."""
    frames = ridden(Tracker(straight_road(), np.arange(1, 11), START_MS), crumbling_field())
    ids = frames["group_id"]
    assert (ids[50:, 0] == ids[50, 0]).all(), "most of the peloton stay, so it stays the peloton"
    assert (ids[50] == ids[50, 0]).all()
    assert ids[190].tolist() == [ids[50, 0]] * 6 + [ids[190, 9]] * 4
    assert ids[390].tolist() == [ids[50, 0]] * 6 + [ids[190, 9]] * 3 + [ids[390, 9]]
    assert len(set(ids[390].tolist())) == 3, "each part is a group of its own"
    assert (ids[600] == ids[50, 0]).all(), "and where they merge, the larger goes on"
    assert ids.max() == 3, "nothing flickered"


@dataclass(frozen=True)
class Ridden:
    """The recorded stage with laps, as tracked: a first stage, and the yellow jersey on a rider in the peloton."""

    states: np.ndarray
    """RIDER_STATE (T, 198)"""
    road: np.ndarray
    """Whether rider and second are compared, (T, 198)."""


@cache
def stage() -> Ridden:
    recording = laps_stage()
    tracker = Tracker(course("2022-21"), start_list(), START_MS)
    tracker.set_yellow(WEARER)
    tracker.set_classification(start_list(), np.zeros(198))
    states = np.array([(tracker.ingest(batch), tracker.frame(clock))[1] for clock, batch in recording.batches()])
    road = (states["quality"] <= PREDICTED) & ~recording.finished
    road[:300] = False
    return Ridden(states, road)


def errors(column: str, truth: np.ndarray) -> np.ndarray:
    """How far a column is from the truth (T, 198) where it is told."""
    error = np.abs(stage().states[column] - truth)[stage().road]
    assert np.isnan(error).mean() < 0.02
    return error[np.isfinite(error)]


def test_mean_speeds_and_acceleration_are_true() -> None:
    """Guards: a mean over another time than it says, and an acceleration that is only the noise of the fixes."""
    recording = laps_stage()
    before = np.full((10, 198), np.nan)
    mean = np.concatenate((before, (recording.distance[10:] - recording.distance[:-10]) / 10))
    gained = np.concatenate((before, (recording.speed[10:] - recording.speed[:-10]) / 10))
    assert np.median(errors("speed_10s_ms", mean)) < 0.4
    assert np.quantile(errors("speed_10s_ms", mean), 0.99) < 2.5
    assert np.median(errors("acceleration_ms2", gained)) < 0.12
    since_start = np.arange(len(recording.distance))[:, None] - 60.0
    assert np.quantile(errors("speed_average_ms", recording.distance / np.maximum(since_start, 1)), 0.99) < 0.1


def test_gaps_to_the_yellow_jersey_are_passages_of_the_same_place() -> None:
    """Guards: gaps by distance over speed, which breathe with every climb and bend."""
    recording, told = laps_stage(), stage()
    yellow = start_list().tolist().index(WEARER)
    at = np.arange(len(recording.distance), dtype=float)
    wrong = []
    for second in range(600, 9000, 300):
        for rider in np.flatnonzero(told.road[second]):
            first, last = sorted((yellow, int(rider)), key=lambda one: -recording.distance[second, one])
            way = np.maximum.accumulate(recording.distance[:, first])
            gap = second - np.interp(recording.distance[second, last], way, at)
            wrong.append(told.states["gap_yellow_s"][second, rider] - (gap if first == yellow else -gap))
    assert np.median(np.abs(wrong)) < 0.5
    assert np.quantile(np.abs(wrong), 0.98) < 3


def test_gaps_from_rider_to_rider_add_up_to_the_gap_to_the_first() -> None:
    """Guards: a rider in front who is not the one before in the ranking."""
    for second in range(600, 9000, 600):
        told = np.sort(stage().states[second], order="position")
        told = told[told["quality"] <= PREDICTED]
        np.testing.assert_allclose(np.cumsum(told["gap_previous_m"][1:]), told["gap_m"][1:], atol=0.1)
        added = np.cumsum(told["gap_previous_s"][1:].astype(float))
        assert np.median(np.abs(added - told["gap_s"][1:]) / np.maximum(told["gap_s"][1:], 10)) < 0.1


def test_estimated_power_is_within_a_seventh_of_the_simulators_own() -> None:
    """Guards: watts of a lone rider for one in the bunch, or without the climb.

    Compared are means over all seconds of one kind of road. Descents are left out: there the simulated riders roll and
    brake as no physics says. The simulator shelters all riders of a group alike, the estimate by row.
    """
    recording, told = laps_stage(), stage()
    road = course("2022-21")
    gradient = build_road(road).gradient
    theirs, ours, slopes = [], [], []
    for second in range(600, 9000, 20):
        order = np.argsort(-recording.distance[second])
        bunches = np.concatenate(([0], np.cumsum(-np.diff(recording.distance[second][order]) > 25)))
        sizes = np.bincount(bunches)[bunches]
        for rider, size in zip(order.tolist(), sizes.tolist(), strict=True):
            if told.road[second, rider]:
                speed, slope = recording.speed[second, rider], gradient[int(recording.distance[second, rider] / 5)]
                theirs.append(max(speed * resistance(speed, slope, drag_share(size)), 0))
                ours.append(told.states["power_w"][second, rider])
                slopes.append(slope)
    theirs_w, ours_w, slope = np.array(theirs), np.array(ours), np.array(slopes)
    known = np.isfinite(ours_w)
    assert known.mean() > 0.95
    for low, high in ((-0.01, 0.01), (0.01, 0.03), (0.03, 0.2)):
        kind = known & (slope >= low) & (slope < high)
        assert ours_w[kind].mean() == pytest.approx(theirs_w[kind].mean(), rel=1 / 7)
        assert np.median(np.abs(ours_w - theirs_w)[kind]) < 0.3 * theirs_w[kind].mean()


def test_groups_of_a_whole_stage_live_long() -> None:
    """Guards: identities that are given and lost within seconds."""
    ids = stage().states["group_id"][300:9000]
    _, seconds = np.unique(np.concatenate([np.unique(row[row > 0]) for row in ids]), return_counts=True)
    assert seconds[seconds > 60].sum() > 0.98 * seconds.sum()
    assert (seconds < 5).mean() < 0.2


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 900), min_size=2, max_size=12), st.integers(0, 10**6))
def test_groups_are_a_partition_of_the_road(behind: list[float], seed: int) -> None:
    """Guards: a rider in two groups, a group with a hole, places within a group that do not count from 1."""
    lot = np.random.default_rng(seed)
    paces = np.cumsum(lot.normal(10, 1.5, (240, len(behind))).clip(3, 20), axis=0)
    frames = ridden(Tracker(straight_road(), np.arange(1, len(behind) + 1), START_MS), paces + 900 - np.array(behind))
    for told in frames[20:]:
        ranked = np.sort(told, order="position")
        assert set(np.diff(ranked["group"].astype(int), prepend=1)) <= {0, 1}
        for number in np.unique(ranked["group"]):
            members = ranked[ranked["group"] == number]
            assert members["group_position"].tolist() == list(range(1, len(members) + 1))
            assert len(set(members["group_id"].tolist())) == 1
        assert len(set(ranked["group_id"].tolist())) == ranked["group"].max()


def test_finished_riders_keep_their_times_and_lost_ones_claim_nothing() -> None:
    """Guards: a rider behind the line who still has wind and watts."""
    done = stage().states[-1]
    done = np.sort(done[done["quality"] == FINISHED], order="position")
    assert np.isnan(done["power_w"]).all()
    assert np.isnan(done["head_wind_ms"]).all()
    assert (done["speed_10s_ms"] == 0).all()
    assert (done["group_id"] == 0).all()
    np.testing.assert_allclose(np.cumsum(done["gap_previous_s"][1:].astype(float)), done["gap_s"][1:], atol=0.1)
    wearer = int(np.flatnonzero(done["rider"] == WEARER)[0])
    np.testing.assert_allclose(done["gap_yellow_s"], done["gap_s"] - done["gap_s"][wearer], atol=0.1)


def test_riders_who_cross_the_line_together_are_given_the_same_time() -> None:
    """Guards: a bunch sprint that costs its last rider half a minute."""
    done = stage().states[-1]
    done = np.sort(done[done["quality"] == FINISHED], order="position")
    apart = np.diff(done["gap_s"]) >= 1.0
    assert 0 < apart.sum() < 100, "bunches, and gaps between them"
    np.testing.assert_allclose(np.diff(done["virtual_gap_s"])[~apart], 0, atol=1e-3)
    first_of_bunch = np.flatnonzero(np.insert(apart, 0, True))
    np.testing.assert_allclose(done["virtual_gap_s"][first_of_bunch], done["gap_s"][first_of_bunch], atol=0.01)
    assert sorted(done["virtual_rank"].tolist()) == list(range(1, len(done) + 1))


def test_riders_of_one_group_are_virtually_level() -> None:
    """Guards: ranks that change with every wheel in the bunch."""
    for second in range(600, 9000, 600):
        told = stage().states[second]
        told = told[told["group"] > 0]
        for number in np.unique(told["group"]):
            assert np.ptp(told["virtual_gap_s"][told["group"] == number]) == 0
