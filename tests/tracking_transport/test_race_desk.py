"""What is told of a race beside its states, by whichever processor tells it."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nats.js import JetStreamContext
from tracking.race_control import JerseyWorn, Withdrawal
from tracking.race_desk import RaceDesk, event_of
from tracking.records import RIDER_STATE
from tracking.transport.lease import bucket_of
from tracking.watch.proposals import BUCKET, WITHDRAWAL, Proposal, as_json

from tests.tracking_transport.field import RACE_START_MS
from tests.tracking_transport.harness import PROCESSORS, STACK, Loopback, eventually
from tests.tracking_transport.test_standby import asked, stored

RUN = 1_499_590_000


@dataclass
class Published:
    """A broker that only remembers."""

    messages: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    async def publish(self, subject: str, data: bytes, headers: dict[str, str]) -> None:
        self.messages.append((subject, headers["Nats-Msg-Id"], json.loads(data)))


def second(number: int) -> np.ndarray:
    """RIDER_STATE (10,): from second 21 to 80, riders 1 and 2 are away from the others."""
    states = np.zeros(10, RIDER_STATE)
    states["rider"], states["position"] = np.arange(1, 11), np.arange(1, 11)
    states["time_ms"] = RACE_START_MS + number * 1000
    states["to_go_m"] = 100_000 - 10 * number
    away = 20 < number <= 80
    states["group"] = np.where(states["rider"] <= 2, 1, 1 + away)
    states["group_id"] = np.where((states["rider"] <= 2) & away, 2, 1)
    return states


def told(desk: RaceDesk) -> list[tuple[str, str, dict[str, Any]]]:
    broker = Published()
    asyncio.run(desk.tell(broker))  # type: ignore[arg-type]  # it publishes, and that is all
    return broker.messages


def test_events_are_published_once_under_identities_of_the_race() -> None:
    """Guards: an attack that is told again with every frame."""
    desk = RaceDesk("2017-s09")
    for number in range(100):
        desk.see(RUN, second(number))
    messages = told(desk)
    assert [(subject, document["kind"]) for subject, _, document in messages] == [
        ("events.2017-s09", "attack"),
        ("events.2017-s09", "catch"),
    ]
    assert len({identity for _, identity, _ in messages}) == 2
    assert told(desk) == []


def test_a_standby_would_tell_the_same_and_so_would_who_goes_on_from_a_checkpoint() -> None:
    """Guards: a story that is told twice, or loses a chapter, when a processor is killed."""
    active, standby = RaceDesk("2017-s09"), RaceDesk("2017-s09")
    for number in range(26):
        active.see(RUN, second(number))
        standby.see(RUN, second(number))
    restarted = RaceDesk("2017-s09")
    restarted.remember(json.loads(json.dumps(active.memory())))
    for number in range(26, 100):
        for desk in (active, standby, restarted):
            desk.see(RUN, second(number))
    assert told(active) == told(standby) == told(restarted) != []


def test_what_is_no_memory_is_forgotten() -> None:
    """Guards: a processor that does not start because of an old checkpoint."""
    desk = RaceDesk("2017-s09")
    for memory in ({}, {"run": 1}, {"run": 1, "events": {"groups": 5}}, {"run": "x", "events": None}):
        desk.remember(memory)
    desk.see(RUN, second(0))


def test_another_run_of_the_race_begins_without_the_story_of_the_last() -> None:
    """Guards: a peloton of yesterday that is caught today."""
    desk = RaceDesk("2017-s09")
    for number in range(60):
        desk.see(RUN, second(number))
    assert [document["kind"] for _, _, document in told(desk)] == ["attack"]
    for number in range(100, 130):
        desk.see(RUN + 86_400, second(number))
    assert told(desk) == []


def test_events_of_long_ago_are_not_told_again() -> None:
    """Guards: doubles in the stream where a processor goes through the whole day again."""
    desk = RaceDesk("2017-s09")
    for number in (*range(100), 4000):
        desk.see(RUN, second(number))
    assert told(desk) == []


def test_decisions_are_told_as_events() -> None:
    """Guards: a withdrawal that only the start list knows."""
    left = event_of(Withdrawal(rider=45, at_ms=RACE_START_MS), RACE_START_MS + 5000, 12.3)
    assert left is not None
    assert (left.kind, left.time_ms, left.riders, left.text) == (
        "withdrawal",
        RACE_START_MS,
        (45,),
        "Rider 45 has withdrawn.",
    )
    worn = event_of(JerseyWorn(jersey="polka_dot", rider=7), RACE_START_MS + 5000, 12.3)
    assert worn is not None
    assert (worn.time_ms, worn.text) == (RACE_START_MS + 5000, "Rider 7 wears the polka-dot jersey.")


def test_a_decision_is_published_by_command_and_reaches_the_race(loopback: Loopback) -> None:
    """Guards: a jersey that only race control knows, or that is told twice because the command was given twice."""
    config = loopback.folder / "race_control.json"
    config.write_text(json.dumps({"stack": STACK, "broker": loopback.cloud.config(), "speed": 5.0}))
    command = [sys.executable, "-m", "tracking.race_control", "--config", str(config)]
    with loopback.field.riding():
        eventually("the feed is live", loopback.is_live)
        heard = {name: loopback.services[name].get()["decisions"] for name in PROCESSORS}
        for _ in range(2):
            done = subprocess.run(
                [*command, "jersey", "--jersey", "white", "--rider", "21"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        for name in PROCESSORS:
            expected = heard[name] + 1
            eventually(f"{name} has heard", lambda n=name, e=expected: loopback.services[n].get()["decisions"] == e)
        eventually("an event is told", lambda: any(b"white jersey" in data for data in stored(loopback, "EVENTS")))
    events = [json.loads(data) for data in stored(loopback, "EVENTS") if b"white jersey" in data]
    assert [event["text"] for event in events] == ["Rider 21 wears the white jersey."]
    refused = subprocess.run([*command, "withdraw", "--rider", "0"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "rider: input should be greater than or equal to 1; correct it" in refused.stderr


def test_race_control_is_told_what_is_open_until_another_processor_knows_better(loopback: Loopback) -> None:
    """Guards: a question that nobody can read, or that outlives the race in which it was asked."""
    config = loopback.folder / "proposals.json"
    config.write_text(json.dumps({"stack": STACK, "broker": loopback.cloud.config()}))
    command = [sys.executable, "-m", "tracking.race_control", "--config", str(config), "proposals"]

    def told_now() -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def ask(js: JetStreamContext) -> None:
        of_yesterday = Proposal(WITHDRAWAL, RACE_START_MS, (21,), 0, "The device of rider 21 is in a car.")
        await (await bucket_of(js, BUCKET)).put(STACK, as_json([of_yesterday]))

    with loopback.field.riding():
        eventually("the feed is live", loopback.is_live)
        asked(loopback, ask)
        assert "rider 21 is in a car.\n    withdraw --rider 21" in told_now()
        active = loopback.active()
        active.kill()
        eventually("only what is open now", lambda: told_now() == "nothing is open\n")
    active.start()
    eventually("both processors are there again", active.healthy, within=120)
