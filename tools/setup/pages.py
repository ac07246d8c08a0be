"""The page applications, built from services/pages/web into the packages that serve them."""

from pathlib import Path

from infra.workspace import Workspace
from tools.setup.shell import Shell
from tools.setup.step import Stamp, Step, fingerprint, stamped
from tools.setup.toolchains import NODE

WEB = "services/pages/web"
BUILT = ("services/race_centre/static", "services/manage_centre/static")
NOT_SOURCE = {"node_modules", "dist", ".svelte-kit", "stamp.json"}


def pages(workspace: Workspace) -> Step:
    """Install what package-lock.json pins and build, when a source has changed."""
    web = workspace.root / WEB

    def sources() -> str:
        return fingerprint(*(path for path in sorted(web.iterdir()) if path.name not in NOT_SOURCE))

    def make(shell: Shell) -> None:
        path = {"PATH": NODE.path(workspace)}
        remedy = "See that the npm registry is in reach, then run the same command again."
        # Not `npm ci`: it refuses a lock that leaves out builds for other systems which a mirror does not serve.
        install = ("npm", "install", "--no-save", "--no-audit", "--no-fund")
        shell.run(*install, cwd=web, env=path, remedy=remedy)
        shell.run("npm", "run", "build", cwd=web, env=path, remedy="Mend the page source that the log names.")

    stamp = Stamp(workspace.root / BUILT[0] / "stamp.json", sources, tuple(workspace.root / folder for folder in BUILT))
    return stamped("pages", "Page applications", stamp, make, disk_mb=400, seconds=60)


def static_files(workspace: Workspace) -> tuple[Path, ...]:
    """Folders of the built pages."""
    return tuple(workspace.root / folder for folder in BUILT)
