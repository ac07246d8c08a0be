"""What the machine itself has to bring; each lack is one sentence with its remedy, and all are told at once."""

import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tools.setup.shell import Shell, answer
from tools.setup.step import MissingPrerequisite, Problem, Step

MEMORY_GB = 4
"""The linker of the Pulumi engine takes 3 GB; the small lab afterwards less."""
PAGES = (8310, 8320, 8330)
"""Ports of this machine where the lab's feed, Race Centre and Manage Centre appear."""
Check = Callable[[], Problem | None]


def prerequisites(checks: Sequence[Check]) -> Step:
    """The first step, which no set-up can make: it is done, or it names everything that is missing."""

    def problems() -> tuple[Problem, ...]:
        return tuple(problem for check in checks if (problem := check()))

    def refuse(_: Shell) -> None:
        raise MissingPrerequisite(*problems())

    return Step("prerequisites", "Prerequisites", lambda: not problems(), refuse)


def python_version(version: tuple[int, int] = sys.version_info[:2]) -> Problem | None:
    """The estate's code runs on 3.11 to 3.13."""
    if (3, 11) <= version <= (3, 13):
        return None
    found = ".".join(map(str, version))
    return Problem(
        f"This is Python {found}; Etape runs on 3.11 to 3.13.",
        "Install one of them (Debian 12: apt-get install python3) and put it on PATH as python3.11, 3.12 or 3.13.",
    )


def linux(platform: str = sys.platform) -> Problem | None:
    """Nodes of the lab are Linux containers, their cables are Linux interfaces."""
    if platform == "linux":
        return None
    return Problem(f"The lab does not run on {platform}.", "Use a Linux machine, best Debian 12, or a virtual one.")


def root(user: int | None = None) -> Problem | None:
    """Cables are laid between network namespaces, which only root may do."""
    if (os.geteuid() if user is None else user) == 0:
        return None
    return Problem("The lab needs root: it lays cables between containers.", "Run the command again with sudo -E.")


def memory(meminfo: Path = Path("/proc/meminfo")) -> Problem | None:
    """Enough to link the engine and run the small lab."""
    total_kb = int(meminfo.read_text().split("MemTotal:")[1].split()[0])
    total_gb = total_kb / 2**20
    if total_gb >= MEMORY_GB - 0.5:
        return None
    return Problem(
        f"This machine has {total_gb:.1f} GB of memory, the lab needs {MEMORY_GB} GB.",
        "Use a machine with more memory.",
    )


def namespaces(allowed: Callable[[], bool] | None = None) -> Problem | None:
    """A sandbox without the right to make namespaces runs no containers, not even for root."""
    question = ("unshare", "--mount", "--propagation", "unchanged", "--net", "true")
    allowed = allowed or (lambda: os.geteuid() != 0 or answer(*question) is not None)
    if allowed():
        return None
    return Problem(
        "This machine refuses new namespaces, so it cannot run containers.",
        "Use a full or virtual machine, or a container that was started with --privileged.",
    )


def taken_ports(ours: Callable[[int], bool], ports: Iterable[int] = PAGES) -> tuple[Problem, ...]:
    """Ports where the lab's pages would appear but something else listens; ask before a lab is created."""
    return tuple(
        Problem(
            f"Port {port} of this machine is taken by another program.",
            f"End that program (ss -ltnp 'sport = :{port}' names it) and run the command again.",
        )
        for port in ports
        if _listening(port) and not ours(port)
    )


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
