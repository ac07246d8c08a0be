"""A time trial day in every shape in which it is told."""

import json
from datetime import UTC, datetime

import numpy as np
from tracking.briefing.roster import bare_roster
from tracking.briefing.stage import stage_course
from tracking.briefing.start_table import stage_starts
from tracking.feeds.deltas import applied, delta_of
from tracking.feeds.documents import SnapshotDocument
from tracking.feeds.moment import Moment
from tracking.feeds.race_2015 import race_2015
from tracking.feeds.race_center import pack, telemetry
from tracking.feeds.snapshot import Beside
from tracking.feeds.story import Story
from tracking.service import StageConfig
from tracking.time_trial import trial_of

from tests.feeds.races import STACK, STAGE, START_MS, config, frame

SECOND = 11_000
HOME, RIDING = 150, 20
"""Riders who have finished, and who are on the road, in the order of their starts."""


def stage(kind: str) -> StageConfig:
    start = datetime.fromtimestamp(START_MS / 1000, UTC).isoformat()
    return StageConfig.model_validate({**STAGE, "kind": kind, "race_start": start})


def story(kind: str) -> Story:
    day = stage(kind)
    starts = stage_starts(day, bare_roster(), None, None, None)
    trial = trial_of(day.kind, stage_course(day), bare_roster(), starts, START_MS)
    return Story(day, bare_roster(), {"split_s": 6.0, "join_s": 4.0}, trial=trial)


def told(kind: str, at: Story, second: int = SECOND) -> SnapshotDocument:
    """Riders start in reverse order: 150 are home, 20 ride, 28 wait."""
    moment = frame(second)
    riders = np.sort(moment.riders, order="rider")
    riders[:] = riders[::-1]
    order = np.arange(198)
    riders["quality"] = np.where(order < HOME, 3, 0)
    riders["gap_s"] = np.where(order < HOME + RIDING, order * 1.5 - 3.0, np.nan)
    riders["gap_m"] = np.nan
    riders["distance_m"][HOME + RIDING :] = 0.0
    riders["position"] = order + 1
    team = order // 9
    in_team = (kind == "team time trial") & (order >= HOME) & (order < HOME + RIDING)
    riders["group"] = np.where(in_team, team - team[HOME] + 1, 0)
    riders["group_id"] = np.where(in_team, team + 1, 0)
    moment.riders[:] = np.sort(riders, order="rider")
    return Moment(moment, stage(kind), STACK, at.beside()).document


def taken(rider: int, km: float, elapsed_s: float, kind: str = "time_check") -> bytes:
    said = {"time_ms": START_MS, "kind": kind, "group_id": 0, "other_group_id": None, "riders": [rider]}
    return json.dumps({**said, "km_to_go": 1.0, "text": "so", "km": km, "elapsed_s": elapsed_s}).encode()


def test_a_snapshot_ranks_at_each_check_and_says_who_rides_and_who_is_next() -> None:
    """Guards: times of one check in another's ranking; riders who wait among those who ride."""
    at = story("individual time trial")
    check_km, finish_km = (round(check.at_m / 1000, 3) for check in (at.trial.checks[0], at.trial.checks[-1]))  # type: ignore[union-attr]
    for rider, km, elapsed_s in ((219, check_km, 400.0), (218, check_km, 390.0), (219, finish_km, 900.0)):
        at.hear_event(taken(rider, km, elapsed_s, "best_time" if rider == 218 else "time_check"))
    snapshot = told("individual time trial", at)
    trial = snapshot["time_trial"]
    assert trial is not None
    assert snapshot["race"]["kind"] == "individual time trial"
    assert snapshot["groups"] == []
    first, last = trial["checks"][0], trial["checks"][-1]
    assert [(time["riders"], time["gap_s"]) for time in first["times"]] == [([218], 0.0), ([219], 10.0)]
    assert [time["elapsed_s"] for time in last["times"]] == [900.0]
    assert [event["kind"] for event in snapshot["events"]] == ["best_time"]
    assert len(trial["on_course"]) == RIDING
    assert trial["next"][0]["in_s"] > 0
    later = told("individual time trial", at, SECOND + 1)
    assert applied(snapshot, delta_of(snapshot, later)) == later


def test_older_clients_see_a_group_for_each_rider_on_the_road_and_nobody_who_waits() -> None:
    """Guards: a rider who waits at the start as the leader of the race, as no gap was none."""
    snapshot = told("individual time trial", story("individual time trial"))
    race = race_2015(snapshot, {})
    assert race is not None
    assert [group["GroupSize"] for group in race["Groups"]] == [1] * RIDING
    assert len(pack(snapshot)["groups"]) == RIDING
    riders = telemetry(snapshot, {})
    assert riders is not None
    assert len(riders["Riders"]) == HOME + RIDING
    json.dumps([race, riders], allow_nan=False)


def test_a_team_is_a_group_with_its_name() -> None:
    """Guards: a team that is called the peloton."""
    snapshot = told("team time trial", story("team time trial"))
    assert {group["name"] for group in snapshot["groups"]} <= {
        f"Team of riders {10 * team + 1} to {10 * team + 9}" for team in range(22)
    }
    assert snapshot["groups"]
    assert snapshot["time_trial"] is not None
    assert snapshot["time_trial"]["counted"] == 5  # in 2017 teams are of nine


def test_a_road_stage_has_no_time_trial() -> None:
    """Guards: a panel of times on a day without them."""
    day = Moment(frame(100), config().stage, STACK, Beside()).document
    assert day["time_trial"] is None
    assert day["race"]["kind"] == "road"
