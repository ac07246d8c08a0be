"""Commands of a step and what is told about them."""

from pathlib import Path

import pytest

from tests.tools.fakes import shell
from tools.setup.shell import CommandFailed, answer


def test_a_failure_names_the_command_and_the_log_has_what_it_said(tmp_path: Path) -> None:
    """`exit status 1` alone sends people to read our source."""
    runs = shell(tmp_path)
    with pytest.raises(CommandFailed, match=r"`sh -c .*` ended with 3\."):
        runs.run("sh", "-c", "echo the reason >&2; exit 3", remedy="mend it")
    assert runs.tail()[-1] == "the reason"


def test_a_command_that_is_not_installed_is_one_sentence(tmp_path: Path) -> None:
    """No FileNotFoundError with a traceback."""
    with pytest.raises(CommandFailed, match="`no-such-command` is not installed"):
        shell(tmp_path).run("no-such-command")


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    """A download from a host that never answers must not stop the whole morning."""
    with pytest.raises(CommandFailed, match="took longer than 0 s"):
        shell(tmp_path).run("sleep", "5", timeout=0.05)


def test_output_is_returned_and_logged(tmp_path: Path) -> None:
    """Steps read ids from commands, people read the log."""
    runs = shell(tmp_path)
    assert runs.run("cat", stdin="sha256:1\n") == "sha256:1\n"
    assert runs.tail() == ("$ cat", "sha256:1")


def test_a_question_without_an_answer_is_none() -> None:
    """Looking must never fail."""
    assert answer("no-such-command") is None
    assert answer("false") is None
    assert answer("echo", "yes") == "yes"
