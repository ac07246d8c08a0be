"""What a day's files change in a race."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tracking.briefing.briefing import BriefingConfig
from tracking.briefing.race_day import race_day
from tracking.live import LiveRace
from tracking.race_control import BikeChange, Decision, JerseyWorn, Withdrawal
from tracking.service import Mistakes, StageConfig
from tracking.weather import SimulatedWeather

from tests.tracking_transport.field import RACE_START_MS
from tests.tracking_transport.harness import stage_config
from tests.tracking_transport.test_live import RUN, seconds

LOST = 2
STAGE = StageConfig.model_validate(stage_config())


def briefing(folder: Path, **files: str) -> BriefingConfig:
    """With a file for each table that is given."""
    paths = {}
    for name, text in files.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text(text)
    weather = {"file": paths.pop("weather")} if "weather" in paths else {"seed": 7}
    return BriefingConfig.model_validate({**paths, "weather": weather})


def test_a_day_without_files_is_raced_as_before() -> None:
    """Guards: a lab that needs files which nobody has."""
    day = race_day(STAGE, 1.0, BriefingConfig())
    assert len(day.roster.entrants) == 198
    assert (day.classification, day.weather) == (None, None)
    race = LiveRace(day, RUN)
    for batch in seconds(1, 20):
        race.take(batch)
    frame = race.frame(now_ns=0)
    assert frame is not None
    assert (frame.riders["virtual_rank"] == 0).all()
    assert np.isnan(frame.riders["head_wind_ms"]).all()


def test_a_days_files_reach_the_riders(tmp_path: Path) -> None:
    """Guards: a classification, a yellow jersey or a wind that is read and forgotten."""
    rows = "\n".join(f"{rider},{10 * place}" for place, rider in enumerate((45, 1, 2, 3)))
    day = race_day(STAGE, 1.0, briefing(tmp_path, classification=f"rider,behind_s\n{rows}\n"))
    assert isinstance(day.weather, SimulatedWeather)
    race = LiveRace(day, RUN)
    for batch in seconds(1, 60):
        race.take(batch)
    frame = race.frame(now_ns=0)
    assert frame is not None
    by_rider = {int(state["rider"]): state for state in frame.riders}
    assert by_rider[1]["virtual_rank"] == 1, "in the breakaway, 25 s in front of the leader"
    assert by_rider[45]["gap_yellow_s"] == 0
    assert by_rider[1]["gap_yellow_s"] < -20
    assert np.isfinite(frame.riders["head_wind_ms"]).all()


def test_a_race_goes_on_from_a_checkpoint_with_wind_and_classification(tmp_path: Path) -> None:
    """Guards: a minute without wind, or ranks that begin anew, after a restart."""
    day = race_day(STAGE, 1.0, briefing(tmp_path, classification="rider,behind_s\n45,0\n1,30\n"))
    through = LiveRace(day, RUN)
    for batch in seconds(1, 70):
        through.take(batch)
    restored = LiveRace.restored(day, through.checkpoint())
    for batch in seconds(71, 130):
        through.take(batch)
        restored.take(batch)
    a, b = through.frame(now_ns=0), restored.frame(now_ns=0)
    assert a is not None
    assert b is not None
    assert a.riders.tobytes() == b.riders.tobytes()


def test_devices_ride_with_who_the_start_list_says(tmp_path: Path) -> None:
    """Guards: a rider followed by the device of another."""
    roster = "number,device\n" + "\n".join(f"{500 + device},{device}" for device in range(1, 10))
    day = race_day(STAGE, 1.0, briefing(tmp_path, roster=roster))
    race = LiveRace(day, RUN)
    for batch in seconds(1, 20):
        race.take(batch)
    frame = race.frame(now_ns=0)
    assert frame is not None
    assert frame.riders["rider"].tolist() == list(range(501, 510))
    assert (frame.riders["quality"] == 0).all()


def test_all_files_are_refused_at_once(tmp_path: Path) -> None:
    """Guards: one file corrected a start, on the morning of the race."""
    wrong = briefing(tmp_path, roster="number\n0\n", classification="rider\n1\n", weather="station\nA\n")
    with pytest.raises(Mistakes) as refused:
        race_day(STAGE.model_copy(update={"course": tmp_path / "missing.geojson"}), 1.0, wrong)
    for file in ("missing.geojson", "roster.csv", "classification.csv", "weather.csv"):
        assert any(file in sentence for sentence in refused.value.sentences), file


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": {"split_s": 3.0}},
        {"groups": {"split_s": 3.0, "join_s": 0}},
        {"weather": {"file": "/a.csv", "seed": 1}},
        {"names": "/a.csv"},
    ],
)
def test_a_briefing_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    """Guards: groups that flicker all day because of one figure."""
    with pytest.raises(ValidationError):
        BriefingConfig.model_validate(wrong)


def test_weather_comes_from_the_recorded_minute(tmp_path: Path) -> None:
    """Guards: the weather of the wall clock in a race that is replayed."""
    text = "station,lat,lon,time,wind_ms,wind_from_deg\nA,45.7,5.8,2017-07-09T11:00:00+02:00,5,270\n"
    day = race_day(STAGE, 1.0, briefing(tmp_path, weather=text))
    assert day.weather is not None
    race = LiveRace(day, RUN)
    for batch in seconds(1, 20):
        race.take(batch)
    frame = race.frame(now_ns=0)
    assert frame is not None
    assert frame.clock_ms - RACE_START_MS == 20_000
    np.testing.assert_allclose(np.hypot(frame.riders["head_wind_ms"], frame.riders["cross_wind_ms"]), 5, atol=0.01)


def test_decisions_take_effect_in_the_race() -> None:
    """Guards: a new bike that rides as a stranger, and a rider who has gone home and still leads."""
    race = LiveRace(race_day(STAGE, 1.0, BriefingConfig()), RUN)
    decisions: tuple[Decision, ...] = (
        BikeChange(device=700, rider=1, from_ms=RACE_START_MS + 20_000),
        Withdrawal(rider=2, at_ms=RACE_START_MS + 20_000),
        JerseyWorn(jersey="yellow", rider=45),
        Withdrawal(rider=999, at_ms=RACE_START_MS + 20_000),
    )
    for batch in seconds(1, 90):
        if batch.seq == 21:
            for decision in decisions:
                race.decide(decision)
        if batch.seq > 20:
            readings = batch.readings.copy()
            readings["device"][readings["device"] == 1] = 700
            batch = replace(batch, readings=readings)
        race.take(batch)
    frame = race.frame(now_ns=0)
    assert frame is not None
    by_rider = {int(state["rider"]): state for state in frame.riders}
    assert by_rider[1]["quality"] == 0
    assert by_rider[2]["quality"] == LOST
    assert by_rider[45]["gap_yellow_s"] == 0
