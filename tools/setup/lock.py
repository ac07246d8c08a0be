"""Writes both locks: everything an operator needs, and of the same versions what runs on the nodes."""

import tomllib

from infra.workspace import Workspace
from tools.setup.python import installer, uv
from tools.setup.shell import Shell

COMPILE = ("pip", "compile", "--quiet", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header")
NODES_PYTHON = "3.11"
"""Python of the node's Debian, and the oldest that an operator may have."""


def write_locks(workspace: Workspace, shell: Shell) -> None:
    """Resolve pyproject.toml anew; pins that still fit are kept."""
    step = installer(workspace)
    shell.log.parent.mkdir(parents=True, exist_ok=True)
    if not step.done():
        step.make(shell)
    compile_ = (uv(workspace), *COMPILE, "--python-version", NODES_PYTHON, "--universal")
    shell.run(*compile_, "--all-extras", "pyproject.toml", "--output-file", "requirements.lock", cwd=workspace.root)
    project = tomllib.loads((workspace.root / "pyproject.toml").read_text())
    services = "\n".join(project["project"]["optional-dependencies"]["services"])
    constrained = ("--constraint", "requirements.lock", "--output-file", "services/requirements.lock")
    shell.run(*compile_, *constrained, "-", cwd=workspace.root, stdin=services)
