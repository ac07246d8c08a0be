"""Laws that every forecast keeps, whatever was fitted."""

import json

import numpy as np
import pytest
from tracking.prediction.forecast import TOLD_WINNERS, Forecast, forecast
from tracking.prediction.forecaster import Forecaster
from tracking.prediction.observation import EVERY_S
from tracking.prediction.situation import Window
from tracking.records import RIDER_STATE

from tests.prediction.moments import FLAT, away, course, groups, model, stage


def told(window: Window) -> Forecast:
    made = forecast(window, model(), FLAT)
    assert made is not None
    return made


@pytest.mark.parametrize("to_go_km", [150.0, 60.0, 30.0, 10.0, 3.0, 0.2])
@pytest.mark.parametrize("gap_s", [7.0, 45.0, 240.0, 1200.0])
def test_probabilities_are_probabilities(gap_s: float, to_go_km: float) -> None:
    """Guards: shares of a winner that add up to more than one, an interval that is upside down."""
    made = told(away(gap_s, to_go_km))
    assert made.catch is not None
    assert 0 < made.catch.probability < 1
    assert 0 < made.catch.base_rate < 1
    assert made.catch.chapatte in (0.0, 1.0)
    assert (made.winner >= 0).all()
    assert made.winner.sum() == pytest.approx(1.0)
    assert (np.diff(made.finish_in_s) >= 0).all()
    assert made.finish_in_s[0] >= 0


@pytest.mark.parametrize("to_go_km", [100.0, 40.0, 15.0, 5.0, 1.0])
def test_a_larger_gap_is_never_likelier_to_be_closed(to_go_km: float) -> None:
    """Guards: a model that learned a law backwards from a small sample."""
    chances = []
    for gap_s in (8, 15, 30, 60, 90, 120, 180, 240, 300, 420, 600, 900):
        made = told(away(float(gap_s), to_go_km))
        assert made.catch is not None
        chances.append(made.catch.probability)
    assert (np.diff(chances) <= 1e-9).all()


def test_ten_minutes_in_the_last_kilometre_are_safe() -> None:
    """Guards: a forecast that blends away what is certain."""
    made = told(away(600.0, 1.0))
    assert made.catch is not None
    assert made.catch.probability < 0.01
    assert made.catch.at_to_go_m != made.catch.at_to_go_m  # nowhere
    assert made.winner[:6].sum() > 0.95


def test_a_peloton_on_the_wheel_far_from_the_line_catches() -> None:
    """Guards: a forecast that never believes in a catch."""
    made = told(away(7.0, 60.0, sizes=(1, 190)))
    assert made.catch is not None
    assert made.catch.probability > 0.7
    assert 0 < made.catch.at_to_go_m < 60_000
    assert made.catch.in_s > 0


def test_a_rider_whom_the_tracker_has_lost_may_still_win() -> None:
    """Guards: an impossible winner, whose device had failed."""
    window = away(60.0, 10.0)
    window.seen["group"][-1, 20] = 0
    assert 0 < told(window).winner[20] < told(away(60.0, 10.0)).winner[20]


def test_a_race_that_has_been_slow_is_expected_later() -> None:
    """Guards: an expected finish that forgets wind and weather of the first hours."""
    usual, slow = away(60.0, 40.0), away(60.0, 40.0)
    slow.now_s *= 1.1
    assert told(slow).finish_in_s[1] > told(usual).finish_in_s[1]


def test_without_a_breakaway_no_catch_is_forecast_but_a_winner_is() -> None:
    """Guards: a peloton that is asked whether it will catch itself."""
    made = told(groups([(180, 0.0), (20, 90.0)], 30.0))
    assert made.catch is None
    assert made.winner[:180].sum() > made.winner[180:].sum()


def test_the_first_of_several_groups_ahead_is_the_breakaway() -> None:
    """Guards: a chase in between that is taken for the peloton or for the breakaway."""
    made = told(groups([(4, 0.0), (8, 60.0), (150, 180.0)], 30.0))
    assert made.catch is not None
    assert made.catch.chapatte == 1.0  # 180 s at 30 km: the peloton's gap, not the chase's
    assert made.winner[:4].sum() + made.winner[4:12].sum() < made.winner.sum()


def test_the_peloton_is_the_foremost_of_the_large_groups() -> None:
    """Guards: favourites on a climb who count as a breakaway because more riders are behind them than with them."""
    assert told(groups([(40, 0.0), (70, 60.0)], 10.0)).catch is None
    assert told(groups([(20, 0.0), (70, 60.0)], 10.0)).catch is not None


def test_before_anybody_is_seen_and_after_the_finish_nothing_is_forecast() -> None:
    """Guards: forecasts of what has happened."""
    unseen, finished = away(60.0, 10.0), away(60.0, 0.1)
    unseen.seen["group"] = 0
    finished.seen["finished"][-1, 0] = True
    assert forecast(unseen, model(), FLAT) is None
    assert forecast(finished, model(), FLAT) is None


def test_the_same_moment_has_the_same_forecast() -> None:
    """Guards: a forecast that moves by chance while the race does not."""
    one, other = told(away(90.0, 40.0)), told(away(90.0, 40.0))
    assert one.catch == other.catch
    np.testing.assert_array_equal(one.winner, other.winner)
    np.testing.assert_array_equal(one.finish_in_s, other.finish_in_s)


def test_the_document_is_json_with_at_most_ten_winners() -> None:
    """Guards: NaN in a log that no reader of JSON takes, and a list of the whole field."""
    document = told(away(600.0, 1.0)).document(1_499_600_000_000, np.arange(1, 187), "x")
    read = json.loads(json.dumps(document, allow_nan=False))
    assert len(read["winner"]) <= TOLD_WINNERS
    assert read["catch"]["at_km_to_go"] is None
    assert read["catch"]["baselines"]["chapatte"] == 0.0
    assert read["finish"]["p10_ms"] <= read["finish"]["median_ms"] <= read["finish"]["p90_ms"]
    assert read["simulated"] is True
    assert [one["probability"] for one in read["winner"]] == sorted(
        (one["probability"] for one in read["winner"]), reverse=True
    )


def test_a_forecast_never_looks_ahead() -> None:
    """Guards: a record of forecasts that knew the future: the race cut short gives the same ones up to the cut."""
    whole, cut = documents(len(stage().seen)), documents(60)
    assert len(cut) > 50
    assert whole[: len(cut)] == cut
    assert len(whole) > len(cut)


def test_who_joins_in_mid_race_forecasts_the_same_once_it_has_seen_enough() -> None:
    """Guards: a restart that changes what is said."""
    whole = {one["clock_ms"]: one for one in documents(len(stage().seen))}
    joined = documents(len(stage().seen), first=5)
    settled = [one for one in joined if one["clock_ms"] > (5 + 91) * EVERY_S * 1000]
    assert settled
    assert all(whole[one["clock_ms"]] == one for one in settled)


def test_a_short_hole_is_bridged_and_a_long_one_forgets_what_was_before() -> None:
    """Guards: seconds without states that are taken for a jump of all riders."""
    last = 70
    through = documents(last)[-1]
    bridged = documents(last, without=range(60, 64))[-1]
    forgotten = documents(last, without=range(40, 60))[-1]
    assert bridged["km_to_go"] == forgotten["km_to_go"] == through["km_to_go"]
    assert forgotten == documents(last, first=60)[-1]
    assert abs(bridged["finish"]["median_ms"] - through["finish"]["median_ms"]) < 60_000


def documents(last: int, first: int = 0, without: range = range(0)) -> list[dict]:
    """The forecasts of the simulated stage, as a forecaster makes them from its frames."""
    forecaster = Forecaster(course(), model(), start_ms=0)
    numbers = np.arange(1, 199)
    made = []
    for index in range(first, last):
        clock_ms = (index + 1) * EVERY_S * 1000
        if index in without or not forecaster.take(states(index), clock_ms):
            continue
        document = forecaster.forecast(clock_ms, numbers)
        if document is not None:
            made.append(document)
    return made


def states(index: int) -> np.ndarray:
    """RIDER_STATE (198,) with what the tracker saw."""
    seen = stage().seen[index]
    frame = np.zeros(len(seen), RIDER_STATE)
    frame["distance_m"], frame["gap_s"], frame["group"] = seen["distance_m"], seen["gap_s"], seen["group"]
    frame["quality"] = np.where(seen["finished"], 3, np.where(seen["group"] > 0, 0, 2))
    return frame
