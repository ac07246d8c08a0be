"""Since when, and what the log says."""

from datetime import timedelta

from manage_centre.history import NOTHING, Entry, History, advance
from manage_centre.incident import Subject
from manage_centre.incidents import find_incidents
from manage_centre.state import State, judge

from tests.manage.playing import NOON, Play


def after(history: History, play: Play, seconds: float) -> tuple[History, tuple[Entry, ...]]:
    scene = play.scene(seconds)
    judgement = judge(scene)
    return advance(history, judgement, find_incidents(scene, judgement), scene.now)


def test_the_first_judgement_says_nothing() -> None:
    """Guards: a restart fills the log with the whole estate."""
    _, entries = after(NOTHING, Play(), 0)
    assert entries == ()


def test_an_incident_has_one_line_at_its_beginning_and_one_at_its_end() -> None:
    """Guards: one cause, thirty lines."""
    play = Play()
    history, _ = after(NOTHING, play, 0)
    play.power_off("edge-2", at=1)
    history, begin = after(history, play, 30)
    _, during = after(history, play, 31)
    history, end = after(history, Play(), 60)
    assert [(entry.kind, entry.subject) for entry in begin] == [("incident", Subject("node", "edge-2"))]
    assert during == ()
    assert [entry.text.startswith("Over: edge-2") for entry in end] == [True]


def test_an_incident_keeps_its_beginning_while_it_goes_on() -> None:
    """Guards: "since" that moves with the clock."""
    play = Play()
    play.pull("T1-07")
    history, _ = after(NOTHING, play, 10)
    history, _ = after(history, play, 70)
    assert history.incidents[Subject("cable", "T1-07")].since == NOON + timedelta(seconds=10)


def test_nodes_that_are_taken_away_have_a_line_each_and_their_cables_none() -> None:
    """Guards: a teardown that cannot be followed, or drowns in cables and services."""
    play = Play()
    history, _ = after(NOTHING, play, 0)
    play.phase = play.phase.DE_RIG
    play.hush(["edge-2", "edge-3"], at=1)
    _, entries = after(history, play, 30)
    assert [(entry.subject, entry.state) for entry in entries] == [
        (Subject("node", "edge-2"), State.GONE),
        (Subject("node", "edge-3"), State.GONE),
    ]


def test_an_incident_of_many_nodes_does_not_begin_anew_as_they_recover() -> None:
    """Guards: clocks that are found one after another begin and end an incident each time."""
    play = Play()
    history, _ = after(NOTHING, play, 0)
    lines = []
    for well, seconds in (([], 10), (["edge-1", "edge-2"], 20), (["edge-3"], 30), (["storage-1"], 40)):
        for name in ("edge-1", "edge-2", "edge-3", "storage-1"):
            if seconds == 10 or name in well:
                play.facts(name)["clock"] = {"offset_ms": 0.1, "synchronised": name in well}
        history, entries = after(history, play, seconds)
        lines += [entry.text for entry in entries if entry.kind == "incident"]
    assert lines == [
        "4 nodes, first edge-1: Its clock has no time server.",
        "Over: edge-3: Its clock has no time server.",
        "Over: storage-1: Its clock has no time server.",
    ]
