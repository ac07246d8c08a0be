"""A Docker engine for the lab: the user's where it works, else Debian's with a data root and socket of its own."""

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.debian import DOCKER, packages
from tools.setup.shell import Shell, answer
from tools.setup.step import MissingPrerequisite, Problem, SetupError, Step

RUN = Path("/run/etape")
OWN = f"unix://{RUN}/docker.sock"
USERS = "unix:///var/run/docker.sock"
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 8192
"""Each systemd takes three; at the kernel's default of 128 the 41st node dies at once."""


def docker_host(workspace: Workspace) -> str:
    """Address of the engine that the lab uses; a lab that was begun on our own engine stays there."""
    asked = os.environ.get("DOCKER_HOST", "")
    if asked:
        return asked
    if not data_root(workspace).exists() and answers(USERS):
        return USERS
    return OWN


def data_root(workspace: Workspace) -> Path:
    """Where our own engine keeps images and containers."""
    return workspace.cache / "docker"


def answers(host: str) -> bool:
    """Whether an engine is there and lets us in."""
    return answer("docker", "--host", host, "version", "--format", "{{.Server.Version}}") is not None


def publishes(host: str, port: int) -> bool:
    """Whether a node of a lab on that engine already has the port of this machine."""
    nodes = ("ps", "--quiet", "--filter", "label=etape.stack", "--filter", f"publish={port}")
    return bool(answer("docker", "--host", host, *nodes))


def engine(workspace: Workspace) -> list[Step]:
    """Debian's engine where the user has none, then a running engine."""
    host = docker_host(workspace)
    debian = packages("docker", DOCKER, disk_mb=400, seconds=20)
    install = replace(debian, done=lambda: answers(host) or debian.done())

    def start(shell: Shell) -> None:
        if host != OWN:
            raise MissingPrerequisite(
                Problem(f"The Docker engine at {host} does not answer.", "Start it, or unset DOCKER_HOST.")
            )
        start_own(shell, workspace)

    return [install, Step("engine", "Docker engine", lambda: answers(docker_host(workspace)), start), inotify()]


def start_own(shell: Shell, workspace: Workspace) -> None:
    """Start our dockerd so that it outlives this shell, and wait until it answers."""
    RUN.mkdir(parents=True, exist_ok=True)
    data_root(workspace).mkdir(parents=True, exist_ok=True)
    command = (
        "dockerd",
        *("--host", OWN),
        *("--data-root", str(data_root(workspace))),
        *("--exec-root", str(RUN / "exec")),
        *("--pidfile", str(RUN / "docker.pid")),
        # Pages are published by Docker's own proxy, so the machine's firewall and other engines are left alone.
        *("--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"),
    )
    with shell.log.open("a") as log:
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    for _ in range(150):
        if answers(OWN):
            return
        if daemon.poll() is not None:
            break
        time.sleep(0.2)
    raise SetupError(
        Problem(
            "Docker's engine did not start.",
            "The log says why; on most machines it needs root, cgroups and overlay or vfs storage.",
        )
    )


def stop_own() -> bool:
    """End the engine that set-up started, and with it every container in it; whether there was one."""
    try:
        process = int((RUN / "docker.pid").read_text())
        os.kill(process, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    while Path(f"/proc/{process}").exists():
        time.sleep(0.1)
    return True


def inotify(limit: Path = INOTIFY) -> Step:
    """Let the kernel give every node's systemd its watches; lost at a restart of the machine."""

    def raise_limit(shell: Shell) -> None:
        try:
            limit.write_text(str(INOTIFY_INSTANCES))
        except OSError as error:
            raise MissingPrerequisite(
                Problem(
                    f"The kernel's limit of inotify instances could not be raised ({error.strerror}).",
                    f"On the host of this machine: sysctl fs.inotify.max_user_instances={INOTIFY_INSTANCES}",
                )
            ) from None

    return Step("inotify", "Kernel limits", lambda: int(limit.read_text()) >= INOTIFY_INSTANCES, raise_limit)
