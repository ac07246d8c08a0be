"""Whose engines and toolchains are used."""

from pathlib import Path

import pytest

from infra.workspace import Workspace
from tests.tools.fakes import command
from tools.setup.docker import OWN, USERS, docker_host
from tools.setup.engines import all_built, engine_path, users_pulumi
from tools.setup.toolchains import GO, NODE


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A machine with nothing on PATH but what a test puts into bin/."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    checkout = Path(__file__).resolve().parents[2]
    return Workspace(root=checkout, home=tmp_path / "home", cache=tmp_path / "cache")


@pytest.mark.parametrize(("version", "used"), [("v3.259.0", True), ("v3.199.0", False), ("v4.200.0", False)])
def test_the_users_pulumi_is_used_where_its_version_fits(machine: Workspace, version: str, used: bool) -> None:
    """People have their own engine; an old one cannot read the program."""
    folder = machine.cache.parent / "bin"
    command(folder, "pulumi", version)
    command(folder, "pulumi-language-python", "")
    assert users_pulumi(machine) == (folder if used else None)


def test_a_pulumi_without_the_python_host_is_not_used(machine: Workspace) -> None:
    """It would fail at the first preview."""
    command(machine.cache.parent / "bin", "pulumi", "v3.259.0")
    assert users_pulumi(machine) is None


def test_our_own_engine_on_path_is_not_taken_for_the_users(machine: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In `scripts/shell` ours is first on PATH; it must still be rebuilt when its pins change."""
    for name in ("pulumi", "pulumi-language-python"):
        command(machine.cache / "engine", name, "v3.259.0")
    monkeypatch.setenv("PATH", str(machine.cache / "engine"))
    assert users_pulumi(machine) is None


def test_the_official_docker_plugin_needs_no_folder_of_ours(machine: Workspace) -> None:
    """A plugin on PATH would hide the installed one."""
    ours = str(machine.cache / "plugins")
    assert ours in engine_path(machine)
    (machine.cache.parent / "pulumi-home/plugins/resource-docker-v5.2.0").mkdir(parents=True)
    assert ours not in engine_path(machine)


def test_go_and_node_of_the_user_are_used_where_new_enough(machine: Workspace) -> None:
    """Debian 12 has Node 18 and Go 1.19: both too old."""
    folder = machine.cache.parent / "bin"
    command(folder, "go", "go1.19.8")
    command(folder, "node", "v18.19.0")
    command(folder, "npm", "9.2.0")
    assert (GO.folder(machine), NODE.folder(machine)) == (None, None)
    command(folder, "go", "go1.26.0")
    command(folder, "node", "v20.19.1")
    assert (GO.folder(machine), NODE.folder(machine)) == (folder, folder)


def test_a_node_without_npm_is_not_used(machine: Workspace) -> None:
    """Debian packages them apart."""
    command(machine.cache.parent / "bin", "node", "v22.0.0")
    assert NODE.folder(machine) is None


def test_no_toolchain_is_installed_when_nothing_is_left_to_build(machine: Workspace) -> None:
    """240 MB for nothing."""
    assert GO.step(machine, unneeded=lambda: True).done()
    assert not GO.step(machine, unneeded=lambda: all_built(machine)).done()


def test_the_engine_that_was_asked_for_is_used(machine: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOCKER_HOST is the user's word."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    assert docker_host(machine) == "tcp://10.0.0.1:2375"


def test_a_lab_that_began_on_our_engine_stays_there(machine: Workspace) -> None:
    """Otherwise a Docker installed later would hide the running stage from `down`."""
    command(machine.cache.parent / "bin", "docker", "28.0.0")
    assert docker_host(machine) == USERS
    (machine.cache / "docker").mkdir(parents=True)
    assert docker_host(machine) == OWN
