"""What an operator reads when a request cannot be carried out: a sentence, a remedy, exit code 2."""

import json

import pytest

from infra.day.__main__ import VERBS, main
from infra.day.record import Phase, Record, Records
from infra.workspace import Workspace


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An operator who never brought anything up."""
    monkeypatch.setenv("ETAPE_HOME", str(tmp_path))
    return Workspace.from_environment()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["up", "2017-s99"], "there is no stack '2017-s99'"),
        (["check", "2017-s9"], "Did you mean 2017-s09"),
        (["check", "2017-s09"], "2017-s09 is not up"),
        (["down", "2017-core"], "2017-core lives a season"),
        (["next", "2017-s21"], "2017-s21 is the last stage of its edition"),
        (["next", "2017-core"], "2017-core is not a stage"),
        (["down", "--core"], "no one is here to answer"),
        (["down", "--abandon"], "no one is here to answer"),
    ],
)
def test_a_refusal_is_a_sentence_with_a_remedy(arguments, sentence, capsys):
    """Guards against a traceback, and against something half-done."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "To go on: " in said.err
    assert said.out == ""


def test_a_second_truck_is_refused_before_anything_is_made(home, capsys):
    """Guards against the conflict of 2016: two trucks with one set of addresses."""
    Records(home).write(Record(stack="2017-s09", phase=Phase.LIVE))
    assert main(["up", "2017-s10"]) == 2
    assert "cannot be in two towns" in capsys.readouterr().err
    assert main(["up", "2017-core"]) == 2
    assert "scripts/stage up 2017-s09" in capsys.readouterr().err


def test_a_second_season_is_refused_until_the_first_has_ended(home, capsys):
    """Guards against two seasons in one set of networks, of which the second fails halfway."""
    Records(home).write(Record(stack="2017-core", phase=Phase.LIVE))
    assert main(["up", "2018-s11"]) == 2
    assert "scripts/stage down 2017-core --core" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["up", "--scale", "huge"], ["up", "--speed", "1000"], ["fly"], []])
def test_a_word_that_no_command_knows_is_refused_with_the_usage(arguments, capsys):
    """Guards against a default where the operator meant something else."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: scripts/stage" in capsys.readouterr().err


def test_the_list_names_every_stage_and_what_is_up(home, capsys):
    """Guards against a list that shows a stage as down while its truck stands in the town."""
    Records(home).write(Record(stack="2017-s09", phase=Phase.LIVE))
    assert main(["list", "--json"]) == 0
    stacks = {each["stack"]: each["phase"] for each in json.loads(capsys.readouterr().out)["result"]["stacks"]}
    assert len([stack for stack in stacks if stack.startswith("2017-")]) == 22
    assert [stack for stack, phase in stacks.items() if phase == "live"] == ["2017-s09"]


def test_every_help_has_an_example(capsys):
    """Guards against a command that can only be guessed."""
    for verb in VERBS:
        with pytest.raises(SystemExit):
            main([verb.name, "--help"])
        assert f"example: scripts/stage {verb.name}" in capsys.readouterr().out
