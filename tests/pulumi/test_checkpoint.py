"""A stack's state and its history, read from the backend's files."""

import json
from datetime import UTC, datetime

import pytest

from infra.checkpoint import checkpoint_key, checkpoint_text, read_checkpoint, read_deployment, read_history, restore
from infra.engine_error import StateError
from infra.state_objects import FolderObjects

STACK = "2017-s09"
KEY = checkpoint_key(STACK)
HISTORY = f".pulumi/history/etape/{STACK}/{STACK}"


@pytest.fixture
def objects(tmp_path):
    return FolderObjects(tmp_path)


def deployment(*nodes: str) -> dict:
    resources = [{"type": "docker:index/container:Container", "id": node, "urn": f"urn::{node}"} for node in nodes]
    return {"version": 3, "deployment": {"resources": resources}}


def remember(objects: FolderObjects, second: int, kind: str, text: str) -> None:
    """One operation of the past, and the checkpoint that it left."""
    told = {"kind": kind, "result": "succeeded", "message": "", "resourceChanges": {"create": 1}}
    objects.write(f"{HISTORY}-{second * 10**9}.history.json", json.dumps(told))
    objects.write(f"{HISTORY}-{second * 10**9}.checkpoint.json", text)


def test_a_stack_that_never_was_has_no_checkpoint(objects):
    """Guards against an error where there is only nothing."""
    assert read_checkpoint(objects, STACK) is None
    assert read_history(objects, STACK) == ()


def test_a_checkpoint_says_what_docker_has_and_what_was_left_open(objects):
    """Guards against machines that a killed engine made and nobody takes away."""
    latest = {**deployment("a", "b")["deployment"], "pending_operations": [{}]}
    objects.write(KEY, checkpoint_text(STACK, {"deployment": latest}))
    found = read_checkpoint(objects, STACK)
    assert (found.docker_ids, found.pending) == ({"a", "b"}, 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"version": 3, "checkpoint": {"lat', "Unterminated string starting at at line 1, column 31"),
        ("", "Expecting value at line 1, column 1"),
        ("[]", "it holds no JSON object"),
        ("{}", "it has no field `checkpoint`"),
        ('{"checkpoint": {"latest": {"resources": 7}}}', "is no list of resources"),
        ('{"checkpoint": {"latest": {"resources": [{}]}}}', "is no list of resources"),
        ('{"checkpoint": {"latest": []}}', "is no list of resources"),
    ],
)
def test_a_corrupt_checkpoint_is_a_sentence_with_a_remedy(objects, text, why):
    """Guards against a traceback, and against a corrupt state that passes for an empty one."""
    objects.write(KEY, text)
    for read in (read_checkpoint, read_deployment):
        with pytest.raises(StateError) as caught:
            read(objects, STACK)
        assert caught.value.sentence.startswith(f"the state of {STACK} is corrupt: {objects.place(KEY)}: ")
        assert why in caught.value.sentence
        assert f"scripts/stage restore {STACK}" in caught.value.remedy


def test_history_is_every_operation_with_its_moment_and_its_deployment(objects):
    """Guards against a report that cannot go back to the state before a change."""
    remember(objects, 1_500_000_000, "update", checkpoint_text(STACK, deployment("a")))
    remember(objects, 1_500_000_060, "destroy", checkpoint_text(STACK, deployment()))
    first, second = read_history(objects, STACK)
    assert (first.at, first.kind, first.result) == (datetime(2017, 7, 14, 2, 40, tzinfo=UTC), "update", "succeeded")
    assert (first.changes, first.read()) == ({"create": 1}, deployment("a"))
    assert (second.kind, second.read()) == ("destroy", deployment())


def test_a_corrupt_entry_of_the_history_is_told_and_hides_no_other(objects):
    """Guards against a whole past that is lost to one bad file."""
    remember(objects, 1_500_000_000, "update", checkpoint_text(STACK, deployment("a")))
    objects.write(f"{HISTORY}-{1_500_000_060 * 10**9}.history.json", "{")
    first, second = read_history(objects, STACK)
    assert first.kind == "update"
    assert second.kind == "unreadable"
    assert "is corrupt" in second.result


def test_restore_puts_the_newest_good_state_back_and_keeps_the_corrupt_one(objects, tmp_path):
    """Guards against a state that someone has to mend by hand, and against lost traces of what spoilt it."""
    remember(objects, 1_500_000_000, "update", checkpoint_text(STACK, deployment("old")))
    remember(objects, 1_500_000_060, "update", checkpoint_text(STACK, deployment("good")))
    remember(objects, 1_500_000_120, "update", '{"checkpoint"')
    objects.write(KEY, '{"checkpoint"')
    assert restore(objects, STACK).at == datetime(2017, 7, 14, 2, 41, tzinfo=UTC)
    assert read_deployment(objects, STACK) == deployment("good")
    (kept,) = (tmp_path / ".pulumi/corrupt").iterdir()
    assert kept.read_text() == '{"checkpoint"'


def test_a_state_that_was_removed_comes_back_too(objects):
    """Guards against a stack that its own history would bring back, if anybody asked it."""
    remember(objects, 1_500_000_000, "update", checkpoint_text(STACK, deployment("a")))
    restore(objects, STACK)
    assert read_deployment(objects, STACK) == deployment("a")


def test_a_whole_state_is_not_replaced(objects):
    """Guards against an older state in the place of the true one."""
    objects.write(KEY, checkpoint_text(STACK, deployment("now")))
    remember(objects, 1_500_000_000, "update", checkpoint_text(STACK, deployment("old")))
    with pytest.raises(StateError, match="is whole: nothing was put back"):
        restore(objects, STACK)
    assert read_deployment(objects, STACK) == deployment("now")


def test_without_a_good_state_nothing_is_touched(objects):
    """Guards against a corrupt state that is replaced by none at all."""
    objects.write(KEY, "{")
    remember(objects, 1_500_000_000, "update", "{")
    with pytest.raises(StateError, match="no good one among 1 of its history"):
        restore(objects, STACK)
    assert objects.read(KEY) == "{"
