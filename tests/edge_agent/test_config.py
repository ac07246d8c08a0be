"""Every mistake in the configuration is one sentence, and all of them come at once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from edge_agent.config import ConfigError, read_config

from tests.edge_agent.examples import CONFIG, config, write


def mistakes(folder: Path, document: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read_config(write(folder, document))
    return [line.removeprefix(f"{folder}/edge_agent.json: ") for line in str(error.value).splitlines()]


def test_what_the_playbook_writes_is_read(tmp_path: Path) -> None:
    """Guards: agent and role disagree about the file."""
    assert read_config(write(tmp_path, CONFIG)) == config()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("stack", "", 'stack is ""; write a text that is not empty'),
        ("ports", "eno1", 'ports is "eno1"; write a list of port names'),
        ("interval_s", 0, "interval_s is 0; write a number of seconds from 1 to 60"),
        ("interval_s", True, "interval_s is true; write a number of seconds from 1 to 60"),
        ("hub", None, "hub is null; write an object"),
        ("hub", {"url": "nats://h:1", "user": "etape"}, "hub.password is missing; write a text that is not empty"),
        ("units", [3], "units[0] is not an object; write an object"),
    ],
)
def test_a_mistake_names_the_field_and_the_remedy(tmp_path: Path, field: str, value: Any, sentence: str) -> None:
    """Guards: a traceback on a node that nobody can reach."""
    assert mistakes(tmp_path, {**CONFIG, field: value}) == [sentence]


def test_a_field_that_is_not_known_is_refused(tmp_path: Path) -> None:
    """Guards: a typing error that silently means the default."""
    assert "intervall_s is not a field that the agent knows" in mistakes(tmp_path, {**CONFIG, "intervall_s": 5})[0]


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    """Guards: one deploy for each mistake."""
    assert len(mistakes(tmp_path, {"hub": {}, "units": [], "ports": [], "uplink_target": None})) == 6


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_file_that_is_no_object_is_one_sentence(tmp_path: Path, text: str) -> None:
    """Guards: a truncated file ends in a traceback."""
    assert len(mistakes(tmp_path, text)) == 1


def test_the_command_ends_with_2_and_no_traceback(tmp_path: Path) -> None:
    """Guards: systemd restarts what can only be mended by a person, without a word."""
    command = [sys.executable, "-m", "edge_agent", "--config", str(tmp_path / "missing.json"), "--once"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "cannot be read (No such file or directory): run the deploy playbook" in ended.stderr
