"""scripts/review from the command line: what it prints, where it ends, what it leaves as evidence."""

import json
from pathlib import Path

import pytest

from infra.evidence.seasons import Evidence
from infra.review.__main__ import main
from infra.review.report.formats import FORMATS
from infra.state_objects import FolderObjects
from infra.workspace import ROOT, Workspace
from tests.review.pulumi_state import PASSPHRASE, deployment, encrypted, resource

SEED = "seeded-secret-7f3a91c2"
STACK = "2017-core"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ETAPE_HOME in which the core was brought up twice, with another password the second time."""
    monkeypatch.setenv("ETAPE_HOME", str(tmp_path / "home"))
    state = FolderObjects(tmp_path / "home/state")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/passphrase").write_text(PASSPHRASE)
    for number, password in ((1, SEED), (2, f"{SEED}-rotated")):
        outputs = {"length": 32, "secret": encrypted(password, number)}
        held = resource(STACK, "etape:index:Credential", "hub_password", {"length": 32}, outputs=outputs)
        url = resource(STACK, "etape:index:Bucket", "archive", {"store": encrypted({"key": password}, number + 10)})
        stored = {"version": 3, "checkpoint": {"latest": deployment(held, url)["deployment"]}}
        moment = f".pulumi/history/etape/{STACK}/{STACK}-{1_500_000_000 + number * 3600}000000000"
        state.write(f"{moment}.checkpoint.json", json.dumps(stored))
        told = {"kind": "update", "result": "succeeded", "resourceChanges": {}}
        state.write(f"{moment}.history.json", json.dumps(told))
    return tmp_path / "home"


THEN, LATER = f"{STACK}@2017-07-14T04:00", f"{STACK}@2017-07-14T05:00"


def test_no_secret_is_in_any_format_nor_in_the_evidence(home, capsys) -> None:
    """Guards against a report that gives away what it was asked to guard."""
    for how in FORMATS:
        assert main([THEN, LATER, "--format", how]) == 0
    shown = capsys.readouterr().out
    assert "rotated-secret" in shown
    kept = b"".join(path.read_bytes() for path in (home / "evidence").rglob("*") if path.is_file())
    assert SEED not in shown
    assert SEED.encode() not in kept


def test_each_review_is_an_entry_of_the_evidence(home, capsys) -> None:
    """Guards against a review that nobody can show afterwards."""
    assert main([THEN, LATER, "--json", "--why", "the yearly audit"]) == 0
    told = json.loads(capsys.readouterr().out)
    (entry,) = Evidence(Workspace.from_environment()).log(STACK).entries()
    assert (entry.kind, entry.stack) == ("review", STACK)
    assert entry.facts["content_hash"] == told["content_hash"] == entry.files["review.json"]["sha256"]
    assert entry.facts["why"] == "the yearly audit"


def test_a_report_goes_to_a_file(home, tmp_path, capsys) -> None:
    """Guards against a page that has to be cut out of a terminal."""
    page = tmp_path / "page.html"
    assert main([THEN, LATER, "--format", "html", "--output", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == ""


def test_policies_are_held_against_a_stored_checkpoint(home, capsys) -> None:
    """Guards against a past that nobody holds to what is asked today."""
    assert main(["--policy", THEN, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["refused"] is True
    assert {each["resource"] for each in told["audit"][THEN]} >= {"hub_password"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([THEN], "compares two states, and 1 were named"),
        (["2017-s09", "2017-s99"], "there is no stack 2017-s99"),
        ([THEN, f"{STACK}@1999-01-01T00:00"], "its history begins"),
        ([THEN, "2017-core@git:nowhere"], "no revision 'nowhere'"),
        ([THEN, LATER, "--output", "/dev/null/x"], "cannot be written"),
    ],
)
def test_a_mistake_is_a_sentence_with_a_remedy_and_ends_in_2(home, capsys, arguments, said) -> None:
    """Guards against tracebacks, and against a report of something else than what was asked."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "To go on:" in error
    assert "Traceback" not in error


def test_help_has_an_example_of_every_source(capsys) -> None:
    """Guards against sources that nobody finds."""
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("@applied", "@plan", "@actual", "@git:", "@2017-07-09T10:00", "--policy"))


def test_the_script_is_where_it_says() -> None:
    """Guards against examples of a command that does not exist."""
    assert (ROOT / "scripts/review").stat().st_mode & 0o111
