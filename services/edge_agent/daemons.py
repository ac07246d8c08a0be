"""What lldpd, systemd and chrony say, asked through their own commands; the parsing is pure."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

_PATIENCE_S = 5.0
NEIGHBOURS = ("lldpcli", "-f", "json0", "show", "neighbors")
TRACKING = ("chronyc", "-c", "tracking")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who is heard at the other end of a cable."""

    node: str
    port: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit as systemd has it."""

    active: str
    sub: str
    restarts: int
    main_pid: int
    detail: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Distance of the node's clock from true time; positive is slow. None while that is not known."""

    offset_ms: float | None
    synchronised: bool


def ask(command: tuple[str, ...]) -> str:
    """What the command prints; empty where it is missing, fails or hangs."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def show_units(names: Iterable[str]) -> tuple[str, ...]:
    """The command that shows all units at once."""
    properties = "ActiveState,SubState,NRestarts,MainPID,Result,LoadState"
    return ("systemctl", "show", f"--property={properties}", *names)


def parse_neighbours(text: str) -> dict[str, Neighbour]:
    """The newest neighbour of each port from `lldpcli -f json0 show neighbors`.

    A plug that was moved leaves the old neighbour on the port until its time runs out; `rid` grows with each new one.
    """
    heard: dict[str, tuple[int, Neighbour]] = {}
    for interface in _first(json.loads(text or "{}").get("lldp")).get("interface", ()):
        chassis, port = _first(interface.get("chassis")), _first(interface.get("port"))
        node = _first(chassis.get("name")).get("value") or _first(chassis.get("id")).get("value", "")
        number = int(interface.get("rid", 0))
        if number >= heard.get(interface["name"], (0,))[0]:
            heard[interface["name"]] = (number, Neighbour(node, _port_name(port)))
    return {port: neighbour for port, (_, neighbour) in heard.items()}


def _port_name(port: dict) -> str:
    identity = _first(port.get("id"))
    described = _first(port.get("descr")).get("value")
    return described if identity.get("type") != "ifname" and described else identity.get("value", "")


def _first(items: list | None) -> dict:
    return items[0] if items else {}


def parse_units(text: str, names: Iterable[str]) -> dict[str, Unit]:
    """Units by the names asked for, from `systemctl show`, which answers in their order."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return {name: _unit(block) for name, block in zip(names, blocks, strict=False) if block}


def _unit(block: dict[str, str]) -> Unit:
    missing = block.get("LoadState") == "not-found"
    result = block.get("Result", "success")
    return Unit(
        active=block.get("ActiveState", "unknown"),
        sub=block.get("SubState", "unknown"),
        restarts=int(block.get("NRestarts") or 0),
        main_pid=int(block.get("MainPID") or 0),
        detail="the unit is not installed" if missing else "" if result == "success" else f"ended by {result}",
    )


def parse_tracking(text: str) -> Clock:
    """The clock from `chronyc -c tracking`."""
    fields = text.strip().split(",")
    if len(fields) < 14 or fields[13] == "Not synchronised":
        return Clock(None, False)
    return Clock(float(fields[4]) * 1000, True)
