"""The weather along the road: recorded, simulated, and how it reaches the riders."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking.service import Mistakes
from tracking.weather import Places, SimulatedWeather, places_along, read_weather
from tracking.weather.source import blowing

from tests.tracking.rides import START_MS, course

HEADER = "station,lat,lon,time,wind_ms,wind_from_deg,temperature_c,pressure_hpa,humidity_pct,rain_mm_h\n"
REPORTS = (
    HEADER
    + "Valley,46.0,5.0,2017-07-09T12:00:00+02:00,4,270,20,1000,50,0\n"
    + "Valley,46.0,5.0,2017-07-09T12:30:00+02:00,4,360,24,1000,50,1\n"
    + "Pass,46.5,5.0,2017-07-09T10:00:00+00:00,10,270,10,,,\n"
)
NOON_MS = 1_499_594_400_000
"""2017-07-09T12:00+02:00"""


def at(lat: float) -> Places:
    return Places(np.array([lat]), np.array([5.0]), np.zeros(1))


def written(folder: Path, text: str) -> Path:
    file = folder / "weather.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("from_deg", "east", "north"), [(270, 5, 0), (90, -5, 0), (0, 0, -5), (180, 0, 5), (225, 3.5355, 3.5355)]
)
def test_a_west_wind_blows_to_the_east(from_deg: float, east: float, north: float) -> None:
    """Guards: a tail wind told as a head wind."""
    np.testing.assert_allclose(blowing(np.array(5.0), np.array(from_deg)), (east, north), atol=1e-4)


def test_reports_count_where_and_when_they_were_made(tmp_path: Path) -> None:
    """Guards: the wind of the pass in the valley, of an hour ago, or turned the long way round."""
    weather = read_weather(written(tmp_path, REPORTS))
    assert weather.source == "recorded at Valley, Pass"
    valley = weather.at(at(46.0), NOON_MS)
    assert valley.east_ms[0] == pytest.approx(4, abs=0.01)
    assert valley.temperature_c[0] == pytest.approx(20, abs=0.05)
    assert valley.density[0] == pytest.approx(1.1826, abs=0.002), "of moist air at 20 °C and 1000 hPa"
    assert weather.at(at(46.5), NOON_MS).east_ms[0] == pytest.approx(10, abs=0.01)
    assert weather.at(at(46.25), NOON_MS).east_ms[0] == pytest.approx(7, abs=0.01)
    later = weather.at(at(46.0), NOON_MS + 900_000)
    assert (later.east_ms[0], later.north_ms[0]) == pytest.approx((2, -2), abs=0.02)
    assert later.rain_mm_h[0] == pytest.approx(0.5)


def test_what_no_report_is_near_in_time_is_not_known(tmp_path: Path) -> None:
    """Guards: the morning's wind in the evening."""
    weather = read_weather(written(tmp_path, REPORTS))
    for time_ms in (NOON_MS - 3_700_000, NOON_MS + 7_300_000):
        assert np.isnan(weather.at(at(46.0), time_ms).east_ms).all()
    two_hours = HEADER + "A,46,5,2017-07-09T12:00:00+02:00,4,0,,,,\nA,46,5,2017-07-09T16:00:00+02:00,8,0,,,,\n"
    held = read_weather(written(tmp_path, two_hours))
    assert held.at(at(46.0), NOON_MS + 1_800_000).north_ms[0] == pytest.approx(-4), "a report holds for an hour"
    assert np.isnan(held.at(at(46.0), NOON_MS + 7_200_000).north_ms[0])
    assert np.isnan(held.at(at(46.0), NOON_MS).density[0])


def test_a_weather_file_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    """Guards: knots, local times without offset, and one mistake a run."""
    file = written(
        tmp_path,
        HEADER
        + "A,46,5,2017-07-09T12:00:00+02:00,4,0,,,,\n"
        + "A,46,6,2017-07-09T12:00:00+02:00,400,0,,,,\n"
        + "B,46,5,2017-07-09 12:00,4,361,,,,\n"
        + "B,,5,noon,4,0,,3000,,\n",
    )
    with pytest.raises(Mistakes) as refused:
        read_weather(file)
    assert sorted(sentence.removeprefix(f"{file}: ") for sentence in refused.value.sentences) == [
        "line 3: lat, lon: the station stood elsewhere before; give it another name.",
        "line 3: time: the station has reported this moment before; keep one of the rows.",
        "line 3: wind_ms: '400' is no number from 0 to 75; correct it.",
        "line 4: time: '2017-07-09 12:00' has no offset from UTC such as +02:00; correct it.",
        "line 4: wind_from_deg: '361' is no number from 0 to 360; correct it.",
        "line 5: lat: is empty; fill it in.",
        "line 5: pressure_hpa: '3000' is no number from 600 to 1090; correct it.",
        "line 5: time: 'noon' is no time such as 2017-07-09T13:05:00+02:00; correct it.",
    ]


@given(st.integers(0, 10**6), st.integers(0, 20_000_000))
def test_simulated_weather_is_the_same_for_a_seed_and_changes_smoothly(seed: int, later_ms: int) -> None:
    """Guards: a wind that jumps from minute to minute or from place to place, and a race that cannot be repeated."""
    places = places_along(course("2023-09"))
    now = SimulatedWeather(seed).at(places, START_MS + later_ms)
    again = SimulatedWeather(seed).at(places, START_MS + later_ms)
    soon = SimulatedWeather(seed).at(places, START_MS + later_ms + 60_000)
    for name, most in (("east_ms", 1.0), ("north_ms", 1.0), ("temperature_c", 0.5), ("pressure_hpa", 0.1)):
        values = getattr(now, name)
        np.testing.assert_array_equal(values, getattr(again, name))
        assert np.isfinite(values).all()
        assert np.abs(getattr(soon, name) - values).max() < most
    assert np.abs(np.diff(now.east_ms)).max() < 5
    assert np.hypot(now.east_ms, now.north_ms).max() < 25
    assert (now.rain_mm_h >= 0).all()
    assert (now.density > 0.9).all()
    assert (now.density < 1.3).all()


def test_simulated_weather_says_so() -> None:
    """Guards: a wind that nobody felt, shown as if a station had measured it."""
    assert "simulated" in SimulatedWeather(1).source
