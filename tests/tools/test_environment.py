"""The shell in which plain pulumi works."""

import os
import stat
from pathlib import Path

from infra.workspace import Toolbox, Workspace
from tools.shell import environment

TOOLBOX = Toolbox("unix:///run/docker.sock", "sha256:1", ("/venv/bin", "/engine"), "release.tar.gz", "")


def test_the_engines_come_first_on_path(tmp_path: Path) -> None:
    """The language host takes the first Python on PATH, whatever the virtual environment is."""
    workspace = Workspace(tmp_path, tmp_path / "home", tmp_path / "cache")
    added = environment(workspace, TOOLBOX, {"PATH": "/bin"})
    assert added["PATH"] == os.pathsep.join(["/venv/bin", "/engine", "/bin"])
    assert added["DOCKER_HOST"] == TOOLBOX.docker_host
    assert added["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/home/state"


def test_the_passphrase_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """Another passphrase, and every secret in the state is lost."""
    workspace = Workspace(tmp_path, tmp_path / "home", tmp_path / "cache")
    file = Path(environment(workspace, TOOLBOX, {})["PULUMI_CONFIG_PASSPHRASE_FILE"])
    secret = file.read_text()
    assert len(secret) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    environment(workspace, TOOLBOX, {})
    assert file.read_text() == secret
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".passphrase")] == []
