"""The shell in which plain pulumi and ansible-playbook work."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from infra.workspace import ROOT, Toolbox, Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A machine on which set-up has run."""
    workspace = Workspace(ROOT, tmp_path / "home", tmp_path / "cache")
    workspace.toolbox.parent.mkdir(parents=True)
    toolbox = Toolbox("unix:///nowhere.sock", "sha256:1", ("/venv/bin", "/engine"), "release.tar.gz", "")
    workspace.toolbox.write_text(json.dumps(asdict(toolbox)))
    return workspace


def in_shell(workspace: Workspace, command: str) -> str:
    """What `scripts/shell -c COMMAND` prints."""
    outside = {"PATH": os.environ["PATH"], "ETAPE_HOME": str(workspace.home), "ETAPE_CACHE": str(workspace.cache)}
    console = [sys.executable, "-m", "infra.console", "-c", command]
    return subprocess.run(console, env=outside, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_pulumi_finds_its_engine_its_state_and_the_lab(workspace: Workspace) -> None:
    """The language host takes the first Python on PATH, whatever the virtual environment is."""
    path, docker, state = in_shell(workspace, "echo $PATH $DOCKER_HOST $PULUMI_BACKEND_URL").split()
    assert path.startswith(os.pathsep.join([f"{ROOT}/infra/guard", "/venv/bin", "/engine", ""]))
    assert docker == "unix:///nowhere.sock"
    assert state == f"file://{workspace.home}/state"


def test_ansible_finds_the_inventory_by_the_home_it_is_in(workspace: Workspace) -> None:
    """Guards against the README's own example failing where ETAPE_HOME is the default."""
    assert in_shell(workspace, "echo $ETAPE_HOME; pwd").splitlines() == [str(workspace.home), str(ROOT)]


def test_the_passphrase_is_made_once_and_for_its_owner_only(workspace: Workspace) -> None:
    """Another passphrase, and every secret in the state is lost."""
    ask = "cat $PULUMI_CONFIG_PASSPHRASE_FILE; stat --format=' %a' $PULUMI_CONFIG_PASSPHRASE_FILE"
    secret, mode = in_shell(workspace, ask).split()
    assert (len(secret) >= 32, mode) == (True, "600")
    assert in_shell(workspace, ask).split() == [secret, mode]


def test_ones_own_pulumi_saves_every_step(workspace: Workspace) -> None:
    """The day cycle finds what a killed engine made unrecorded; plain pulumi would have lost it."""
    assert in_shell(workspace, "echo ${PULUMI_SKIP_CHECKPOINTS-unset}") == "unset"
