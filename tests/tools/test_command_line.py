"""What a person, or a script, sees of a set-up."""

import io
import json
from pathlib import Path

import pytest

from infra.workspace import Workspace
from tests.tools.fakes import Bench
from tools.setup.__main__ import main
from tools.setup.plan import Target, plan
from tools.setup.report import Lines, as_json
from tools.setup.runner import Outcome, Status
from tools.setup.step import MissingPrerequisite, Problem


@pytest.mark.parametrize("target", list(Target))
def test_every_target_has_a_plan_whose_steps_have_names_of_their_own(target: Target, tmp_path: Path) -> None:
    """Logs and stamps are named by step; two of one name would overwrite each other."""
    checkout = Path(__file__).resolve().parents[2]
    names = [step.name for step in plan(Workspace(checkout, tmp_path / "home", tmp_path / "cache"), {target})]
    assert len(set(names)) == len(names)
    assert names[0] == "prerequisites"
    assert ("toolbox" in names) == (target in {Target.LAB, Target.ALL})
    assert ("nats-server" in names) == (target in {Target.QUICK, Target.LAB, Target.ALL})


def test_an_unknown_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit 2, no traceback."""
    with pytest.raises(SystemExit) as refused:
        main(["labs"])
    assert refused.value.code == 2
    assert "there is no target 'labs'; there are python, quick, lab, browser, all" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong ETAPE_CACHE must not show a traceback."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ETAPE_CACHE", str(tmp_path / "file/cache"))
    assert main(["python"]) == 1
    told = capsys.readouterr().err
    assert f"{tmp_path}/file/cache: Not a directory." in told
    assert "→" in told


def _outcome(name: str, status: Status) -> Outcome:
    return Outcome(Bench().step(name), status, 1.25, Path("logs") / f"{name}.log")


def test_quiet_tells_only_what_was_done() -> None:
    """`stage up` every morning should not begin with fifteen lines of nothing."""
    stream = io.StringIO()
    lines = Lines(quiet=True, stream=stream)
    outcomes = [_outcome("go", Status.THERE), _outcome("image", Status.MADE)]
    for outcome in outcomes:
        lines.ends(outcome)
    lines.over(outcomes, 1.5)
    assert stream.getvalue().splitlines() == [
        "  +     1.2 s  Image: done",
        "Set-up is complete: 1 of 2 steps had to be done, 1.5 s.",
    ]


def test_json_tells_each_step_and_each_problem() -> None:
    """CI and the day cycle read it."""
    error = MissingPrerequisite(Problem("No root.", "sudo"))
    told = json.loads(as_json([_outcome("go", Status.FAILED)], 2.0, error))
    assert told["ok"] is False
    assert told["steps"] == [{"name": "go", "title": "Go", "status": "failed", "seconds": 1.25, "log": "logs/go.log"}]
    assert told["problems"] == [{"sentence": "No root.", "remedy": "sudo"}]
