"""Scaling a live stage: what is judged before anything changes, and in which order it changes."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from infra.day.__main__ import main
from infra.day.context import Day
from infra.day.outcome import Failure, Refusal
from infra.day.progress import Progress
from infra.day.record import Phase, Record
from infra.day.resizing import losses, resizing
from infra.day.scale import Hands, Wish, scale
from infra.estate.load import load_estate
from infra.estate.model import Demand, Quantity
from infra.workspace import Workspace

STACK = "2017-s09"


class FakeHands(Hands):
    """Remembers what it was asked to do, in order; the race is as it is told."""

    def __init__(self, race: str = "live", fails_at: str = "") -> None:
        self.said, self.fails_at = race, fails_at
        self.done: list[str] = []
        self.deployed: tuple[str, ...] = ()

    def _do(self, what: str) -> None:
        if what == self.fails_at:
            raise Failure(f"{what} failed", "run this again")
        self.done.append(what)

    def race(self, estate):
        return self.said

    def forget(self, estate):
        self._do(f"graph of {len(estate.nodes)}")

    def stop(self, nodes):
        self._do(f"stop {' '.join(node.name for node in nodes)}")

    def create(self, record):
        self._do(f"create for {record.demand}")
        return {"create": 1}

    def deploy(self, estate, nodes, speed):
        self._do("deploy")
        self.deployed = nodes

    def arrive(self, estate):
        self._do("arrive")

    def tell(self, estate, message):
        self._do("tell")


@pytest.fixture
def day(tmp_path: Path) -> Day:
    """A live stage at the small scale, equipped for its race."""
    workspace = Workspace(root=tmp_path, home=tmp_path / "home", cache=tmp_path / "cache")
    day = Day(workspace, Progress(as_json=True, out=StringIO()))
    day.records.write(Record(stack=STACK, phase=Phase.LIVE, scale="small"))
    return day


def demand(day: Day) -> Demand:
    return day.records.read(STACK).demand


def test_after_the_finish_machines_are_forgotten_then_stopped_then_taken_away(day):
    """Guards: an alarm for a machine that was meant to go, and a client that is cut off in the middle of a word."""
    hands = FakeHands("finished")
    scale(day, Wish(STACK), hands)
    rest = len(load_estate(STACK, "small", demand="rest").nodes)
    assert hands.done == [
        f"graph of {rest}",
        "stop processor-2",
        "create for rest",
        "deploy",
        f"graph of {rest}",
        "arrive",
        "tell",
    ]
    assert demand(day) is Demand.REST
    assert not day.records.read(STACK).scaling


def test_before_the_start_machines_come_before_they_are_looked_for(day):
    """Guards: a Manage Centre that calls every new machine silent."""
    day.records.write(Record(stack=STACK, phase=Phase.LIVE, scale="small", demand=Demand.REST))
    hands = FakeHands("waiting")
    scale(day, Wish(STACK), hands)
    assert hands.done[:2] == ["create for race", "deploy"]
    assert {"processor-2", "fabric-1", "processor-1", "feed-1"} <= set(hands.deployed)
    assert not {"broker-1", "store-1", "edge-3", "storage-1"} & set(hands.deployed)
    assert demand(day) is Demand.RACE


def test_what_is_there_already_is_not_done_again(day):
    """Guards: a second word of the operator that costs a minute of a live race."""
    hands = FakeHands("live")
    scale(day, Wish(STACK), hands)
    assert hands.done == []


@pytest.mark.parametrize("race", ["live", ""], ids=["live", "not known"])
def test_processors_are_not_taken_from_a_live_race(day, race):
    """Guards: a scale-down by a slip of the hand, in the middle of a stage."""
    with pytest.raises(Refusal, match="fall behind"):
        scale(day, Wish(STACK, Demand.REST), FakeHands(race))
    hands = FakeHands(race)
    scale(day, Wish(STACK, Demand.REST, during_race=True), hands)
    assert "stop processor-2" in hands.done


def test_a_stage_without_a_clock_is_not_guessed(day):
    """Guards: a race whose feed is cut off, taken for one that is over."""
    with pytest.raises(Refusal, match="what it needs is not known"):
        scale(day, Wish(STACK), FakeHands(""))


def test_a_dry_run_shows_each_number_with_its_reason_and_changes_nothing(day):
    """Guards: a change that is understood only after it was made."""
    hands = FakeHands("finished")
    scale(day, Wish(STACK, dry_run=True), hands)
    told = json.loads(day.progress.out.getvalue())["result"]
    assert hands.done == []
    assert demand(day) is Demand.RACE
    assert told["leaving"] == ["processor-2"]
    machines = next(move for move in told["moves"] if move["quantity"] == "machines")
    assert machines == {
        "subject": "processor",
        "quantity": "machines",
        "before": 2,
        "after": 1,
        "reason": "before the scale-up and after the finish: 2 of 24 processor machines; at the small scale 1",
    }


@pytest.mark.parametrize("failing", ["stop processor-2", "create for rest", "deploy", "arrive"])
def test_a_scaling_that_was_stopped_is_carried_out_whole_by_the_next(day, failing):
    """Guards: half a scaling that is taken for a whole one, whichever way the operator then goes."""
    with pytest.raises(Failure):
        scale(day, Wish(STACK, Demand.REST), FakeHands("finished", failing))
    assert demand(day) is Demand.RACE

    back = FakeHands("finished")
    scale(day, Wish(STACK, Demand.RACE), back)
    assert "processor-2" in back.deployed, "its services may be stopped"
    assert demand(day) is Demand.RACE

    with pytest.raises(Failure):
        scale(day, Wish(STACK, Demand.REST), FakeHands("finished", failing))
    on = FakeHands("finished")
    scale(day, Wish(STACK, Demand.REST), on)
    assert "stop processor-2" in on.done
    assert demand(day) is Demand.REST


def test_what_was_done_is_in_the_evidence(day):
    """Guards: a bill for machines that nobody can explain."""
    scale(day, Wish(STACK), FakeHands("finished"))
    entry = day.evidence.log(STACK).entries()[-1]
    assert (entry.kind, entry.stack) == ("scale", STACK)
    assert (entry.facts["from"], entry.facts["to"], entry.facts["race"]) == ("race", "rest", "finished")
    assert all(move["reason"] for move in entry.facts["moves"])


@pytest.mark.parametrize("stack", ["2015-s12", "2016-s12", "2017-s09", "2018-s12"])
def test_no_scaling_takes_away_data_a_last_instance_or_memory(stack):
    """Guards: the archive's volume, or the one processor, gone with a machine that went; a service that is ended."""
    race, rest = load_estate(stack), load_estate(stack, demand="rest")
    assert losses(race, rest) == ()
    assert resizing(rest, race).leaving == ()
    assert Quantity.MEMORY not in {move.quantity for move in resizing(race, rest).moves}


def test_machines_with_data_or_a_last_instance_do_not_go():
    """Guards: an estate whose rules are wrong, and a scaling that follows them."""
    race, rest = load_estate(STACK, "small"), load_estate(STACK, "small", demand="rest")
    assert losses(race, _without(rest, "storage-1")) == (
        "storage-1 keeps data of recorder",
        "storage-1 has the last recorder",
    )


def test_only_a_live_stage_is_scaled(tmp_path, monkeypatch, capsys):
    """Guards: a scaling of what does not exist that makes half of it."""
    monkeypatch.setenv("ETAPE_HOME", str(tmp_path))
    assert main(["scale", STACK, "race"]) == 2
    assert "only a live stage is scaled" in capsys.readouterr().err
    assert main(["scale", "rest"]) == 2
    assert f"{STACK} is down" in capsys.readouterr().err
    assert main(["scale", "2017-core", "race"]) == 2
    assert "lives a season" in capsys.readouterr().err


def _without(estate, gone: str):
    return replace(
        estate,
        nodes=tuple(node for node in estate.nodes if node.name != gone),
        services=tuple(service for service in estate.services if service.node != gone),
    )
