"""Programs built from Go modules; the go.sum beside each pins everything that they are made of."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.shell import Shell
from tools.setup.step import Stamp, Step, fingerprint, put, scratch
from tools.setup.toolchains import GO

MODULES = "tools/engines"
PROXY_REMEDY = "See that the Go module proxy is in reach and run the same command again; it goes on where it stopped."


@dataclass(frozen=True)
class Program:
    """A Go program and the module under tools/engines that pins it."""

    name: str
    package: str
    """Import path of its main package."""
    folder: str
    """Folder of the cache where the executable goes."""
    seconds: int
    version: tuple[str, str] = ("", "")
    """The variable that tells its version, and the module whose version that is."""

    def source(self, workspace: Workspace) -> Path:
        """Its module in the checkout."""
        return workspace.root / MODULES / self.name

    def executable(self, workspace: Workspace) -> Path:
        """Where it is after the build."""
        return workspace.cache / self.folder / self.name

    def stamp(self, workspace: Workspace) -> Stamp:
        """Says whether it is built of the sources as pinned now."""
        return Stamp(
            workspace.cache / "stamps" / f"{self.name}.json",
            lambda: fingerprint(self.source(workspace), repr(self)),
            (self.executable(workspace),),
        )


@dataclass(frozen=True)
class Module:
    """A Go module to build in. Go's caches are kept with ours, so an interrupted build goes on where it stopped."""

    shell: Shell
    workspace: Workspace
    folder: Path

    def build(self, output: Path, package: str, *, linker: str = "", tags: str = "") -> None:
        """Build one main package, reproducibly and without debug tables."""
        flags = ("-trimpath", "-buildvcs=false", f"-ldflags=-s -w {linker}", f"-tags={tags}")
        self._go("build", *flags, "-o", output, package)

    def tell(self, what: str, module: str) -> str:
        """A field (`Dir`, `Version`) of a module that this one depends on; fetched where it is not here yet."""
        self._go("mod", "download", module)
        return self._go("list", "-m", "-f", f"{{{{.{what}}}}}", module).strip()

    def _go(self, *arguments: str | Path) -> str:
        caches = gopath(self.workspace)
        environment = {
            "PATH": GO.path(self.workspace),
            "GOPATH": str(caches),
            "GOCACHE": str(caches / "build"),
            "GOFLAGS": "-mod=readonly -modcacherw",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
        }
        return self.shell.run("go", *arguments, cwd=self.folder, env=environment, remedy=PROXY_REMEDY)


def build(shell: Shell, workspace: Workspace, program: Program) -> None:
    """Build a program straight from its pinned module."""
    module = Module(shell, workspace, program.source(workspace))
    variable, of = program.version
    linker = f"-X {variable}={module.tell('Version', of)}" if variable else ""
    with scratch(workspace.cache / "build") as folder:
        module.build(folder / program.name, program.package, linker=linker)
        put(folder / program.name, program.executable(workspace))


def swept(workspace: Workspace) -> Step:
    """Let go of the 5 GB of sources and intermediate files; the last step, when every program is built."""
    caches = gopath(workspace)

    def sweep(_: Shell) -> None:
        # Removing 200,000 files takes a minute or more; nobody has to wait for it.
        trash = workspace.cache / "build/go-caches"
        put(caches, trash)
        subprocess.Popen(("nice", "rm", "-rf", str(trash)), start_new_session=True)

    return Step("go-caches", "Go's caches removed", lambda: not caches.exists(), sweep)


def gopath(workspace: Workspace) -> Path:
    """Where Go keeps sources and intermediate files while programs are left to build."""
    return workspace.cache / "gopath"
