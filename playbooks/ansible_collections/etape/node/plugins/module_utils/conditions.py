"""Conditions that must hold on a node: before anything is changed, afterwards, or before it is taken away.

Each kind is one function that returns what is wrong as a sentence, or an empty text where all is well.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.etape.node.plugins.module_utils.machine import Machine

_HTTP_PATIENCE_S = 3
_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition and how it stands."""

    role: str
    trouble: str
    """Empty where the condition holds."""


def inspect(conditions: Iterable[dict], machine: Machine, wait_s: float = 0.0) -> tuple[Finding, ...]:
    """Look at all conditions at once; those that do not hold are looked at again until `wait_s` is over.

    Raises ValueError where a condition is of an unknown kind or has the wrong fields.
    """
    conditions = tuple(conditions)
    deadline = time.monotonic() + wait_s
    with ThreadPoolExecutor(max_workers=8) as pool:
        findings = list(pool.map(lambda entry: _look(entry, machine), conditions))
        while any(finding.trouble for finding in findings) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
            bad = [index for index, finding in enumerate(findings) if finding.trouble]
            again = pool.map(lambda index: _look(conditions[index], machine), bad)
            for index, finding in zip(bad, again, strict=True):
                findings[index] = finding
    return tuple(findings)


def _look(entry: dict, machine: Machine) -> Finding:
    fields = dict(entry)
    role, kind = fields.pop("role", ""), fields.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"{role}: no condition of kind {kind!r}, there are {', '.join(KINDS)}")
    try:
        trouble = KINDS[kind](machine, **fields)
    except TypeError as error:
        raise ValueError(f"{role}: condition {kind}: {error}") from None
    return Finding(role, trouble)


def _hostname(machine: Machine, name: str) -> str:
    found = (machine.read("/proc/sys/kernel/hostname") or "").strip()
    return "" if found == name else f"this machine is {found}, not {name}: the inventory names the wrong address"


def _path(machine: Machine, path: str, remedy: str) -> str:
    return "" if machine.at(path).exists() else f"{path} is missing: {remedy}"


def _disk(machine: Machine, path: str, free_mb: int) -> str:
    free = shutil.disk_usage(machine.at(path)).free // 2**20
    return "" if free >= free_mb else f"{path} has {free} MB free, {free_mb} MB are needed: remove old data"


def _clock(machine: Machine, tolerance_s: float, now: float) -> str:
    """`now` is the controller's clock when it asked, so the way here counts as an offset."""
    offset = time.time() - now
    if abs(offset) <= tolerance_s:
        return ""
    return f"the clock is {offset:+.0f} s off the controller's, {tolerance_s:g} s are allowed: set it"


def _port(machine: Machine, name: str, label: str) -> str:
    if machine.at(f"/sys/class/net/{name}").exists():
        return ""
    return f"there is no port {name}: cable {label} is not laid, or the port has another name here"


def _address(machine: Machine, name: str, address: str) -> str:
    """Ask the segment for an address of ours; before the first deploy the interface may not be there."""
    if not machine.at(f"/sys/class/net/{name}").exists():
        return ""
    ip = address.partition("/")[0]
    asked = subprocess.run(
        ["arping", "-D", "-c", "2", "-w", "1", "-I", name, ip], capture_output=True, text=True, check=False
    )
    if asked.returncode != 1 or "reply from" not in asked.stdout:
        return ""
    who = asked.stdout.partition("[")[2].partition("]")[0]
    return f"{ip} is already used by {who} behind {name}: take that machine off the segment"


def _listener(machine: Machine, port: int, unit: str, protocol: str = "tcp") -> str:
    """The port is free, or the unit that is to have it already runs."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            if machine.unit_statuses([unit])[unit].active:
                return ""
            return f"{protocol} port {port}, which {unit} needs, is taken ({os.strerror(error.errno or 0)}): free it"
    return ""


def _unit(machine: Machine, name: str) -> str:
    if machine.unit_statuses([name])[name].active:
        return ""
    return f"{name} does not run: {machine.last_words(name) or 'its journal is empty'}"


def _sysctl(machine: Machine, name: str, value: str) -> str:
    found = (machine.read("/proc/sys/" + name.replace(".", "/")) or "").strip()
    return "" if found == value else f"{name} is {found or 'not known here'}, not {value}"


def _http(machine: Machine, name: str, url: str, expect: dict | None = None) -> str:
    """`expect` holds fields of the JSON answer that must have these very values."""
    try:
        with urllib.request.urlopen(url, timeout=_HTTP_PATIENCE_S) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        return f"{name} is not healthy: {_detail(error.read()) or error.reason}"
    except OSError as error:
        return f"{name} does not answer at {url}: {getattr(error, 'reason', error)}"
    if not expect:
        return ""
    answered = json.loads(body)
    wrong = [f"{key} is {answered.get(key)}" for key, value in expect.items() if answered.get(key) != value]
    return f"{name}: {', '.join(wrong)}, wanted {json.dumps(expect)}" if wrong else ""


def _detail(body: bytes) -> str:
    try:
        return str(json.loads(body).get("detail", ""))
    except (ValueError, AttributeError):
        return body.decode(errors="replace")[:200]


KINDS: dict[str, Callable[..., str]] = {
    "hostname": _hostname,
    "path": _path,
    "disk": _disk,
    "clock": _clock,
    "port": _port,
    "address": _address,
    "listener": _listener,
    "unit": _unit,
    "sysctl": _sysctl,
    "http": _http,
}
