"""scripts/stage signs and sends whatever a verb wrote, and shows the log to people."""

import json

import pytest

from infra.day.__main__ import main
from infra.evidence.seasons import Evidence
from infra.workspace import ROOT, Workspace
from tests.evidence.examples import allowed_signers, operator, verify


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An ETAPE_HOME in which a command was killed before it signed."""
    monkeypatch.setenv("ETAPE_HOME", str(tmp_path))
    Evidence(Workspace(ROOT, tmp_path, tmp_path / "cache")).append("up", "2017-s09", {"changes": {"create": 158}})
    return tmp_path


def test_the_next_command_signs_what_a_killed_one_wrote(home, capsys):
    """Guards against entries that stay unsigned because their command did not live to sign them."""
    keys = allowed_signers(home, operator(home))
    assert not verify(home / "evidence/2017", "--keys", keys).proven
    assert main(["log", "2017-s09", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["result"]["entries"]
    assert [(entry["kind"], entry["stack"]) for entry in entries] == [("up", "2017-s09")]
    assert verify(home / "evidence/2017", "--keys", keys).proven


def test_a_broken_log_is_one_sentence_with_a_remedy(home, capsys):
    """Guards against a traceback, and against exit code 0, for a log that somebody edited."""
    (part,) = (home / "evidence/2017").glob("*/log/*.jsonl")
    part.write_bytes(part.read_bytes().replace(b"158", b"157"))
    assert main(["log", "2017-s09"]) == 1
    errors = capsys.readouterr().err
    assert "log/00000001.jsonl line 1 was changed" in errors
    assert "scripts/verify-evidence" in errors
    assert "Traceback" not in errors


def test_a_command_that_is_refused_leaves_no_empty_log(tmp_path, monkeypatch, capsys):
    """Guards against a season folder without an entry, which proves nothing and looks like a loss."""
    monkeypatch.setenv("ETAPE_HOME", str(tmp_path))
    assert main(["log", "2017-s99"]) == 2
    assert main(["log", "2017-s09"]) == 0
    assert not (tmp_path / "evidence/2017").exists()


def test_the_keys_of_the_estate_are_a_file_for_the_proof(home, capsys):
    """Guards against an auditor who has to write the list of signers by hand."""
    assert main(["log", "2017-s09", "--signers", "--json"]) == 0
    assert "allowed_signers" in json.loads(capsys.readouterr().out)["result"]
