"""Writes down what set-up found and built, for the commands that use it."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from infra.workspace import Toolbox, Workspace
from tools.setup.docker import docker_host
from tools.setup.engines import engine_path
from tools.setup.image import image_id
from tools.setup.release import release_file
from tools.setup.shell import Shell
from tools.setup.step import Step, write_whole


def toolbox(workspace: Workspace) -> Step:
    """The last step of a lab's set-up: `infra.workspace.Toolbox` as a file."""

    def wanted() -> str:
        return json.dumps(asdict(_found(workspace)), indent=2)

    def done() -> bool:
        return workspace.toolbox.exists() and workspace.toolbox.read_text() == wanted()

    def make(_: Shell) -> None:
        write_whole(workspace.toolbox, wanted())

    return Step("toolbox", "Toolbox", done, make)


def _found(workspace: Workspace) -> Toolbox:
    venv = workspace.root / ".venv/bin"
    return Toolbox(
        docker_host=docker_host(workspace),
        lab_image=image_id(workspace),
        path=(str(venv), *engine_path(workspace)),
        release=str(release_file(workspace)),
        chromium=str(Path(shutil.which("chromium") or "")) if shutil.which("chromium") else "",
    )
