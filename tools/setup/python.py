"""The checkout's own Python environment, from the hash-pinned lock."""

import sys
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.shell import Shell
from tools.setup.step import Stamp, Step, fingerprint, put, scratch, stamped

PINS = "tools/pins"


def uv(workspace: Workspace) -> Path:
    """The installer of Python packages that every other step uses."""
    return workspace.cache / "uv/bin/uv"


def installer(workspace: Workspace) -> Step:
    """uv, pinned and hashed, in an environment of its own."""
    pins = workspace.root / PINS / "uv.txt"
    target = workspace.cache / "uv"

    def make(shell: Shell) -> None:
        with scratch(workspace.cache / "build") as folder:
            shell.run(sys.executable, "-m", "venv", folder / "pip")
            pip = (folder / "pip/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes")
            shell.run(*pip, "--prefix", folder / "uv", "--requirement", pins)
            put(folder / "uv", target)

    stamp = Stamp(target / "stamp.json", lambda: fingerprint(pins), (uv(workspace),))
    return stamped("uv", "Python installer", stamp, make, disk_mb=80)


def environment(workspace: Workspace) -> Step:
    """`.venv` of the checkout: the locked packages and the checkout itself, editable."""
    venv = workspace.root / ".venv"
    lock, project = workspace.root / "requirements.lock", workspace.root / "pyproject.toml"
    python = venv / "bin/python"

    def make(shell: Shell) -> None:
        if not python.exists():
            shell.run(uv(workspace), "venv", "--quiet", "--clear", "--python", sys.executable, venv)
        pip = (uv(workspace), "pip")
        shell.run(*pip, "sync", "--quiet", "--python", python, "--require-hashes", lock)
        install = (*pip, "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation")
        shell.run(*install, "--editable", workspace.root)

    stamp = Stamp(venv / "stamp.json", lambda: fingerprint(lock, project, str(workspace.root)), (python,))
    return stamped("python", "Python environment", stamp, make, disk_mb=1200, seconds=30)


def install_into(shell: Shell, workspace: Workspace, pins: str, folder: Path, *options: str | Path) -> None:
    """Put packages with their dependencies into a plain folder, without an interpreter."""
    install = (uv(workspace), "pip", "install", "--quiet", "--require-hashes", "--target", folder, *options)
    shell.run(*install, "--requirement", workspace.root / pins)
