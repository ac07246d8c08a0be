"""Programs that are built from Go modules, pinned by the go.sum beside each: the Pulumi engine and node software."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from os import environ
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.shell import Shell, answer
from tools.setup.step import Stamp, Step, fingerprint, put, scratch, stamped
from tools.setup.toolchains import GO

MODULES = "tools/engines"
DOCKER_PLUGIN = ("docker", "5.2.0")
"""Name and version of Pulumi's plugin for containers; the version of the pulumi-docker package."""


@dataclass(frozen=True)
class Program:
    """A Go program whose module under tools/engines pins everything that it is made of."""

    name: str
    package: str
    """Import path of its main package."""
    folder: str
    """Folder of the cache where the executable goes."""
    seconds: int

    def stamp(self, workspace: Workspace) -> Stamp:
        """Says whether it is built of the sources as pinned now."""
        return Stamp(
            workspace.cache / "stamps" / f"{self.name}.json",
            lambda: fingerprint(workspace.root / MODULES / self.name, self.package),
            (self.executable(workspace),),
        )

    def executable(self, workspace: Workspace) -> Path:
        """Where it is after the build."""
        return workspace.cache / self.folder / self.name


PULUMI = Program("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", "engine", 420)
LANGUAGE = Program(
    "pulumi-language-python", "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python", "engine", 60
)
PLUGIN = Program("pulumi-resource-docker", "./cmd/pulumi-resource-docker", "plugins", 240)
NATS = Program("nats-server", "github.com/nats-io/nats-server/v2", "node", 60)
OBJECT_STORE = Program("versitygw", "github.com/versity/versitygw/cmd/versitygw", "node", 90)
PROGRAMS = (NATS, OBJECT_STORE, PULUMI, LANGUAGE, PLUGIN)

LANGUAGE_SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""What the language host starts, as the Python SDK of the engine's own version ships it."""


def node_programs(workspace: Workspace) -> list[Step]:
    """The broker and the object store of the nodes."""
    return [_built(workspace, program, build) for program in (NATS, OBJECT_STORE)]


def pulumi_engine(workspace: Workspace) -> list[Step]:
    """CLI, language host and Docker plugin: the user's or the official ones where they work, else built."""
    cli = _built(workspace, PULUMI, build)
    language = _built(workspace, LANGUAGE, build_language_host)

    def unless_users(step: Step) -> Step:
        return replace(step, done=lambda: users_pulumi(workspace) is not None or step.done())

    return [unless_users(cli), unless_users(language), docker_plugin(workspace)]


def engine_path(workspace: Workspace) -> tuple[str, ...]:
    """Folders to put in front of PATH for Pulumi."""
    own_plugin = () if users_plugin(workspace) else (PLUGIN.executable(workspace).parent,)
    cli = users_pulumi(workspace) or PULUMI.executable(workspace).parent
    return tuple(str(folder) for folder in (cli, *own_plugin))


def all_built(workspace: Workspace) -> bool:
    """Whether no Go program is left to build, so that no Go is needed."""
    return all(step.done() for step in (*node_programs(workspace), *pulumi_engine(workspace)))


@cache
def users_pulumi(workspace: Workspace) -> Path | None:
    """Folder of a Pulumi 3.2xx with its Python language host that the user has on PATH."""
    found = shutil.which("pulumi")
    if found is None or Path(found).is_relative_to(workspace.cache) or not shutil.which("pulumi-language-python"):
        return None
    version = re.match(r"v3\.(\d+)\.", answer(found, "version") or "")
    return Path(found).parent if version and 200 <= int(version[1]) < 300 else None


def users_plugin(workspace: Workspace) -> bool:
    """Whether the user has a Docker plugin: Pulumi's own build, installed, or one on PATH."""
    name, version = DOCKER_PLUGIN
    home = Path(environ.get("PULUMI_HOME", Path.home() / ".pulumi"))
    found = shutil.which(PLUGIN.name)
    on_path = found is not None and not Path(found).is_relative_to(workspace.cache)
    return on_path or (home / f"plugins/resource-{name}-v{version}").is_dir()


def docker_plugin(workspace: Workspace) -> Step:
    """The official plugin where it can be had, else the same provider bridged by us."""
    stamp = PLUGIN.stamp(workspace)

    def make(shell: Shell) -> None:
        name, version = DOCKER_PLUGIN
        pulumi = (users_pulumi(workspace) or PULUMI.executable(workspace).parent) / "pulumi"
        # Fails at once where Pulumi's own server is out of reach.
        shell.try_run(pulumi, "plugin", "install", "resource", name, version, timeout=60)
        if not users_plugin(workspace):
            build_docker_plugin(shell, workspace, PLUGIN)
            stamp.write()

    title = "Pulumi plugin for Docker"
    return Step(PLUGIN.name, title, lambda: users_plugin(workspace) or stamp.holds(), make, 1500, PLUGIN.seconds)


def build(shell: Shell, workspace: Workspace, program: Program) -> None:
    """Build a program straight from its pinned module."""
    with scratch(workspace.cache / "build") as folder:
        go(shell, workspace, workspace.root / MODULES / program.name, "-o", folder / program.name, program.package)
        put(folder / program.name, program.executable(workspace))


def build_language_host(shell: Shell, workspace: Workspace, program: Program) -> None:
    """Build the host, and lay beside it the scripts that the engine's own SDK has for it."""
    sdk = "github.com/pulumi/pulumi/sdk/v3"
    engine = workspace.root / MODULES / PULUMI.name
    shell.run("go", "mod", "download", sdk, cwd=engine, env=go_environment(workspace))
    source = Path(
        shell.run("go", "list", "-m", "-f", "{{.Dir}}", sdk, cwd=engine, env=go_environment(workspace)).strip()
    )
    for script in LANGUAGE_SCRIPTS:
        with scratch(workspace.cache / "build") as folder:
            copy = Path(shutil.copy(source / script, folder))
            copy.chmod(0o755)
            put(copy, program.executable(workspace).with_name(copy.name))
    build(shell, workspace, program)


def build_docker_plugin(shell: Shell, workspace: Workspace, program: Program) -> None:
    """Bridge the Terraform provider: its schema is generated first, then embedded."""
    with scratch(workspace.cache / "build") as folder:
        module = folder / "module"
        shutil.copytree(workspace.root / MODULES / program.name, module)
        # Compose and buildx come with the upstream provider; nothing of the lab builds images through it.
        without_compose = ("-tags", "no_compose")
        go(shell, workspace, module, *without_compose, "-o", folder / "tfgen", "./cmd/tfgen")
        # Upstream's documentation is not part of its Go module, and is not needed on a node.
        shell.run(folder / "tfgen", "schema", "--skip-docs", "--out", module / "cmd" / program.name, cwd=module)
        go(shell, workspace, module, *without_compose, "-o", folder / program.name, program.package)
        put(folder / program.name, program.executable(workspace))


def go(shell: Shell, workspace: Workspace, module: Path, *arguments: str | Path) -> None:
    """`go build` in a module, reproducible and without debug tables."""
    shell.run(
        "go",
        "build",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags=-s -w",
        *arguments,
        cwd=module,
        env=go_environment(workspace),
        remedy="See that the Go module proxy is in reach and run the same command again; it goes on where it stopped.",
    )


def go_environment(workspace: Workspace) -> dict[str, str]:
    """Go's own caches are kept with ours: an interrupted build resumes, and nothing of the user's is touched."""
    return {
        "PATH": GO.path(workspace),
        "GOPATH": str(_gopath(workspace)),
        "GOCACHE": str(_gopath(workspace) / "build"),
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


def swept(workspace: Workspace) -> Step:
    """Let go of the 5 GB of sources and intermediate files; the last step, when every program is built."""
    return Step(
        "go-caches",
        "Go's caches removed",
        lambda: not _gopath(workspace).exists(),
        lambda _: shutil.rmtree(_gopath(workspace)),
    )


def _gopath(workspace: Workspace) -> Path:
    return workspace.cache / "gopath"


def _built(workspace: Workspace, program: Program, make: Callable[[Shell, Workspace, Program], None]) -> Step:
    stamp = program.stamp(workspace)
    return stamped(
        program.name,
        f"{program.name} from source",
        stamp,
        lambda shell: make(shell, workspace, program),
        disk_mb=1500,
        seconds=program.seconds,
    )
