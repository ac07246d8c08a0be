"""Who holds a stack, and who may say that they do not any more."""

import json
import os
import socket

import pytest

from infra.engine_error import StateError
from infra.locks import read_locks, release_all, release_dead
from infra.state_objects import FolderObjects

STACK = "2017-s09"
FOLDER = f".pulumi/locks/organization/etape/{STACK}"
DEAD = 2**22 + 1
"""No process of any machine has this number."""


@pytest.fixture
def objects(tmp_path):
    return FolderObjects(tmp_path / "state")


def hold(objects: FolderObjects, process: int, host: str = "", since: str = "2017-07-09T10:00:00Z") -> None:
    told = {"pid": process, "username": "ops", "hostname": host or socket.gethostname(), "timestamp": since}
    objects.write(f"{FOLDER}/{process}-{host}.json", json.dumps(told))


def test_a_holder_is_named_with_machine_process_and_time(objects):
    """Guards against 'the stack is locked' without anybody to call."""
    hold(objects, 7, host="truck")
    assert [str(lock) for lock in read_locks(objects, STACK)] == ["ops@truck (process 7) since 2017-07-09T10:00:00Z"]


def test_a_dead_engine_of_this_machine_holds_nothing(objects):
    """Guards against a stack that stays locked after a SIGKILL."""
    hold(objects, DEAD)
    release_dead(objects, STACK)
    assert read_locks(objects, STACK) == ()


def test_a_number_that_another_program_has_now_is_a_dead_engines(objects):
    """Guards against a stack that stays locked because a reboot gave the number away again."""
    hold(objects, os.getpid())
    release_dead(objects, STACK)
    assert read_locks(objects, STACK) == ()


@pytest.mark.parametrize("release", [release_dead, release_all])
def test_a_living_engine_of_this_machine_keeps_its_lock(objects, living_pulumi, release):
    """Guards against two engines on one state, even where a person asks for it."""
    hold(objects, living_pulumi)
    hold(objects, DEAD)
    with pytest.raises(StateError) as caught:
        release(objects, STACK)
    assert f"(process {living_pulumi})" in caught.value.sentence
    assert "unlock" not in caught.value.remedy
    assert len(read_locks(objects, STACK)) == 2


def test_another_machines_lock_goes_only_when_a_person_says_so(objects):
    """Guards against breaking into a colleague's `up`: from here nobody sees whether it lives."""
    hold(objects, DEAD, host="truck")
    with pytest.raises(StateError) as caught:
        release_dead(objects, STACK)
    assert f"scripts/stage unlock {STACK}" in caught.value.remedy
    assert [lock.host for lock in release_all(objects, STACK)] == ["truck"]
    assert read_locks(objects, STACK) == ()


def test_a_lock_that_cannot_be_read_counts_as_somebodys(objects):
    """Guards against a half-written lock that passes for none, and against one that can never be released."""
    objects.write(f"{FOLDER}/x.json", '{"pid"')
    with pytest.raises(StateError, match="an unknown machine"):
        release_dead(objects, STACK)
    assert len(release_all(objects, STACK)) == 1
