"""A whole evening and the end of a season, with machines that are not there."""

import httpx
import pytest

from infra.day import down as evening
from infra.day.down import Terms, down, down_season
from infra.day.outcome import Failure
from infra.day.record import Phase, Record
from infra.day.shell import Answer
from infra.events import Changes
from tests.evidence.day import AWAY, QuietDay, quiet_day, said
from tests.evidence.examples import allowed_signers, operator, verify

TRUCK = {"readings": 7, "devices": {"bike-1": 4, "bike-2": 3}}


class Machines:
    """An engine whose destroy is heard, and the manifests of both ends."""

    def __init__(self) -> None:
        self.destroyed: list[str] = []
        self.cloud = TRUCK

    def recover(self, stack: str) -> None:
        pass

    def unprotect(self, stack: str) -> None:
        pass

    def remains(self, stack: str) -> list[str]:
        return []

    def destroy(self, stack: str, note) -> Changes:
        self.destroyed.append(stack)
        return Changes({"delete": 9})


@pytest.fixture
def machines(monkeypatch):
    """The truck holds readings, and drains when it is asked."""
    machines, ends = Machines(), iter(range(100))

    def manifest(url: str, timeout: float) -> httpx.Response:
        body = machines.cloud if next(ends) % 2 else TRUCK
        return httpx.Response(200, json=body, request=httpx.Request("GET", url))

    monkeypatch.setattr(evening.httpx, "get", manifest)
    monkeypatch.setattr(
        evening,
        "ask",
        lambda workspace, nodes, command: {nodes[0].name: Answer(nodes[0].name, 0, "0001.log\nasked", "")},
    )
    monkeypatch.setattr(evening, "run_playbook", lambda *arguments: None)
    return machines


def live(home, store, machines) -> QuietDay:
    day = quiet_day(home, store)
    day.engine = machines
    for stack in ("2017-core", "2017-s09"):
        day.records.write(Record(stack=stack, phase=Phase.LIVE, scale="small"))
    return day


def kinds(day) -> list[str]:
    return [entry.kind for entry in day.evidence.log("2017").entries()]


def test_manifests_and_checkpoint_are_in_the_store_before_anything_is_destroyed(tmp_path, store, machines):
    """Guards against a town that is gone and cannot be proven."""
    day = live(tmp_path, store, machines)
    down(day, "2017-s09")
    drain, export = day.evidence.log("2017").entries()
    assert (drain.kind, drain.facts["outcome"], drain.files.keys()) == (
        "drain",
        "equal at both ends",
        {"truck.json", "cloud.json"},
    )
    assert export.files.keys() == {"arrival.json", "checkpoint.json", "steps.json"}
    assert machines.destroyed == ["2017-s09"]
    assert day.records.read("2017-s09").evidence == "2017-s09/2"
    there = {each["Key"] for each in store.client().list_objects_v2(Bucket="evidence")["Contents"]}
    assert there == {path.as_posix() for path in day.evidence.log("2017").closed()}


def test_ends_that_differ_are_kept_as_evidence_and_nothing_is_destroyed(tmp_path, store, machines):
    """Guards against lost readings of which only a line on a terminal told."""
    day = live(tmp_path, store, machines)
    machines.cloud = {"readings": 6, "devices": {"bike-1": 3, "bike-2": 3}}
    with pytest.raises(Failure, match="7 readings and the cloud archived 6"):
        down(day, "2017-s09")
    (drain,) = day.evidence.log("2017").entries()
    assert drain.facts["outcome"] == "the ends differ"
    assert machines.destroyed == []


def test_a_store_that_is_away_stops_the_evening_until_the_operator_takes_it_on(tmp_path, machines):
    """Guards against a single copy of the evidence that nobody knows is the only one."""
    day = live(tmp_path, AWAY, machines)
    with pytest.raises(Failure, match="nothing was destroyed"):
        down(day, "2017-s09")
    assert machines.destroyed == []
    again = live(tmp_path, AWAY, machines)
    down(again, "2017-s09", Terms(evidence_later=True))
    assert machines.destroyed == ["2017-s09"]
    assert "the evidence is kept in" in said(again)


def test_the_end_of_a_season_leaves_all_of_it_in_one_folder(tmp_path, store, machines):
    """Guards against an archive and a log that go away with the core."""
    day = live(tmp_path, store, machines)
    store.client().put_object(Bucket="archive", Key="readings/0001.parquet", Body=b"x")
    down_season(day, "2017-s09")
    assert machines.destroyed == ["2017-s09", "2017-core"]
    assert kinds(day)[-1] == "closing"
    season = tmp_path / "seasons/2017"
    assert (season / "archive/readings/0001.parquet").read_bytes() == b"x"
    assert verify(season / "evidence", "--keys", allowed_signers(tmp_path, operator(tmp_path))).proven


def test_a_season_that_is_over_is_not_closed_twice(tmp_path, store, machines):
    """Guards against entries that tell of an end that nobody brought about."""
    day = live(tmp_path, store, machines)
    down_season(day, "2017-s09")
    down_season(day, "2017-s09")
    assert kinds(day).count("closing") == 1
