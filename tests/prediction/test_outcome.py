"""What counts as caught, in races of four riders that can be drawn on paper."""

import numpy as np
from tracking.prediction.study.outcome import catch_of, peloton_heads, winner_of
from tracking.prediction.study.stages import TRUTH_EVERY_S, Stage

from tests.prediction.moments import stage

LENGTH_M = 10_000.0
MOMENTS = 300


def race(*riders: tuple[float, float]) -> Stage:
    """Riders of (start in metres, speed in m/s), in truth; they roll on beyond the line."""
    seconds = np.arange(MOMENTS) * TRUTH_EVERY_S
    truth_m = np.array([start + speed * seconds for start, speed in riders]).T
    finish_s = np.array([(LENGTH_M - start) / speed for start, speed in riders])
    return Stage(stage().seen[:1], truth_m, finish_s)


PELOTON = [(0.0, 11.0), (-5.0, 11.0), (-10.0, 11.0), (-15.0, 11.0)]


def test_one_who_stays_ahead_to_the_line_is_not_caught() -> None:
    """Guards: a stage win that is written down as a catch because the peloton comes later."""
    became = catch_of(race((500.0, 11.0), *PELOTON), np.array([0]), 0.0, LENGTH_M)
    assert not became.caught
    assert np.isnan(became.at_s)


def test_a_catch_is_where_the_head_reaches_the_last_who_was_ahead() -> None:
    """Guards: a catch at the first rider who is dropped. 500 m are closed at 1 m/s, to the 10 m of contact."""
    became = catch_of(race((500.0, 10.0), (100.0, 10.0), *PELOTON), np.array([0, 1]), 0.0, LENGTH_M)
    assert became.caught
    assert abs(became.at_s - 490.0) <= TRUTH_EVERY_S
    assert abs(became.at_m - 5400.0) <= 10.0 * TRUTH_EVERY_S


def test_if_one_of_them_survives_it_is_not_caught() -> None:
    """Guards: a breakaway that counts as caught because its weakest were."""
    assert not catch_of(race((500.0, 11.0), (100.0, 9.0), *PELOTON), np.array([0, 1]), 0.0, LENGTH_M).caught


def test_a_catch_beyond_the_line_is_none() -> None:
    """Guards: riders who sit up after the finish and are reached there."""
    assert not catch_of(
        race((9900.0, 11.0), *[(9500.0 + s, 20.0) for s, _ in PELOTON]), np.array([0]), 0.0, LENGTH_M
    ).caught


def test_a_lone_rider_who_passes_is_not_the_peloton() -> None:
    """Guards: an attacker who reaches the breakaway and is taken for the peloton."""
    became = catch_of(
        race((500.0, 10.0), (300.0, 14.0), *[(s, 10.0) for s, _ in PELOTON]), np.array([0]), 0.0, LENGTH_M
    )
    assert not became.caught


def test_the_peloton_is_the_foremost_group_of_half_the_largest() -> None:
    """Guards: a truth with another peloton than the forecasts'."""
    at = np.array([900.0, 500.0, 495.0, 100.0, 95.0, 90.0])
    truth_m = np.array([at, at + 50.0])
    assert peloton_heads(truth_m, np.array([0])).tolist() == [500.0, 550.0]
    assert peloton_heads(truth_m, np.array([1, 2])).tolist() == [100.0, 150.0]


def test_a_simulated_stage_is_told_whole() -> None:
    """Guards: a study on stages whose end is missing."""
    told = stage()
    assert np.isfinite(told.finish_s).sum() > 150
    assert told.seen["finished"].sum() == 0
    assert told.finish_s[winner_of(told)] == np.nanmin(told.finish_s)
    assert len(told.seen) * 10 <= told.finish_s[winner_of(told)] + 10
