"""When a recorded race began, found in the readings alone."""

import numpy as np
import pytest
from tracking.records import READING
from tracking.replay.start import line_crossed
from tracking.simulation.simulator import record_stage

from tests.tracking.rides import START_MS, course, laps_stage, ride


@pytest.mark.parametrize("sampling_s", [1, 2, 5, 10])
def test_the_start_is_found_although_159_bikes_report_the_depot(sampling_s: int) -> None:
    """Guards: a start at the first reading, or at the moment of the devices that hang in the depot."""
    readings = laps_stage().readings[: laps_stage().arrived[1500]]
    sampled = readings[(readings["time_ms"] // 1000 + readings["device"]) % sampling_s == 0]
    assert line_crossed(course("2022-21"), sampled) == pytest.approx(START_MS, abs=12_000)


@pytest.mark.parametrize("name", ["2022-01", "2022-12", "2023-09"])
def test_the_start_is_found_on_other_roads(name: str) -> None:
    """Guards: what suits one course only."""
    stage = record_stage(course(name), seed=4, start_ms=START_MS, lead_in_s=600, hours=0.3)
    order = np.random.default_rng(1).permutation(len(stage.readings))
    assert line_crossed(course(name), stage.readings[order]) == pytest.approx(START_MS, abs=12_000)


def test_a_rolling_start_is_where_the_field_crosses_kilometre_0() -> None:
    """Guards: a neutral zone that counts as the race, and riders who appear after an hour as its start."""
    road = course("2022-12")
    field = [ride(road, device, np.maximum(11.0 * np.arange(-60.0, 600.0), 0) - device, START_MS - 60_000, 1)
             for device in range(1, 60)]  # fmt: skip
    late = [ride(road, device, 9000 + 11.0 * np.arange(300.0), START_MS + 3_000_000, 1) for device in range(60, 90)]
    wild = field[0][:3].copy()
    wild["time_ms"] -= 3_600_000
    wild["lat"], wild["lon"] = road.lat[300], road.lon[300]
    found = line_crossed(road, np.concatenate([*late, *field, wild]))
    assert found == pytest.approx(START_MS, abs=8_000)


def test_readings_without_a_start_are_told_so() -> None:
    """Guards: a time that nothing supports."""
    road = course("2022-21")
    assert line_crossed(road, ride(road, 1, 50_000 + 11.0 * np.arange(500.0), START_MS, 1)) is None
    assert line_crossed(road, np.zeros(0, READING)) is None
