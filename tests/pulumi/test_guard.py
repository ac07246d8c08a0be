"""`pulumi stack rm` in the shell: refused until the evidence log holds the stack's history."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.checkpoint import checkpoint_text, history_files, read_history
from infra.evidence.seasons import Evidence
from infra.guard import KIND, facts_of, stack_to_remove
from infra.state_objects import FolderObjects
from infra.workspace import ROOT, Workspace

STACK = "2017-s09"
PULUMI = """#!/bin/sh
echo "pulumi was asked: $*"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An operator's home, and a stand-in for Pulumi behind the guard."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pulumi").write_text(PULUMI)
    (tmp_path / "bin/pulumi").chmod(0o755)
    return tmp_path / "home"


def ask(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([f"{ROOT}/infra/guard", f"{home.parent}/bin", f"{ROOT}/.venv/bin", os.environ["PATH"]])
    outside = {"PATH": path, "ETAPE_HOME": str(home), "HOME": str(home)}
    return subprocess.run(["pulumi", *arguments], env=outside, capture_output=True, text=True, cwd=home.parent)


def remember(home: Path, second: int) -> FolderObjects:
    """An operation on the stack that came to an end then."""
    objects = FolderObjects(home / "state")
    name = f".pulumi/history/etape/{STACK}/{STACK}-{second * 10**9}"
    objects.write(f"{name}.history.json", json.dumps({"kind": "update", "result": "succeeded"}))
    objects.write(f"{name}.checkpoint.json", checkpoint_text(STACK, {}))
    return objects


def keep(home: Path, objects: FolderObjects) -> None:
    """As `scripts/stage keep` does it."""
    files = {name: text.encode() for name, text in history_files(objects, STACK).items()}
    assert len(files) == 2 * len(read_history(objects, STACK))
    facts = facts_of(read_history(objects, STACK))
    Evidence(Workspace(ROOT, home, home)).append(KIND, STACK, facts, files)


def test_a_history_that_nobody_kept_is_not_deleted(home):
    """Guards against what happened before a change being gone with one command."""
    remember(home, 1_500_000_000)
    said = ask(home, "stack", "rm", STACK, "--yes")
    assert said.returncode == 2
    assert "pulumi was asked" not in said.stdout
    assert f"scripts/stage keep {STACK}" in said.stderr


def test_a_history_that_is_kept_may_go_until_something_new_happens(home):
    """Guards against a guard that is always in the way, and against one that an old entry satisfies for ever."""
    keep(home, remember(home, 1_500_000_000))
    assert "pulumi was asked: stack rm" in ask(home, "stack", "rm", STACK, "--yes").stdout
    remember(home, 1_500_000_060)
    assert ask(home, "stack", "rm", STACK, "--yes").returncode == 2


def test_a_stack_without_a_past_may_go(home):
    """Guards against a stack made by mistake that nobody can remove."""
    assert ask(home, "stack", "rm", STACK, "--yes").returncode == 0


@pytest.mark.parametrize("command", [("preview", "-s", STACK), ("stack", "ls"), ("stack", "rm", "--help")])
def test_everything_else_goes_through(home, command):
    """Guards against a shell in which plain Pulumi does not work."""
    remember(home, 1_500_000_000)
    assert ask(home, *command).stdout.strip() == f"pulumi was asked: {' '.join(command)}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["stack", "rm", STACK],
        ["stack", "delete", "--yes", f"organization/etape/{STACK}"],
        ["-C", "stack", "stack", "remove", "-s", STACK, "--force"],
        ["stack", f"--stack={STACK}", "rm"],
    ],
)
def test_the_stack_is_found_however_it_is_named(arguments):
    """Guards against a history that goes because its stack was named in another way."""
    assert stack_to_remove(arguments) == STACK


def test_the_selected_stack_has_to_be_named(home):
    """Guards against a guard that looks at another stack than Pulumi removes."""
    said = ask(home, "stack", "rm", "--yes")
    assert (said.returncode, "name it" in said.stderr) == (2, True)
