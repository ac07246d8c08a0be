"""On which leg of the road a rider is: hairpins, the way back, laps and crossings, under noise, outliers and holes."""

import pytest
from tracking.course import Course

from tests.bench.wrong_leg import Conditions, measure, synthetic_roads
from tests.tracking.rides import course

ROADS: dict[str, Course] = synthetic_roads()
ROUGH = Conditions(hole_every_s=120)
"""More holes than the bench has: a short ride meets as many."""


@pytest.mark.parametrize("name", ROADS)
def test_nobody_is_assigned_to_another_leg(name: str) -> None:
    """Guards: the nearest road being taken for the right one."""
    measured = measure(ROADS[name], ROUGH, seed=1)
    assert measured.assignments > 0.97 * measured.sent
    assert measured.wrong <= measured.assignments / 100_000


@pytest.mark.parametrize("name", ["2022-12", "2022-21"])
def test_nobody_jumps_on_real_hairpins_and_laps(name: str) -> None:
    """Guards: thresholds that suit drawn roads only."""
    measured = measure(course(name), ROUGH, seed=2, seconds=7000)
    assert measured.wrong <= measured.assignments / 100_000


@pytest.mark.parametrize("sampling_s", [2, 5, 10])
def test_other_samplings_jump_no_more(sampling_s: int) -> None:
    """Guards: windows and gates that know only one reading a second."""
    measured = measure(ROADS["hairpins"], Conditions(sampling_s=sampling_s), seed=3)
    assert measured.assignments > 0.8 * measured.sent
    assert measured.wrong <= measured.assignments / 10_000
