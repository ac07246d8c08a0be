"""Files that survive a kill at any moment."""

import os

import pytest

from infra.durable import write_durably, write_once


def test_a_kill_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    """Guards against half a file: the rename is what makes the new one valid."""
    path = tmp_path / "days/2017-s09.json"
    write_durably(path, "old")
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_durably(path, "new")
    assert path.read_text() == "old"


def test_what_is_written_is_not_for_other_users(tmp_path):
    """Guards against outputs with secrets that anyone can read."""
    path = tmp_path / "outputs/2017-core.json"
    write_durably(path, "{}")
    assert path.stat().st_mode & 0o777 == 0o600


def test_of_two_that_make_a_file_at_once_the_first_stays(tmp_path):
    """Guards against a second passphrase in place of the one that secrets were written with."""
    path = tmp_path / "home/passphrase"
    write_once(path, "first")
    write_once(path, "second")
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]
