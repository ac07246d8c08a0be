"""What an operator does about a state that a dead machine holds, that is corrupt, or whose past must not be lost."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.backend import Backend
from infra.checkpoint import checkpoint_key, checkpoint_text, read_checkpoint
from infra.day.__main__ import main
from infra.evidence.seasons import Evidence
from infra.locks import read_locks
from infra.state_objects import StateObjects
from infra.workspace import Workspace

STACK = "2017-s09"


@pytest.fixture
def objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateObjects:
    """The state of an operator's home of its own."""
    monkeypatch.setenv("ETAPE_HOME", str(tmp_path))
    monkeypatch.delenv("ETAPE_STATE", raising=False)
    return Backend.of(tmp_path).objects


def hold(objects: StateObjects) -> None:
    told = {"pid": 7, "username": "ops", "hostname": "truck", "timestamp": "2017-07-09T10:00:00Z"}
    objects.write(f".pulumi/locks/organization/etape/{STACK}/1.json", json.dumps(told))


def spoil(objects: StateObjects) -> None:
    """A corrupt state, and a history that knows a good one."""
    past = f".pulumi/history/etape/{STACK}/{STACK}-1500000000000000000"
    objects.write(f"{past}.history.json", json.dumps({"kind": "update", "result": "succeeded"}))
    objects.write(f"{past}.checkpoint.json", checkpoint_text(STACK, {}))
    objects.write(checkpoint_key(STACK), "{")


def logged() -> list[tuple[str, str]]:
    return [(each.kind, each.stack) for each in Evidence(Workspace.from_environment()).log(STACK).entries()]


def test_a_dead_machines_lock_is_released_and_that_is_on_record(objects, capsys):
    """Guards against a stack that waits for a machine that never comes back, and against a release without trace."""
    hold(objects)
    assert main(["unlock", STACK, "--yes"]) == 0
    assert "ops@truck (process 7) since 2017-07-09T10:00:00Z" in capsys.readouterr().out
    assert read_locks(objects, STACK) == ()
    assert logged() == [("unlock", STACK)]


def test_a_good_state_comes_back_and_that_is_on_record(objects, capsys):
    """Guards against a state that is mended by hand in an editor."""
    spoil(objects)
    assert main(["restore", STACK, "--yes"]) == 0
    assert "as the update of 2017-07-14 02:40:00 UTC left it" in capsys.readouterr().out
    assert read_checkpoint(objects, STACK) is not None
    assert logged() == [("restore", STACK)]


def test_a_history_is_kept_with_every_state_that_it_knows(objects):
    """Guards against a past that `pulumi stack rm` takes with it."""
    spoil(objects)
    assert main(["keep", STACK]) == 0
    (entry,) = Evidence(Workspace.from_environment()).log(STACK).entries()
    assert (entry.kind, entry.facts["operations"], len(entry.files)) == ("history", 1, 2)


@pytest.mark.parametrize(
    ("prepare", "arguments", "sentence"),
    [
        (None, ["unlock", STACK, "--yes"], f"nobody holds {STACK}"),
        (hold, ["unlock", STACK], "Two operators at work on one state"),
        (spoil, ["restore", STACK], "no one is here to answer"),
        (None, ["restore", STACK, "--yes"], f"{STACK} has no state, and no good one among 0 of its history"),
        (None, ["keep", STACK], f"{STACK} has no history"),
    ],
)
def test_what_cannot_be_done_is_refused(objects, capsys, prepare: Callable | None, arguments, sentence):
    """Guards against a traceback, and against a release or a restore that nobody confirmed."""
    if prepare:
        prepare(objects)
    before = {key: objects.read(key) for key in objects.list(".pulumi")}
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert {key: objects.read(key) for key in objects.list(".pulumi")} == before
