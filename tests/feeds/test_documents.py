"""What is answered, held against what the feed says of itself, and against what was heard of the race."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from jsonschema import Draft202012Validator
from tracking.course import read_course
from tracking.feed import Feed
from tracking.transport.wire import StateFrame, encode_states
from tracking.weather import SimulatedWeather, places_along

from tests.feeds.races import STAGE, START_MS, Kept, Served, config, event, forecast, frame
from tests.feeds.test_streams import events


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served(Kept()).running() as it:
        it.show(frame(200))
        for second in (60, 120):
            it.call(it.feed._story.hear_event, json.dumps(event(second)).encode())
            it.call(it.feed._story.hear_forecast, json.dumps(forecast(second)).encode())
        it.call(it.feed._story.hear_decision, json.dumps({"kind": "jersey", "jersey": "yellow", "rider": 8}).encode())
        out = {"kind": "withdrawal", "rider": 219, "at_ms": START_MS + 90_000}
        it.call(it.feed._story.hear_decision, json.dumps(out).encode())
        it.show(frame(201))
        yield it


def get(served: Served, path: str, **options: Any) -> Any:
    answer = httpx.get(f"{served.address}{path}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def first_of(served: Served, path: str) -> Any:
    """Data of a stream's first event."""
    with httpx.stream("GET", f"{served.address}{path}", timeout=5) as stream:
        return next(events(stream.iter_lines()))[2]


def filled(path: str, operation: dict[str, Any]) -> str:
    """A path with its examples."""
    examples = {parameter["name"]: parameter.get("example") for parameter in operation["parameters"]}
    query = [
        f"{parameter['name']}={parameter['example']}"
        for parameter in operation["parameters"]
        if parameter["in"] == "query" and "example" in parameter
    ]
    return path.format(**examples) + (f"?{'&'.join(query)}" if query else "")


def test_every_answer_is_as_the_feed_describes_it(served: Served) -> None:
    """Guards: a description that partners build upon, and that is not true."""
    described = get(served, "/api/openapi.json")
    assert described["openapi"] == "3.1.0"
    assert len(described["paths"]) > 20
    for path, item in described["paths"].items():
        operation = item["get"]
        medium, content = next(iter(operation["responses"]["200"]["content"].items()))
        schema = {**content["schema"], "components": described["components"]}
        Draft202012Validator.check_schema(schema)
        asked = filled(path, operation)
        answer = first_of(served, asked) if medium == "text/event-stream" else get(served, asked)
        Draft202012Validator(schema).validate(answer)


def test_the_description_has_no_two_operations_of_one_name(served: Served) -> None:
    """Guards: generated clients in which one method hides another."""
    described = get(served, "/api/openapi.json")
    names = [item["get"]["operationId"] for item in described["paths"].values()]
    assert len(names) == len(set(names))


def test_a_snapshot_tells_what_was_heard_beside_the_states(served: Served) -> None:
    """Guards: events, forecasts and jerseys that stay in the broker."""
    seen = get(served, "/api/snapshot")
    assert [told["time_ms"] for told in seen["events"]] == [START_MS + 120_000, START_MS + 60_000]
    assert seen["forecast"]["clock_ms"] == START_MS + 120_000
    assert seen["thresholds"]["split_s"] > seen["thresholds"]["join_s"]
    assert [group["jerseys"] for group in seen["groups"]] == [["yellow"], [], [], []]
    assert [group["group_id"] for group in seen["groups"]] == [101, 102, 103, 104]
    assert {group["since"] for group in seen["groups"]} == {"2017-07-09T12:38:20+02:00"}
    assert seen["replay"] is False


def test_groups_are_told_with_both_gaps(served: Served) -> None:
    """Guards: one gap where commentators need two, and gaps that do not add up."""
    groups = get(served, "/api/snapshot")["groups"]
    for ahead, group in zip(groups, groups[1:], strict=False):
        assert group["gap_to_previous_s"] == pytest.approx(ahead["length_s"] + group["tail_gap_s"], abs=0.15)
        assert group["gap_s"] == pytest.approx(ahead["gap_s"] + group["gap_to_previous_s"], abs=0.15)
    assert groups[0]["gap_to_previous_s"] is groups[0]["tail_gap_s"] is None


def test_a_rider_has_all_that_is_derived(served: Served) -> None:
    """Guards: values that are computed and never told; a number where nothing is known."""
    rider = get(served, "/api/snapshot")["riders"][0]
    assert rider["head_wind_kmh"] == pytest.approx(10.8)
    assert rider["cross_wind_kmh"] == pytest.approx(-14.4)
    assert (rider["group_id"], rider["position_in_group"], rider["unseen_s"]) == (101, 1, 0.4)
    assert rider["gap_previous_s"] is rider["gap_yellow_s"] is None
    assert len(rider) >= 28


def test_what_is_known_before_the_start_is_told_from_the_beginning(tmp_path: Path) -> None:
    """Guards: a race without a yellow jersey until somebody at race control remembers; degrees that nobody knows."""
    before = tmp_path / "classification.csv"
    before.write_text("rider,behind_s\n8,0\n15,12\n")
    feed = Feed(config(briefing={"classification": before, "weather": {"seed": 9}}), Kept())
    feed._show(encode_states(frame(200)))
    starters = {rider["rider"]: rider["jerseys"] for rider in feed.start_list()["riders"]}
    assert [number for number, jerseys in starters.items() if jerseys] == [8]
    assert feed.snapshot()["groups"][0]["jerseys"] == ["yellow"]
    old = orjson.loads(feed._moment.race_2015.body)
    wearers = [rider["Id"] for group in old["Groups"] for rider in group["Riders"] if rider["HasYellowJersey"]]
    assert wearers == [8]
    assert feed._past(frame(100)).document["groups"][0]["jerseys"] == ["yellow"]

    (told,) = orjson.loads(feed._moment.telemetry.body)
    assert told["YGPW"][0] == 8
    course = read_course(Path(STAGE["course"]))
    air = SimulatedWeather(9).at(places_along(course), START_MS + 180_000).temperature_c
    degrees = [rider["degC"] for rider in told["Riders"]]
    assert min(air) - 0.1 <= min(degrees) <= max(degrees) <= max(air) + 0.1
    places_m = np.linspace(0, course.length_m, len(air))
    first_m = 50_000 + 12.0 * (200 - 0.05)
    assert degrees[0] == pytest.approx(np.interp(first_m, places_m, air), abs=0.1)

    feed._story.hear_decision(json.dumps({"kind": "jersey", "jersey": "yellow", "rider": 15}).encode())
    feed._show(encode_states(frame(201)))
    assert feed._moment.beside.jerseys == {"yellow": 15}


def test_the_start_list_knows_jerseys_and_withdrawals(served: Served) -> None:
    """Guards: riders in the list who are in the ambulance."""
    riders = {rider["rider"]: rider for rider in get(served, "/api/startlist")["riders"]}
    assert len(riders) == 198
    assert riders[8]["jerseys"] == ["yellow"]
    assert riders[219]["withdrawn_at"] == "2017-07-09T12:36:30+02:00"


def test_the_timeline_spans_what_is_kept_and_what_is_now(served: Served) -> None:
    """Guards: a scrubber that cannot reach the start, or hides what happened."""
    told = get(served, "/api/timeline")
    assert (told["from_ms"], told["to_ms"]) == (START_MS, START_MS + 201_000)
    assert [happened["time_ms"] for happened in told["events"]] == [START_MS + 60_000, START_MS + 120_000]
    part = get(served, f"/api/timeline?from_ms={START_MS + 61_000}")
    assert len(part["events"]) == 1


def test_a_moment_of_the_past_knows_nothing_of_what_came_later(served: Served) -> None:
    """Guards: a replay that gives the result away."""
    past = get(served, f"/api/moments/{START_MS + 70_500}")
    assert past["replay"] is True
    assert past["race"]["clock_ms"] == START_MS + 70_000
    assert len(past["events"]) == 1
    assert past["forecast"]["clock_ms"] == START_MS + 60_000


def test_a_replay_keeps_pace_with_the_wall_clock_and_ends(served: Served) -> None:
    """Guards: a replay that drifts, floods its reader or never ends."""
    url = f"{served.address}/api/replay?from_ms={START_MS + 20_000}&speed=60"
    with httpx.stream("GET", url, timeout=5) as stream:
        told = list(events(stream.iter_lines()))
    assert {(name, data["replay"]) for name, _, data in told} == {("state", True)}
    clocks = [data["race"]["clock_ms"] - START_MS for _, _, data in told]
    assert clocks[0] == 20_000
    assert clocks[-1] == 100_000
    assert clocks[1] - clocks[0] == pytest.approx(60_000, abs=6_000)


def test_what_cannot_be_read_is_counted_and_stepped_over(served: Served) -> None:
    """Guards: one bad message of another service that stops the feed."""
    story = served.feed._story
    before, known = story.corrupt, len(story.events)
    for hear in (story.hear_event, story.hear_forecast, story.hear_decision):
        for bad in (b"", b"{}", b"\xff\xfe", b'{"kind": "alien"}', b"[1]", b"null"):
            served.call(hear, bad)
    assert story.corrupt == before + 18
    assert len(story.events) == known


def test_a_store_that_is_away_is_said_to_be_and_the_live_race_goes_on() -> None:
    """Guards: an archive's own errors as tracebacks, and a replay that takes the feed with it."""

    class Away:
        async def span(self) -> tuple[int, int]:
            return START_MS, START_MS + 100_000

        async def at(self, time_ms: int) -> StateFrame | None:
            raise ConnectionError("no route to the object store")

    with Served(Away()).running() as it:
        it.show(frame(1))
        answer = httpx.get(f"{it.address}/api/moments/{START_MS}")
        assert answer.status_code == 503
        assert answer.json()["detail"].endswith("come back later.")
        with httpx.stream("GET", f"{it.address}/api/replay?from_ms={START_MS}", timeout=5) as stream:
            assert list(events(stream.iter_lines())) == []
        assert get(it, "/api/snapshot")["race"]["status"] == "live"


def test_nothing_known_is_told_as_waiting() -> None:
    """Guards: a page that fails before the race, when most people open it."""
    with Served().running() as early:
        assert get(early, "/api/snapshot")["race"]["status"] == "waiting"
        assert get(early, "/race/") is None
        assert get(early, "/api/telemetryCompetitor-2017") == []
        assert get(early, "/api/timeline") == {"from_ms": None, "to_ms": None, "events": []}
        assert httpx.get(f"{early.address}/api/moments/5").status_code == 503
