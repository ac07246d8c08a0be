"""What the verbs of a day leave behind, whatever the store, the engine or a kill does to them."""

import base64
import json
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from infra.day.evidence import close_season, conclude, deliver, keep_season, recorded
from infra.day.log import show_log
from infra.day.outcome import Failure
from infra.day.witness import Witness
from infra.engine import EngineError
from infra.events import Changes
from infra.evidence.log import EvidenceError
from infra.evidence.store import send
from tests.evidence.day import AWAY, PASSPHRASE, SECRET, quiet_day, said, write_events
from tests.evidence.examples import allowed_signers, operator, season, verify


@dataclass
class Told:
    """What an operation of the engine says of itself."""

    errors: list[str] = field(default_factory=list)
    changes: Changes = Changes({"create": 2, "same": 1})


def witness(day) -> Witness:
    return Witness(day.workspace, day.evidence, day.estate)


def attached(day, entry, name: str) -> bytes:
    (path,) = day.evidence.log("2017").folder.glob(f"*/files/{entry.files[name]['sha256']}")
    return path.read_bytes()


def keys(day, folder):
    return allowed_signers(folder, operator(day.workspace.home))


def test_an_up_leaves_what_was_wanted_and_what_came_of_it(tmp_path):
    """Guards against a change that nobody can explain after the town is gone."""
    day = quiet_day(tmp_path)
    with witness(day)("2017-s09", "up", Told()):
        write_events(day, "2017-s09", "up", {"summaryEvent": {}})
    begin, up, policy = day.evidence.log("2017").entries()
    assert (begin.kind, up.kind, policy.kind) == ("begin", "up", "policy")
    assert json.loads(attached(day, begin, "model.json"))["stack"] == "2017-s09"
    assert begin.facts["checkout"].keys() == {"commit", "changed"}
    assert "pulumi" in begin.facts["tools"]
    assert up.facts == {"outcome": "done", "error": "", "changes": {"create": 2, "same": 1}, "begin": 1}
    assert json.loads(attached(day, up, "checkpoint.json"))["deployment"]["resources"][0]["urn"] == "urn:2017-s09"
    assert b"summaryEvent" in attached(day, up, "events.jsonl")


def test_what_the_policies_objected_to_is_an_entry_of_its_own(tmp_path):
    """Guards against an advisory finding that scrolls by and is denied later."""
    day = quiet_day(tmp_path)
    finding = {
        "policyName": "image-pinned",
        "enforcementLevel": "mandatory",
        "resourceUrn": "urn:pulumi:2017-s09::etape::a:b:C::web-1",
        "message": "the image has no digest",
    }
    write_events(day, "2017-s09", "up", {"policyEvent": finding})
    with pytest.raises(EngineError), witness(day)("2017-s09", "up", Told()):
        raise EngineError("up of 2017-s09 is refused by policy", "mend it")
    _, up, policy = day.evidence.log("2017").entries()
    assert (up.facts["outcome"], up.facts["error"]) == ("failed", "up of 2017-s09 is refused by policy")
    assert policy.facts["refused"] == 1
    assert policy.facts["findings"][0]["resource"] == "web-1"


def test_an_operation_that_is_killed_has_left_its_beginning(tmp_path):
    """Guards against a change that leaves no trace when its command is killed just in time."""
    day = quiet_day(tmp_path)
    entered = witness(day)("2017-s09", "destroy", Told())
    entered.__enter__()
    assert [entry.kind for entry in quiet_day(tmp_path).evidence.log("2017").entries()] == ["begin"]
    entered.__exit__(None, None, None)


def test_a_deploy_that_fails_is_told_with_its_reason(tmp_path):
    """Guards against a log of successes."""
    day = quiet_day(tmp_path)
    with pytest.raises(Failure), recorded(day, "deploy", "2017-s09", {"release": "abc"}):
        raise Failure("web-1 does not answer", "look")
    (deploy,) = day.evidence.log("2017").entries()
    assert deploy.facts == {"release": "abc", "outcome": "failed", "error": "web-1 does not answer"}


def test_seeded_secrets_are_in_no_file_of_the_evidence(tmp_path):
    """Guards against credentials that go to a store where nothing can ever be deleted."""
    day = quiet_day(tmp_path)
    forms = [SECRET, PASSPHRASE, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()]
    leak = {"diagnosticEvent": {"message": f"cannot log in with {' or '.join(forms)}", "severity": "error"}}
    with witness(day)("2017-s09", "destroy", Told()):
        write_events(day, "2017-s09", "destroy", leak)
        day.workspace.outputs("2017-s09").unlink()
        day.workspace.outputs("2017-core").unlink()
    day.evidence.append("review", "2017-s09", {"why": forms}, {"report.html": " ".join(forms).encode()})
    conclude(day)
    key = day.workspace.private_key.read_text().splitlines()[2]
    written = [path.read_text() for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    assert len(written) >= 6
    assert [form for form in [*forms, key] for text in written if form in text] == []
    assert any("[secret]" in text for text in written)


def test_nothing_is_destroyed_while_the_store_does_not_take_the_evidence(tmp_path):
    """Guards against a teardown that goes on although only one laptop has the evidence, and nobody was asked."""
    day = quiet_day(tmp_path, AWAY)
    day.evidence.append("export", "2017-s09", {})
    with pytest.raises(Failure) as raised:
        deliver(day, day.estate("2017-s09"), later=False)
    assert "is kept in" in raised.value.sentence
    assert "--evidence-later" in raised.value.remedy


def test_an_operator_who_says_so_goes_on_and_the_next_command_delivers(tmp_path, store):
    """Guards against a truck that cannot leave town because the cloud's store is down."""
    day = quiet_day(tmp_path, AWAY)
    day.evidence.append("export", "2017-s09", {})
    deliver(day, day.estate("2017-s09"), later=True)
    assert "is kept in" in said(day)
    (trouble,) = conclude(day)
    assert "sent by the next command" in trouble
    tomorrow = quiet_day(tmp_path, store)
    tomorrow.evidence.append("up", "2017-s10", {})
    assert conclude(tomorrow) == ()
    keep_season(tomorrow, tomorrow.estate("2017-core"))
    assert verify(tmp_path / "seasons/2017/evidence", "--keys", keys(day, tmp_path)).proven


def test_a_season_that_never_had_a_store_is_kept_without_a_word(tmp_path):
    """Guards against a review of another year that complains of a store that nobody ever made."""
    day = quiet_day(tmp_path, AWAY)
    day.evidence.append("review", "2016", {})
    assert conclude(day) == ()
    assert day.evidence.log("2016").closed() != ()


def test_a_season_ends_with_an_entry_that_names_every_chain(tmp_path, store):
    """Guards against the loss of an operator's whole log after the store is gone."""
    night = season(tmp_path / "night", operator(tmp_path / "night"))
    night.append("up", "2017-s09", {})
    night.seal()
    day = quiet_day(tmp_path, store)
    send(night, store)
    core = day.estate("2017-core")
    day.evidence.append("export", "2017-core", {})
    deliver(day, core, later=False)
    keep_season(day, core)
    day.evidence.append("destroy", "2017-core", {})
    close_season(day, core)
    folder = tmp_path / "seasons/2017/evidence"
    both = (
        keys(day, tmp_path).read_text() + allowed_signers(tmp_path / "night", operator(tmp_path / "night")).read_text()
    )
    (tmp_path / "allowed_signers").write_text(both)
    assert verify(folder, "--keys", tmp_path / "allowed_signers").proven
    closing = day.evidence.log("2017").entries()[-1]
    (chain,) = (path for path in folder.iterdir() if path.name in {each.name for each in night.folder.iterdir()})
    assert closing.facts["witnessed"][chain.name]["seq"] == 1
    for path in sorted(chain.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    chain.rmdir()
    assert "cut off after 0" in verify(folder, "--keys", tmp_path / "allowed_signers").at("log")


def test_a_broken_log_is_told_by_the_command_that_met_it_and_by_the_log_itself(tmp_path):
    """Guards against a silent pass of a log that somebody edited."""
    day = quiet_day(tmp_path)
    day.evidence.append("up", "2017-s09", {"changes": {"create": 3}})
    (part,) = (tmp_path / "evidence/2017").glob("*/log/*.jsonl")
    part.write_bytes(part.read_bytes().replace(b'"create":3', b'"create":2'))
    again = quiet_day(tmp_path)
    again.evidence.append("destroy", "2017-s09", {})
    assert any("line 1 was changed" in trouble for trouble in conclude(again))
    with pytest.raises(Failure, match="line 1 was changed"):
        show_log(again, "2017-s09")
    assert "destroy" in said(again)


def test_evidence_that_cannot_be_written_stops_the_command(tmp_path):
    """Guards against changes that nobody recorded because the disk was full."""
    day = quiet_day(tmp_path)
    (tmp_path / "evidence").write_text("not a folder")
    with pytest.raises(EvidenceError, match="cannot be written"):
        day.evidence.append("up", "2017-s09", {})


def test_the_log_tells_a_day_in_lines(tmp_path):
    """Guards against evidence that only machines can read."""
    day = quiet_day(tmp_path)
    day.evidence.append("up", "2017-s09", {"outcome": "done", "changes": {"create": 158, "same": 4}})
    day.evidence.append("drain", "2017-s09", {"outcome": "equal at both ends", "readings": 7})
    show_log(day, "2017-s09", only=True)
    assert "158 create, outcome: done" in said(day)
    assert "2 entries" in said(day)


def test_without_ssh_keygen_the_day_goes_on_and_says_what_is_not_signed(tmp_path, store, monkeypatch):
    """Guards against a traceback on a machine without OpenSSH, and against entries that nobody ever signs."""
    day = quiet_day(tmp_path, store)
    day.evidence.append("up", "2017-s09", {})
    monkeypatch.setenv("PATH", "/nonexistent")
    (trouble,) = conclude(day)
    assert "is not signed" in trouble
    with pytest.raises(Failure, match="ssh-keygen"):
        deliver(day, day.estate("2017-s09"), later=False)
    monkeypatch.undo()
    assert conclude(day) == ()
    assert verify(tmp_path / "evidence/2017", "--keys", keys(day, tmp_path)).proven


def test_what_a_kill_left_is_told_by_the_next_command(tmp_path):
    """Guards against half a line that is set aside where nobody looks."""
    day = quiet_day(tmp_path)
    day.evidence.append("up", "2017-s09", {})
    (part,) = (tmp_path / "evidence/2017").glob("*/log/*.jsonl")
    part.write_bytes(part.read_bytes() + b'{"at":')
    again = quiet_day(tmp_path)
    again.evidence.append("down", "2017-s09", {})
    assert any("torn line is kept" in trouble for trouble in conclude(again))
