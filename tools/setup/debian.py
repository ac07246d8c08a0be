"""Debian packages, installed only where what they bring is missing."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools.setup.shell import Shell
from tools.setup.step import MissingPrerequisite, Problem, Step


@dataclass(frozen=True)
class Package:
    """A Debian package and the sign by which it, or the user's own equivalent, is recognised."""

    name: str
    sign: str
    """A command on PATH, a file (absolute path) or a Python module (`python:NAME`)."""

    def missing(self) -> bool:
        """Whether what the package brings is not there."""
        if self.sign.startswith("/"):
            return not Path(self.sign).exists()
        if self.sign.startswith("python:"):
            return find_spec(self.sign.removeprefix("python:")) is None
        return shutil.which(self.sign) is None


PYTHON = (Package("python3-venv", "python:ensurepip"), Package("ca-certificates", "/etc/ssl/certs/ca-certificates.crt"))
LAB = (
    Package("mmdebstrap", "mmdebstrap"),
    Package("debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg"),
    Package("iproute2", "ip"),
    Package("openssh-client", "ssh-keygen"),
)
DOCKER = (Package("docker.io", "dockerd"), Package("docker.io", "docker"), Package("iptables", "iptables"))
BROWSER = (Package("chromium", "chromium"),)


def packages(name: str, wanted: Sequence[Package], *, disk_mb: int = 0, seconds: int = 0) -> Step:
    """Install what is missing of `wanted`."""

    def install(shell: Shell) -> None:
        names = sorted({package.name for package in wanted if package.missing()})
        if shutil.which("apt-get") is None:
            raise MissingPrerequisite(
                Problem(
                    f"This system has no apt-get, and lacks what these Debian packages bring: {', '.join(names)}.",
                    "Install their equivalents yourself, or use Debian 12.",
                )
            )
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        remedy = "See that apt-get update works on this machine (as root, with its package mirror in reach)."
        shell.run("apt-get", "update", env=quiet, remedy=remedy)
        shell.run("apt-get", "install", "--yes", "--no-install-recommends", *names, env=quiet, remedy=remedy)

    return Step(
        name,
        f"Debian packages ({name})",
        lambda: not any(package.missing() for package in wanted),
        install,
        disk_mb,
        seconds,
    )
