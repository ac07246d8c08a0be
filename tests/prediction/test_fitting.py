"""The regressions, their calibration and the scores, against cases that can be worked out by hand."""

import numpy as np
import pytest
from tracking.prediction.baselines import chapatte, fit_base_rate
from tracking.prediction.forecast import sharpened
from tracking.prediction.logistic import choice_shares, fit_choice, fit_logistic, sigmoid
from tracking.prediction.study.scores import brier, calibration_error, coverage, log_loss, reliability, sharpness, skill


def test_a_logistic_of_two_groups_finds_their_odds() -> None:
    """Guards: a regression that converges to something else. With 0 it happens to one of four, with 1 to three."""
    features = np.array([[0.0]] * 4 + [[1.0]] * 4)
    happened = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    fitted = fit_logistic(features, happened, ridge=1e-6, signs=[0])
    assert fitted.bias == pytest.approx(np.log(1 / 3), abs=1e-3)
    assert fitted.weights[0] == pytest.approx(2 * np.log(3), abs=1e-3)


def test_a_weight_with_the_wrong_sign_is_left_out() -> None:
    """Guards: a law that a small sample turns round."""
    features = np.array([[0.0, 1.0]] * 4 + [[1.0, 0.0]] * 4)
    features[:, 1] += np.array([0.1, -0.1] * 4)
    happened = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    fitted = fit_logistic(features, happened, ridge=0.01, signs=[-1, 0])
    assert fitted.weights[0] == 0.0
    assert fitted.weights[1] < 0


def test_separable_cases_do_not_run_away() -> None:
    """Guards: weights that grow without end where a feature tells everything."""
    fitted = fit_logistic(np.arange(8.0)[:, None], np.arange(8) > 3, ridge=1.0, signs=[1])
    assert np.isfinite(fitted.weights).all()
    assert (np.diff(sigmoid(fitted.log_odds(np.arange(8.0)[:, None]))) > 0).all()


def test_calibration_takes_back_what_was_overdone() -> None:
    """Guards: odds that stay too sure: what is said to be 10 to 1 is √10 to 1, so the slope is a half."""
    odds = np.log(10.0)
    said = np.repeat([odds, -odds], 1000)[:, None]
    true = np.sqrt(10.0) / (1 + np.sqrt(10.0))
    happened = np.concatenate((np.arange(1000) < 1000 * true, np.arange(1000) >= 1000 * true))
    fitted = fit_logistic(said, happened, ridge=1e-6, signs=[1])
    assert fitted.bias == pytest.approx(0.0, abs=0.01)
    assert fitted.weights[0] == pytest.approx(0.5, abs=0.01)


def test_a_choice_between_two_is_a_logistic_of_their_difference() -> None:
    """Guards: winners drawn from other chances than those that were seen: three of four times the one with the one."""
    cases = [(np.array([[0.0], [1.0]]), chosen) for chosen in (1, 1, 1, 0)] * 25
    weights = fit_choice(cases, ridge=1e-6, width=1)
    assert weights[0] == pytest.approx(np.log(3), abs=1e-3)
    assert choice_shares(np.array([[0.0], [1.0]]), weights) == pytest.approx([0.25, 0.75], abs=1e-3)


def test_scores_of_four_forecasts_by_hand() -> None:
    """Guards: a record that flatters."""
    probability, happened = np.array([0.1, 0.4, 0.8, 0.9]), np.array([False, True, True, True])
    assert brier(probability, happened) == pytest.approx((0.01 + 0.36 + 0.04 + 0.01) / 4)
    assert log_loss(probability, happened) == pytest.approx(-np.log(0.9 * 0.4 * 0.8 * 0.9) / 4)
    assert sharpness(probability) == pytest.approx(np.var([0.1, 0.4, 0.8, 0.9]))
    assert skill(0.1, 0.2) == pytest.approx(0.5)
    assert skill(0.3, 0.2) == pytest.approx(-0.5)
    assert np.isnan(skill(0.1, 0.0))


def test_reliability_counts_every_forecast_once() -> None:
    """Guards: a diagram that leaves out the sure ones, in which a forecast of 1 belongs to no bin."""
    probability = np.array([0.0, 0.05, 0.55, 1.0])
    bins = reliability(probability, np.array([False, True, True, True]))
    assert [(one.count, one.observed) for one in bins] == [(2, 0.5), (1, 1.0), (1, 1.0)]
    assert bins[0].forecast == pytest.approx(0.025)
    assert calibration_error(bins) == pytest.approx((2 * 0.475 + 0.45 + 0.0) / 4)


def test_chances_of_winners_are_drawn_together_and_stay_chances() -> None:
    """Guards: a favourite who stays as sure on a course that nobody has measured."""
    shares = sharpened(np.array([0.64, 0.16, 0.16, 0.04]), 0.5)
    assert shares == pytest.approx([4 / 9, 2 / 9, 2 / 9, 1 / 9])


def test_coverage_includes_the_ends() -> None:
    """Guards: an exact hit that counts as a miss."""
    assert coverage(np.array([1.0, 1.0]), np.array([2.0, 2.0]), np.array([2.0, 3.0])) == 0.5


def test_chapatte_takes_back_a_minute_in_ten_kilometres() -> None:
    """Guards: the rule the wrong way round."""
    assert chapatte(np.array([59.0, 61.0]), np.array([10.0, 10.0])).tolist() == [1.0, 0.0]


def test_the_base_rate_is_the_share_of_the_training_stages_from_so_far_out() -> None:
    """Guards: a base rate of another distance; one stage must not make it certain."""
    base_rate = fit_base_rate(np.array([9.0, 10.0, 50.0]), np.array([False, False, True]))
    assert base_rate.at(np.array([10.0, 50.0, 5.0, 999.0])) == pytest.approx([1 / 4, 2 / 3, 1 / 2, 1 / 2])
