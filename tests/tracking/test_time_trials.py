"""Time trials: the start order, and gaps as differences of elapsed times, against truth that plain Python computes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tracking.briefing.briefing import BriefingConfig
from tracking.briefing.race_day import race_day
from tracking.briefing.riders import start_list
from tracking.briefing.roster import Entrant, Roster, bare_roster
from tracking.briefing.start_order import Starts, individual_starts, team_starts
from tracking.briefing.start_table import read_starts
from tracking.feeds.documents import EventDocument
from tracking.feeds.trial_view import trial_document
from tracking.kernel import Tracker
from tracking.kernel.checkpoint import CheckpointError
from tracking.live import LiveRace, RaceDay
from tracking.race_events import RaceEvent
from tracking.records import FINISHED, FRESH, LOST
from tracking.replay.__main__ import main
from tracking.service import Mistakes, StageConfig
from tracking.simulation.simulator import Recording, record_stage
from tracking.time_trial import TrialEvents, trial_of
from tracking.transport.wire import Batch, RaceStatus

from tests.tracking.rides import START_MS, course
from tests.tracking.test_standing import on_the_road, straight_road

ROAD = course("2022-01")
NUMBERS: list[int] = start_list().tolist()


def ridden(starts: Starts, metres: np.ndarray) -> np.ndarray:
    """RIDER_STATE (t, n) of riders 1 to n who are at `metres` (t, n) second by second."""
    tracker = Tracker(straight_road(), np.arange(1, metres.shape[1] + 1), START_MS, starts=starts)
    tracker.set_classification(np.arange(1, metres.shape[1] + 1), np.zeros(metres.shape[1]))
    tracker.set_yellow(1)
    frames = []
    for second, distance in enumerate(metres):
        tracker.ingest(on_the_road(distance, START_MS + second * 1000))
        frames.append(tracker.frame(START_MS + second * 1000))
    return np.array(frames)


def test_three_riders_against_the_clock() -> None:
    """Guards: a gap that is a distance on the road, or the time since another rode by. All numbers are a pencil's."""
    starts, speeds = Starts(np.array([0.0, 60.0, 120.0]), np.arange(3), 1), np.array([10.0, 12.5, 8.0])
    metres = np.maximum(np.arange(400.0)[:, None] - starts.offset_s, 0.0) * speeds
    frames = ridden(starts, metres)
    first, second, third = frame = frames[-1]
    assert second["gap_s"] == 0  # nobody else has been there
    assert frames[300]["gap_s"][1] == pytest.approx(240 - 3000 / 10, abs=0.1)  # ahead of the first there
    assert first["gap_s"] == pytest.approx(399 - 3990 / 12.5, abs=0.1)  # the second was faster here
    assert third["gap_s"] == pytest.approx(279 - 2232 / 12.5, abs=0.1)
    assert frame["position"].tolist() == [2, 1, 3]
    assert first["gap_previous_s"] == pytest.approx(first["gap_s"] - second["gap_s"], abs=0.01)
    assert third["gap_yellow_s"] == pytest.approx(third["gap_s"] - first["gap_s"], abs=0.01)
    assert third["virtual_rank"] == 3
    assert third["virtual_gap_s"] == pytest.approx(third["gap_s"] - second["gap_s"], abs=0.01)
    assert third["speed_average_ms"] == pytest.approx(8.0, abs=0.05)
    assert not frame["group"].any()
    assert np.isnan(frame["gap_m"]).all()


def test_who_waits_stands_at_the_start_behind_all_others() -> None:
    """Guards: a rider who warms up on the course is taken for the leader."""
    starts = Starts(np.array([0.0, 600.0, 300.0]), np.arange(3), 1)
    metres = np.arange(200.0)[:, None] * np.array([10.0, 12.0, 13.0])
    frame = ridden(starts, metres)[-1]
    assert frame["position"].tolist() == [1, 3, 2]
    assert frame["distance_m"].tolist() == [pytest.approx(1990, abs=2), 0.0, 0.0]
    assert np.isnan(frame["gap_s"]).tolist() == [False, True, True]
    assert frame["quality"].tolist() == [FRESH, FRESH, FRESH]
    assert frame["virtual_rank"].tolist() == [1, 0, 0]


def test_a_team_has_the_time_of_the_rider_who_counts() -> None:
    """Guards: the first of a team, or one who was dropped, decides its time."""
    starts = Starts(np.array([0.0] * 4 + [120.0] * 4), np.array([0] * 4 + [4] * 4), 3)
    speeds, behind = np.array([12.0] * 4 + [12.5] * 4), np.array([0.0, 5.0, 10.0, 400.0, 0.0, 5.0, 24.0, 30.0])
    metres = np.maximum(np.maximum(np.arange(500.0)[:, None] - starts.offset_s, 0.0) * speeds - behind, 0.0)
    frame = ridden(starts, metres)[-1]
    place_m = 379 * 12.5 - 24.0
    team_s = 379 - (place_m + 10.0) / 12.0
    assert frame["gap_s"][4:] == pytest.approx([team_s] * 4, abs=0.15)
    assert frame["gap_s"][3] - frame["gap_s"][0] > 20
    assert frame["position"].tolist() == [5, 6, 7, 8, 1, 2, 3, 4]
    assert frame["group"].tolist() == [2] * 4 + [1] * 4
    assert frame["group_id"].tolist() == [1] * 4 + [5] * 4


@dataclass(frozen=True)
class Tracked:
    """A whole simulated time trial."""

    starts: Starts
    recording: Recording
    states: np.ndarray
    """RIDER_STATE (T, 198)."""

    @property
    def seconds(self) -> np.ndarray:
        """(T,) since the start of the race."""
        return (self.states["time_ms"][:, 0] - self.recording.start_ms) / 1000

    def counted(self, unit: int) -> np.ndarray:
        """(T,) metres of the rider whose time is the unit's."""
        members = np.flatnonzero(self.starts.unit == unit)
        return np.sort(self.recording.distance[:, members], axis=1)[:, -min(self.starts.counted, len(members))]


def tracked(starts: Starts) -> Tracked:
    recording = record_stage(ROAD, seed=5, start_ms=START_MS, starts=starts)
    tracker = Tracker(ROAD, start_list(), START_MS, starts=starts)
    states = []
    for clock_ms, readings in recording.batches():
        tracker.ingest(readings)
        states.append(tracker.frame(clock_ms))
    return Tracked(starts, recording, np.array(states))


@cache
def individual() -> Tracked:
    return tracked(individual_starts(NUMBERS))


@cache
def by_teams() -> Tracked:
    return tracked(team_starts(NUMBERS, [None] * len(NUMBERS), 4))


def elapsed_s(way: np.ndarray, seconds: np.ndarray, start_s: float, place_m: float) -> float:
    """When a place was passed, seconds after the own start; infinite where it was not."""
    after = int(np.searchsorted(way, place_m))
    if after == len(way):
        return np.inf
    before_m, after_m = way[after - 1], way[after]
    return seconds[after - 1] + (place_m - before_m) / (after_m - before_m) - start_s


def errors_of(race: Tracked) -> tuple[np.ndarray, np.ndarray]:
    """Gaps less the true ones, seconds, of riders under way and of those who have finished, at moments by lot."""
    seconds, starts = race.seconds, race.starts
    ways = {unit: race.counted(unit) for unit in np.unique(starts.unit).tolist()}
    lot, errors, finished = np.random.default_rng(1), [], []
    for t in lot.integers(120, len(seconds), 1500).tolist():
        i = int(lot.integers(0, len(NUMBERS)))
        state, unit = race.states[t, i], int(starts.unit[i])
        way, own_s = ways[unit], seconds[t] - starts.offset_s[i]
        if own_s < 20 or (way[t] >= ROAD.length_m and state["quality"] != FINISHED):
            continue
        if state["quality"] != FINISHED and abs(state["distance_m"] - way[t]) > 40:
            continue  # not with the rider who counts
        place_m = min(way[t], ROAD.length_m)
        own_s = elapsed_s(way, seconds, starts.offset_s[i], ROAD.length_m) if place_m == ROAD.length_m else own_s
        passed = [
            elapsed_s(other, seconds, starts.offset_s[number], place_m)
            for number, other in ways.items()
            if other[t] >= place_m and (number != unit or place_m == ROAD.length_m)
        ]
        (finished if state["quality"] == FINISHED else errors).append(
            float(state["gap_s"]) - (own_s - min(passed, default=own_s))
        )
    return np.array(errors), np.array(finished)


def test_gaps_of_a_whole_individual_time_trial_are_differences_of_elapsed_times() -> None:
    """Guards: gaps that are held against another place, another start or the rider who is in front on the road."""
    underway, finished = errors_of(individual())
    assert len(underway) > 80
    assert len(finished) > 400
    assert np.median(np.abs(underway)) < 0.4
    assert np.quantile(np.abs(underway), 0.95) < 1.5
    assert np.median(np.abs(finished)) < 0.8
    assert np.abs(finished).max() < 6.0


def test_gaps_of_a_whole_team_time_trial_are_those_of_the_riders_who_count() -> None:
    """Guards: a team that is timed at its first rider, or at a radio's hole."""
    underway, _ = errors_of(by_teams())
    assert len(underway) > 150
    assert np.median(np.abs(underway)) < 0.4
    assert np.quantile(np.abs(underway), 0.95) < 1.5


def test_a_prologue_of_198_riders_lasts_three_and_a_half_hours_and_is_ridden_as_fast_as_real_ones() -> None:
    """Guards: a field that sets off together, or rides alone as fast as in a bunch."""
    race = individual()
    took_s = race.recording.finished.argmax(axis=0) - 60 - race.starts.offset_s
    assert 3.4 * 3600 < len(race.recording.distance) < 4 * 3600
    assert 46 < 3.6 * ROAD.length_m / took_s.min() < 54
    assert 40 < 3.6 * ROAD.length_m / took_s.max() < 48
    team_s = by_teams().recording.finished.argmax(axis=0) - 60 - by_teams().starts.offset_s
    assert team_s.min() < took_s.min()


def test_a_ranking_at_the_end_is_that_of_the_times() -> None:
    """Guards: a ranking by the order in which the line was crossed."""
    race = individual()
    took_s = np.array(
        [
            elapsed_s(race.recording.distance[:, i], race.seconds, race.starts.offset_s[i], ROAD.length_m)
            for i in range(198)
        ]
    )
    last = race.states[-1]
    assert (last["quality"] == FINISHED).all()
    places = np.argsort(np.argsort(took_s)) + 1
    assert np.abs(places - last["position"]).mean() < 4
    told_s = (last["seen_ms"] - START_MS) / 1000 - race.starts.offset_s
    assert (np.diff(told_s[np.argsort(last["position"])]) >= 0).all()


def batches(recording: Recording, until: int) -> list[Batch]:
    told = list(recording.batches())[:until]
    return [Batch(1, number, clock_ms * 1_000_000, readings) for number, (clock_ms, readings) in enumerate(told)]


def test_a_processor_that_goes_on_from_a_checkpoint_tells_the_same() -> None:
    """Guards: best times, own starts or teams that are not in the checkpoint; one of other starts is taken over."""
    for race in (individual(), by_teams()):
        day = RaceDay(ROAD, START_MS, 1.0, starts=race.starts)
        through, again = LiveRace(day, 1), None
        for number, batch in enumerate(batches(race.recording, 2400)):
            if number == 1700:
                again = LiveRace.restored(day, through.checkpoint())
            through.take(batch)
            told = through.frame(0)
            if again is not None:
                again.take(batch)
                repeated = again.frame(0)
                assert (told is None) == (repeated is None)
                assert told is None or told.riders.tobytes() == repeated.riders.tobytes()
        assert told is not None
        assert told.status is RaceStatus.LIVE
        later = Starts(race.starts.offset_s + 1.0, race.starts.unit, race.starts.counted)
        with pytest.raises(CheckpointError, match="other start times"):
            LiveRace.restored(RaceDay(ROAD, START_MS, 1.0, starts=later), through.checkpoint())


def test_a_race_goes_on_while_the_first_are_home_and_others_wait() -> None:
    """Guards: a stage that is told to be over when the first riders are home and the next are not heard."""
    road, starts = straight_road(), Starts(np.array([0.0, 3600.0]), np.arange(2), 1)
    race = LiveRace(RaceDay(road, START_MS, 1.0, Roster((Entrant(1, 1), Entrant(2, 2))), starts=starts), 1)
    for second in range(1000):
        race.take(
            Batch(1, second, 0, on_the_road(np.array([min(15.0 * second, road.length_m)]), START_MS + second * 1000))
        )
        frame = race.frame(0)
    assert frame is not None
    assert frame.riders["quality"].tolist() == [FINISHED, LOST]
    assert frame.status is RaceStatus.LIVE


def test_the_best_start_last_and_two_minutes_apart() -> None:
    """Guards: a start order that depends on anything but its rule."""
    starts = individual_starts(list(range(1, 21)), classified=[7, 3])
    assert starts.offset_s[[6, 2, 0, 1]].tolist() == [1680, 1560, 1440, 1320]
    assert sorted(starts.offset_s)[:12] == [60.0 * minute for minute in range(11)] + [720.0]
    assert starts.offset_s[19] == 0
    assert starts.counted == 1


def test_teams_start_five_minutes_apart_and_that_of_the_leader_last() -> None:
    """Guards: riders of one team who are timed apart."""
    starts = team_starts([1, 2, 11, 12, 21], [None] * 5, 4, classified=[12])
    assert starts.offset_s.tolist() == [300, 300, 600, 600, 0]
    assert starts.unit.tolist() == [0, 0, 2, 2, 4]
    assert team_starts([1, 2, 11], ["B", "A", "B"], 4).unit.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="not in blocks"):
        team_starts([9, 10], [None] * 2, 4)


def stage(kind: str, edition: int = 2017) -> StageConfig:
    return StageConfig(
        edition=edition,
        number=1,
        start="A",
        finish="B",
        race_start="2017-07-01T13:55:00+02:00",  # type: ignore[arg-type]
        official_km=13.2,
        course=Path(__file__).parents[2] / "stacks" / "courses" / "2022-01.geojson",
        kind=kind,  # type: ignore[arg-type]
    )


def test_a_start_table_goes_before_the_rule_and_all_its_mistakes_come_at_once(tmp_path: Path) -> None:
    """Guards: riders who start at another time than the table says; a table that is mended mistake by mistake."""
    rows = [
        f"{number},2017-07-01T14:{index // 60 + 10}:{index % 60:02d}+02:00," for index, number in enumerate(NUMBERS)
    ]
    good, bad = tmp_path / "starts.csv", tmp_path / "bad.csv"
    good.write_text("\n".join(["rider,starts_at,offset_s", *rows]))
    day = race_day(stage("individual time trial"), 1.0, BriefingConfig(starts=good))
    assert day.starts is not None
    assert day.starts.offset_s[:2].tolist() == [900, 901]
    assert race_day(stage("road"), 1.0, BriefingConfig()).starts is None
    bad.write_text(
        "rider,starts_at,offset_s\n1,2017-07-01T13:50:00+02:00,\n2,,-5\n2,,60\n3,,\n4,yesterday,3\n1000,,0\nx,,1\n"
    )
    with pytest.raises(Mistakes) as mistakes:
        read_starts(bad, [1, 2, 3, 4, 5], day.start_ms)
    text = str(mistakes.value)
    for said in (
        "line 2: starts_at: is before the start",
        "line 3: offset_s: '-5' is no number",
        "line 4: rider: 2 is in line 3 too",
        "line 5: says no start",
        "line 6: starts_at: 'yesterday' is no time",
        "line 6: says both",
        "line 7: rider: 1000 is not on the start list",
        "line 8: rider: x is not",
        "rider 5: has no start",
    ):
        assert said in text


def test_a_team_that_starts_apart_is_refused_and_its_time_is_that_years(tmp_path: Path) -> None:
    """Guards: half a team that is timed from another start; the fifth rider's time in a year of the fourth's."""
    table = tmp_path / "starts.csv"
    table.write_text("\n".join(["rider,offset_s", *(f"{number},{number // 10 * 300}" for number in NUMBERS)]))
    kind = "team time trial"
    days = [race_day(stage(kind, edition), 1.0, BriefingConfig(starts=table)) for edition in (2015, 2018)]
    assert [day.starts.counted for day in days if day.starts] == [5, 4]
    fixed = race_day(stage(kind), 1.0, BriefingConfig(counted=3)).starts
    assert fixed is not None
    assert fixed.counted == 3
    table.write_text(table.read_text().replace("\n2,0\n", "\n2,10\n"))
    with pytest.raises(Mistakes, match="rider 2: starts apart from rider 1"):
        race_day(stage(kind), 1.0, BriefingConfig(starts=table))


def test_times_catches_and_what_comes_next_are_told_as_they_are() -> None:
    """Guards: a time at a check that is another rider's or another place's, or that is told twice over a restart."""
    race = individual()
    trial = trial_of("individual time trial", ROAD, bare_roster(), race.starts, START_MS)
    assert trial is not None
    events, told = TrialEvents(trial), list[RaceEvent]()
    for t, states in enumerate(race.states):
        if t == 6000:
            events = TrialEvents(trial, json.loads(json.dumps(events.memory())))
        told += events.follow(states)
    times = [event for event in told if event.elapsed_s is not None]
    assert len({(event.km, event.riders) for event in times}) == len(times) >= 0.95 * 3 * len(NUMBERS)
    errors = []
    for event in times:
        assert event.km is not None
        assert event.elapsed_s is not None
        i = NUMBERS.index(event.riders[0])
        way, start_s = race.recording.distance[:, i], race.starts.offset_s[i]
        errors.append(event.elapsed_s - elapsed_s(way, race.seconds, start_s, event.km * 1000))
    assert np.median(np.abs(errors)) < 0.5
    assert np.abs(errors).max() < 10
    finish = [event for event in times if event.km == ROAD.length_m / 1000]
    bests = [event.elapsed_s for event in finish if event.kind == "best_time"]
    assert bests == sorted(bests, reverse=True)
    caught = {event.riders[0] for event in told if event.kind == "caught"}
    way = race.recording.distance
    behind = {
        NUMBERS[i + 1] for i in range(197) if (way[:, i] > way[:, i + 1] + 20)[way[:, i + 1] < ROAD.length_m].any()
    }
    assert behind <= caught

    documents: list[EventDocument] = [json.loads(event.as_json()) for event in times]
    moment = 5000
    clock_ms = int(race.states[moment]["time_ms"][0])
    known = [event for event in documents if event["time_ms"] <= clock_ms]
    document = trial_document(trial, race.states[moment], known, UTC)
    assert [check["name"] for check in document["checks"]] == ["km 4.4", "km 8.8", "Finish"]
    assert [time["elapsed_s"] for time in document["checks"][-1]["times"]] == sorted(
        round(event["elapsed_s"] or 0.0, 1) for event in known if event["km"] == ROAD.length_m / 1000
    )[:10]
    riding = np.flatnonzero((way[moment] > 0) & (way[moment] < ROAD.length_m))
    assert {NUMBERS[i] for i in riding} >= {entry["riders"][0] for entry in document["on_course"]}
    following = sorted((race.starts.offset_s[i], NUMBERS[i]) for i in range(198) if way[moment, i] == 0)[:5]
    assert [entry["riders"][0] for entry in document["next"]] == [number for _, number in following]


def test_a_recorded_time_trial_is_judged_by_its_start_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards: a recording whose riders start one by one, ridden as if all had."""
    race = individual()
    readings = race.recording.readings
    few = np.isin(readings["device"], NUMBERS[-3:])
    columns = [readings[name][few] for name in ("device", "time_ms", "lat", "lon")]
    lines = [",".join(map(str, row)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    recording, starts, out = tmp_path / "itt.csv", tmp_path / "starts.csv", tmp_path / "states.parquet"
    recording.write_text("\n".join(["rider,time_ms,lat,lon", *lines]))
    at = [datetime.fromtimestamp(START_MS / 1000 + race.starts.offset_s[i], UTC).isoformat() for i in (195, 196, 197)]
    starts.write_text("rider,starts_at\n" + "\n".join(f"{NUMBERS[195 + i]},{at[i]}" for i in range(3)))
    course_file = str(Path(__file__).parents[2] / "stacks" / "courses" / "2022-01.geojson")
    asked = [str(recording), "--course", course_file, "--out", str(out), "--starts", str(starts)]
    assert main(asked) == 0
    states = pl.read_parquet(out).filter(pl.col("quality").cast(pl.String) == "finished")
    told = {row["rider"]: row["gap_s"] for row in states.group_by("rider").last().to_dicts()}
    took = {
        NUMBERS[i]: elapsed_s(race.recording.distance[:, i], race.seconds, race.starts.offset_s[i], ROAD.length_m)
        for i in (195, 196, 197)
    }
    for rider, seconds in took.items():
        assert told[rider] == pytest.approx(seconds - min(took.values()), abs=2.0)
    starts.write_text(f"rider,starts_at\n{NUMBERS[195]},{at[0]}\n999,{at[1]}\n")
    capsys.readouterr()
    assert main(asked) == 2
    refused = capsys.readouterr().err
    assert "999 is not on the start list" in refused
    assert f"rider {NUMBERS[197]}: has no start" in refused
