"""The policy pack under the real engine; nothing is made, so it needs no machines."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.engine import Engine
from infra.policy import pack
from infra.workspace import Toolbox, Workspace

STACK = "2017-s09"
_PROJECT = "name: etape\nruntime: python\n"
_PROGRAM = """
import pulumi_docker as docker

labels = {"etape.home": "0123456789ab", "etape.stack": "2017-s09", "etape.node": "feed-1"}
docker.Container(
    "feed-1",
    name="2017-s09-policy-feed-1",
    image="sha256:" + "0" * 64,
    ports=[docker.ContainerPortArgs(internal=8310, external=8310, ip="ADDRESS")],
    labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in labels.items()],
)
"""


@pytest.fixture
def pulumi(workspace: Workspace, tmp_path: Path):
    """Runs Pulumi on a program and a backend of the test's own."""
    toolbox = Toolbox.read(workspace)
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(_PROJECT)
    own = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/state", "DOCKER_HOST": toolbox.docker_host}
    environment = {**os.environ, **Engine(workspace, toolbox).environment(), **own}

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = ["pulumi", *arguments, "--stack", STACK, "--non-interactive"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    assert run("stack", "init").returncode == 0
    return run


def publish_on(address: str, folder: Path) -> None:
    (folder / "__main__.py").write_text(_PROGRAM.replace("ADDRESS", address))


def test_a_public_port_is_refused_before_anything_is_made(pulumi, tmp_path):
    """Guards against a pack that the engine does not start, does not understand, or asks too late."""
    publish_on("0.0.0.0", tmp_path)
    done = pulumi("up", "--yes", "--skip-preview", "--policy-pack", pack.__file__)
    assert done.returncode != 0
    assert "[mandatory]  ports-on-loopback" in done.stdout
    assert "Publish it on 127.0.0.1, or do not publish it." in done.stdout
    kept = json.loads(pulumi("stack", "export").stdout)["deployment"].get("resources", [])
    assert not [each for each in kept if each["type"].endswith("Container")]


def test_a_port_on_the_loopback_passes_the_preview(pulumi, tmp_path):
    """Guards against a pack that refuses whatever the engine sends."""
    publish_on("127.0.0.1", tmp_path)
    done = pulumi("preview", "--policy-pack", pack.__file__)
    assert done.returncode == 0, done.stdout
