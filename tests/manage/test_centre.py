"""What the Manage Centre makes of messages, whatever order or shape they come in."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from manage_centre.centre import Centre
from manage_centre.hub import Heard

from tests.manage.playing import NOON, STAGE, Play


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Told:
    """A Centre that is told things, with a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.play = Play()
        self.centre = Centre("2017-core", folder, self.clock)
        self.centre.hub_is(True)
        self.sequence = 0

    def say(self, kind: str, stack: str, document: object) -> None:
        self.sequence += kind != "facts"
        self.centre.hear(Heard(kind, stack, json.dumps(document).encode(), self.sequence))

    def day(self, phase: str) -> None:
        self.say("day", STAGE, {"at": self.clock.now.isoformat(), "phase": phase, "message": phase})

    def graphs(self) -> None:
        for stack, document in self.play.documents.items():
            self.say("estate", stack, document)

    def report(self) -> None:
        for name in self.play.graph.nodes:
            self.say("facts", self.play.facts(name)["stack"], self.play.facts(name))

    def snapshot(self, seconds: float = 0) -> dict:
        self.clock.now += timedelta(seconds=seconds)
        self.centre.judge_now()
        return self.centre.snapshot


def states(snapshot: dict, table: str = "nodes") -> set[str]:
    return {one["state"] for one in snapshot[table]}


def test_before_anything_is_heard_the_page_has_a_snapshot_to_show(tmp_path: Path) -> None:
    """Guards: an error page on the first morning of a season."""
    snapshot = Told(tmp_path).snapshot()
    assert (snapshot["nodes"], snapshot["incidents"], snapshot["day"]["stage"]) == ([], [], None)


def test_a_stage_is_followed_from_rigging_to_gone(tmp_path: Path) -> None:
    """Guards: the page loses the stage at its end; it lives in the core to show just that."""
    told = Told(tmp_path)
    told.graphs()
    told.day("rigging")
    assert states(told.snapshot()) == {"planned", "unknown"}
    told.report()
    told.day("live")
    assert states(told.snapshot(1)) == {"good"}
    told.day("draining")
    told.day("de-rig")
    told.report()
    assert told.snapshot(1)["day"]["phase"] == "de-rig"
    told.day("down")
    gone = told.snapshot(20)
    assert {node["state"] for node in gone["nodes"] if node["layer"] == "stage"} == {"gone"}
    assert gone["day"]["stage"]["finish"] == "Chambéry"
    assert [entry["text"] for entry in gone["log"] if entry["kind"] == "day"][-1] == f"{STAGE} rigging: rigging"


def test_messages_of_the_stream_that_come_again_count_once(tmp_path: Path) -> None:
    """Guards: a reconnect doubles the log."""
    told = Told(tmp_path)
    message = Heard("day", STAGE, json.dumps({"at": NOON.isoformat(), "phase": "live"}).encode(), 7)
    told.centre.hear(message)
    told.centre.hear(message)
    assert len(told.snapshot()["log"]) == 1


def test_reports_of_another_stage_are_not_taken_for_this_one(tmp_path: Path) -> None:
    """Guards: yesterday's edge-2 makes today's look well; names are the same every day."""
    told = Told(tmp_path)
    told.graphs()
    told.day("live")
    told.say("facts", "2017-s08", {**told.play.facts("edge-2"), "stack": "2017-s08"})
    edge = next(node for node in told.snapshot()["nodes"] if node["name"] == "edge-2")
    assert edge["seen"] is None


def test_what_cannot_be_read_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Guards: one broken agent takes the page down."""
    told = Told(tmp_path)
    told.centre.hear(Heard("facts", STAGE, b"not json", 0))
    told.centre.hear(Heard("facts", STAGE, b'{"node": 3}', 0))
    told.graphs()
    assert len(told.snapshot()["nodes"]) == 26


def test_what_an_agent_saw_is_in_the_log_once_and_survives_a_restart(tmp_path: Path) -> None:
    """Guards: an event that is delivered twice is told twice, or lost with the process."""
    told = Told(tmp_path)
    told.graphs()
    event = {"at": NOON.isoformat(), "subject": "eno1", "sentence": "has no carrier"}
    for _ in range(2):
        told.say("facts", STAGE, {**told.play.facts("edge-2"), "events": [event]})
    assert [entry["text"] for entry in told.snapshot()["log"]] == ["edge-2: eno1 has no carrier"]
    again = Told(tmp_path)
    assert [entry["text"] for entry in again.snapshot()["log"]] == ["edge-2: eno1 has no carrier"]


def test_a_torn_last_line_of_the_log_is_left_out(tmp_path: Path) -> None:
    """Guards: a power cut while writing keeps the Manage Centre from starting."""
    (tmp_path / "log.jsonl").write_text('["2017-07-09T10:00:00+00:00", "sta')
    assert Told(tmp_path).snapshot()["log"] == []


def test_pages_hear_of_changes_and_not_of_figures(tmp_path: Path) -> None:
    """Guards: the whole snapshot is sent again because a processor's load moved."""
    told = Told(tmp_path)
    told.graphs()
    told.day("live")
    told.report()
    told.snapshot(1)
    told.play.facts("edge-2")["load"]["cpu"] = 0.42
    told.report()
    assert told.centre.judge_now() is False
    told.play.pull("T1-07")
    told.report()
    assert told.centre.judge_now() is True


def test_a_site_has_one_state_and_the_sentence_of_its_incident(tmp_path: Path) -> None:
    """Guards: the truck is well because its nodes are, although a cable of it is out."""
    told = Told(tmp_path)
    told.graphs()
    told.day("live")
    told.play.pull("T1-07")
    told.report()
    sites = {site["name"]: site for site in told.snapshot(1)["sites"]}
    assert (sites["truck"]["state"], sites["truck"]["reporting"]) == ("bad", 8)
    assert sites["truck"]["sentence"].startswith("Cable T1-07 is out")
    assert sites["cloud"]["state"] == "good"


def test_a_site_of_which_a_part_is_still_to_come_is_not_well_yet(tmp_path: Path) -> None:
    """Guards: a green truck with half of its cables on the road."""
    told = Told(tmp_path)
    told.graphs()
    told.day("rigging")
    for name in told.play.graph.nodes:
        if name != "edge-3":
            told.say("facts", told.play.facts(name)["stack"], told.play.facts(name))
    truck = next(site for site in told.snapshot(1)["sites"] if site["name"] == "truck")
    assert (truck["state"], truck["sentence"]) == ("planned", "Not all of it is here yet.")
