"""Network interfaces inside containers, as the host's kernel knows them.

Reading goes through /proc/PID/root/sys, which costs no process; changing goes through `ip`. Both need root.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.provider.plugin import ProviderError

_IFF_UP = 0x1
_GONE = "Cannot find device"


@dataclass(frozen=True)
class Interface:
    """An interface of one network namespace."""

    index: int
    peer: int
    """Index of a veth's other end, in that end's namespace."""
    mac: str
    mtu: int
    up: bool
    alias: str


@dataclass(frozen=True)
class End:
    """Where one end of a cable goes: the first process of a container, and what the interface is to be."""

    pid: int
    port: str
    mac: str


def run(command: Sequence[str]) -> str:
    """Run a command; ProviderError with its own words where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        raise ProviderError(f"{command[0]} is missing on this machine: install iproute2 and util-linux") from None
    except subprocess.TimeoutExpired:
        raise ProviderError(f"`{' '.join(command)}` did not end within 30 s") from None
    if done.returncode != 0:
        raise ProviderError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Kernel:
    """The host's kernel, seen from root."""

    def __init__(self, proc: Path = Path("/proc"), run: Callable[[Sequence[str]], str] = run) -> None:
        self._proc = proc
        self._run = run

    def interface(self, pid: int, port: str) -> Interface | None:
        """An interface in the namespace of a process; None where the interface or the process is gone."""
        folder = self._proc / str(pid) / "root/sys/class/net" / port

        def text(name: str) -> str:
            return (folder / name).read_text().strip()

        try:
            up = bool(int(text("flags"), 16) & _IFF_UP)
            return Interface(
                int(text("ifindex")), int(text("iflink")), text("address"), int(text("mtu")), up, text("ifalias")
            )
        except PermissionError:
            raise ProviderError("cables need root: run Pulumi as root, or under sudo") from None
        except OSError:
            return None

    def lay(self, a: End, b: End, mtu: int) -> None:
        """A veth pair between two namespaces; neither end can be up before both exist."""
        ends = [[end.port, "address", end.mac, "mtu", str(mtu), "netns", str(end.pid)] for end in (a, b)]
        self._run(["ip", "link", "add", "name", *ends[0], "type", "veth", "peer", "name", *ends[1]])

    def set(self, pid: int, port: str, mtu: int, alias: str) -> None:
        """Up, with this MTU and alias."""
        self._run([*_inside(pid), "ip", "link", "set", "dev", port, "mtu", str(mtu), "alias", alias, "up"])

    def remove(self, pid: int, port: str) -> None:
        """Remove an interface, and with a veth its other end; one that is gone is no error."""
        try:
            self._run([*_inside(pid), "ip", "link", "delete", "dev", port])
        except ProviderError as error:
            if _GONE not in str(error) and self.interface(pid, port) is not None:
                raise

    def systemd(self, pid: int) -> str:
        """State of the systemd that is process 1 in there: starting, running, degraded..., or why it is silent."""
        try:
            return self._run([*_beside(pid), "systemctl", "show", "--property=SystemState", "--value"]).strip()
        except ProviderError as error:
            return f"silent ({error})"

    def failed_units(self, pid: int) -> list[str]:
        """Names of the units that failed in there."""
        listing = ["systemctl", "list-units", "--failed", "--plain", "--no-legend"]
        lines = self._run([*_beside(pid), *listing]).splitlines()
        return [line.split()[0] for line in lines if line.strip()]


def _inside(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


def _beside(pid: int) -> list[str]:
    return ["nsenter", f"--target={pid}", "--mount", "--pid"]
