"""Small clients as they were written for the race's earlier feeds, pointed at this one unchanged."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tracking.feeds.gate import ANONYMOUS

from tests.feeds.races import START_MS, Served, frame

MONTH_S = 30 * 86_400


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served().running() as it:
        it.call(it.feed._story.hear_decision, b'{"kind": "jersey", "jersey": "yellow", "rider": 14}')
        it.show(frame(300))
        yield it


def test_a_commentator_of_2015_prints_the_race(served: Served) -> None:
    """Guards: a name, a unit or a nesting that is not what clients of 2015 read. This one polls, prints the head of the
    race, each group with its gap, and each rider with a name from the list of riders.
    """
    api = httpx.Client(base_url=served.address, headers={"Accept-Encoding": "gzip, deflate"})
    stage = api.get("/race/stages/current").json().get("StageId")
    road = [(point["Latitude"], point["Longitude"]) for point in api.get(f"/race/stages/{stage}/route").json()]
    assert len(road) > 100
    names = {rider["Id"]: f"{rider['LastName']}, {rider['FirstName']}" for rider in api.get("/rider").json()}
    race = api.get("/race/").json()
    head = race["Groups"][0]["Riders"][0]
    lines = [f"head of the race: {head['DistanceToFinish']:.1f} km to go / current speed: {head['CurrentSpeed']} km/h"]
    first_km = race["Groups"][0]["GroupDistanceToFinish"]
    wearers = []
    for group in race["Groups"]:
        gap = group["GapToLeadingGroupT"]
        behind_km = group["GroupDistanceToFinish"] - first_km
        time = f"{int(gap // 60)}:{int(gap % 60):02d}"
        lines.append(f"{group['GroupName']}: {group['GroupSize']} riders, {behind_km:.1f} km, {time}")
        assert [rider["PositionInTheGroup"] for rider in group["Riders"]] == list(range(1, group["GroupSize"] + 1))
        wearers += [rider["Id"] for rider in group["Riders"] if rider["HasYellowJersey"]]
        assert all(rider["Id"] in names for rider in group["Riders"])
    assert lines[0] == "head of the race: 127.9 km to go / current speed: 46.7 km/h"
    assert lines[1:3] == ["Breakaway: 6 riders, 0.0 km, 0:00", "Chase 1: 3 riders, 0.7 km, 1:00"]
    assert wearers == [14]
    assert isinstance(race["TimeStampEpochInt"], int)
    assert race["RaceDistanceToFinish"] == first_km


def test_a_page_of_2015_shows_its_table(served: Served) -> None:
    """Guards: a classification that is null, where the page splits it; riders in another order than the race's."""
    riders = {rider["Id"]: rider for rider in httpx.get(f"{served.address}/rider").json()}
    race = httpx.get(f"{served.address}/race").json()
    shown = sorted(
        (rider for group in race["Groups"] for rider in group["Riders"]), key=lambda r: r["PositionInTheRace"]
    )
    table = [(rider["Id"], *riders[rider["Id"]]["GeneralClassification"].split(", ")) for rider in shown]
    assert table[0] == (8, "1", "00:00:00")
    hours, minutes, seconds = map(int, table[100][2].split(":"))
    assert hours == 0
    assert minutes * 60 + seconds > 100
    status = httpx.get(f"{served.address}/race/status").json()
    assert status["IsLive"] is True
    leaders = httpx.get(f"{served.address}/race/stages/9/riderclassification").json()
    assert leaders == [{"Classification": "General", "Id": 14}]


def live(address: str) -> Iterator[Any]:
    """As simple clients of the Race Center read its stream: line by line, without a parser."""
    with httpx.stream("GET", f"{address}/live-stream", timeout=5) as stream:
        for line in stream.iter_lines():
            if "data: {" in line:
                yield json.loads(line.replace("data: {", "{"))


def test_a_recorder_of_the_race_center_writes_its_columns(served: Served) -> None:
    """Guards: a column that is missing, where a recorder stops; riders that are not in the order of their gaps."""
    update = next(update for update in live(served.address) if update["bind"] == "telemetryCompetitor-2017")
    columns = [
        "Pos",
        "Bib",
        "Status",
        "kmToFinish",
        "secToFirstRider",
        "kph",
        "kphAvg",
        "Latitude",
        "Longitude",
        "degC",
    ]
    rows = [[rider[column] for column in columns] for rider in update["data"]["Riders"]]
    assert len(rows) == 198
    assert rows[0][:5] == [1, 8, "active", 127.901, 0.0]
    gaps = [rider["secToFirstRider"] for rider in update["data"]["Riders"]]
    assert gaps == sorted(gaps)
    first = update["data"]["Riders"][0]
    assert (first["kphWind"], first["RiderWindDir"], first["Course"], first["WindDir"]) == (18.0, 53, 135.0, 188)
    assert (first["Gradient"], first["LatLon"]) == (4.0, [first["Latitude"], first["Longitude"]])
    assert update["data"]["YGPW"] == [14, None, None, None]


def test_a_group_tracker_of_the_race_center_shows_the_groups(served: Served) -> None:
    """Guards: groups in kilometres where metres are read, bibs that are bare numbers."""
    update = next(update for update in live(served.address) if update["bind"].lower().startswith("pack"))
    assert update["bind"] == "pack-2017-9"
    names = {rider["bib"]: rider["lastname"] for rider in httpx.get(f"{served.address}/api/allCompetitors-2017").json()}
    groups = sorted(update["data"]["groups"], key=lambda group: group["order"])
    shown = [(group["name"], group["relative"], len([names[bib["bib"]] for bib in group["bibs"]])) for group in groups]
    assert [(name, size) for name, _, size in shown] == [
        ("Breakaway", 6),
        ("Chase 1", 3),
        ("Peloton", 180),
        ("Dropped 1", 9),
    ]
    assert groups[0]["completedDistance"] + groups[0]["remainingDistance"] == pytest.approx(181_500, abs=2)
    assert groups[0]["hasYellowJersey"] is True
    assert httpx.get(f"{served.address}/api/pack-2017-9").json() == [update["data"]]
    assert httpx.get(f"{served.address}/api/telemetryPack-2017-9").json() == [update["data"]]


def test_a_map_of_the_race_center_draws_the_road(served: Served) -> None:
    """Guards: places of the road out of order."""
    places = httpx.get(f"{served.address}/api/checkpointList-2017-9").json()
    assert [place["checkpoint"] for place in places] == list(range(1, len(places) + 1))
    assert places[0]["length"] == 0
    stage = httpx.get(f"{served.address}/api/stage-2017").json()[0]
    assert (stage["departureCity"]["label"], stage["arrivalCity"]["label"]) == ("Nantua", "Chambéry")
    assert stage["date"][:10] == "2017-07-09"
    assert httpx.get(f"{served.address}/api/stage-2017/9").json() == [stage]


@pytest.mark.parametrize("path", ["/api/pack-2016-9", "/api/telemetryCompetitor-2021", "/race/stages/3/route"])
def test_another_race_is_not_told_as_if_it_were_this_one(served: Served, path: str) -> None:
    """Guards: the positions of one stage under the name of another."""
    answer = httpx.get(f"{served.address}{path}")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Only 2017 stage 9 is told here; ask for that."}


def test_a_race_of_today_is_told_by_its_own_clock() -> None:
    """Guards: clients that give up since the state seems to be of years ago, or that measure with two clocks."""
    now_ms = START_MS + 300_000
    with Served().running() as today:
        today.show(frame(300, published_ns=(now_ms + 800) * 10**6))
        assert httpx.get(f"{today.address}/race/").json()["TimeStampEpochInt"] == now_ms // 1000
    with Served().running() as another_year:
        shown = frame(300)
        another_year.show(shown)
        assert httpx.get(f"{another_year.address}/race/").json()["TimeStampEpochInt"] == shown.published_ns // 10**9


def test_clients_without_a_key_are_counted_as_such(served: Served) -> None:
    """Guards: partners' figures that hold what others have asked for."""
    assert served.feed._gate.counts()["requests"].keys() == {ANONYMOUS}
