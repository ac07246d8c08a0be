"""The Pulumi engine and the software of the nodes: the user's or the official where there, else built from source."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from os import environ
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.golang import Module, Program, build
from tools.setup.shell import Shell, answer
from tools.setup.step import Step, put, scratch, stamped

CLI_MODULE = "github.com/pulumi/pulumi/pkg/v3"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
PULUMI_VERSION = f"{SDK_MODULE}/go/common/version.Version"
OBJECT_STORE_MODULE = "github.com/versity/versitygw"

PULUMI = Program("pulumi", f"{CLI_MODULE}/cmd/pulumi", "engine", 420, (PULUMI_VERSION, CLI_MODULE))
LANGUAGE = Program(
    "pulumi-language-python",
    f"{SDK_MODULE}/python/cmd/pulumi-language-python",
    "engine",
    60,
    (PULUMI_VERSION, SDK_MODULE),
)
PLUGIN = Program("pulumi-resource-docker", "./cmd/pulumi-resource-docker", "plugins", 240)
NATS = Program("nats-server", "github.com/nats-io/nats-server/v2", "node", 60)
OBJECT_STORE = Program(
    "versitygw", f"{OBJECT_STORE_MODULE}/cmd/versitygw", "node", 90, ("main.Version", OBJECT_STORE_MODULE)
)

DOCKER_PLUGIN = ("docker", "5.2.0")
"""Name and version of Pulumi's plugin for containers; the version of the pulumi-docker package."""
LANGUAGE_SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""What the language host starts, as the Python SDK of the engine's own version ships it."""


def broker(workspace: Workspace) -> Step:
    """The broker of the nodes, which quick tests run too."""
    return _built(workspace, NATS, build)


def node_programs(workspace: Workspace) -> list[Step]:
    """The broker and the object store of the nodes."""
    return [broker(workspace), _built(workspace, OBJECT_STORE, build)]


def pulumi_engine(workspace: Workspace) -> list[Step]:
    """CLI, language host and Docker plugin."""
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
    if found is None or Path(found).is_relative_to(workspace.cache) or not shutil.which(LANGUAGE.name):
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
            build_docker_plugin(shell, workspace)
            stamp.write()

    title = "Pulumi plugin for Docker"
    return Step(PLUGIN.name, title, lambda: users_plugin(workspace) or stamp.holds(), make, 1500, PLUGIN.seconds)


def build_language_host(shell: Shell, workspace: Workspace, program: Program) -> None:
    """Build the host, and lay beside it the scripts that the engine's own SDK has for it."""
    sdk = Path(Module(shell, workspace, PULUMI.source(workspace)).tell("Dir", SDK_MODULE))
    for script in LANGUAGE_SCRIPTS:
        with scratch(workspace.cache / "build") as folder:
            copy = Path(shutil.copy(sdk / script, folder))
            copy.chmod(0o755)
            put(copy, program.executable(workspace).with_name(copy.name))
    build(shell, workspace, program)


def build_docker_plugin(shell: Shell, workspace: Workspace) -> None:
    """Bridge the Terraform provider: its schema is generated first, then embedded."""
    # Compose and buildx come with the upstream provider; nothing of the lab builds images through it.
    tags = "no_compose"
    with scratch(workspace.cache / "build") as folder:
        source = Path(shutil.copytree(PLUGIN.source(workspace), folder / "module"))
        module = Module(shell, workspace, source)
        module.build(folder / "tfgen", "./cmd/tfgen", tags=tags)
        # Upstream's documentation is not part of its Go module, and nobody reads it in a plugin.
        shell.run(folder / "tfgen", "schema", "--skip-docs", "--out", source / "cmd" / PLUGIN.name, cwd=source)
        module.build(folder / PLUGIN.name, PLUGIN.package, tags=tags)
        put(folder / PLUGIN.name, PLUGIN.executable(workspace))


def _built(workspace: Workspace, program: Program, make: Callable[[Shell, Workspace, Program], None]) -> Step:
    return stamped(
        program.name,
        f"{program.name} from source",
        program.stamp(workspace),
        lambda shell: make(shell, workspace, program),
        disk_mb=1000,
        seconds=program.seconds,
    )
