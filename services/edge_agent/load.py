"""How busy the node is: ratios from 0 to 1 of what the node has, from its control group or the whole machine."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_CPU_V1 = Path("/sys/fs/cgroup/cpuacct/cpuacct.usage")
_CPU_V2 = Path("/sys/fs/cgroup/cpu.stat")
_MEMORY_V1 = (Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MEMORY_V2 = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory.max"))
_MEMORY_INFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Load:
    """Ratios from 0 to 1; `cpu` is None until two readings are there to compare."""

    cpu: float | None
    memory: float | None
    disk: float


class LoadMeter:
    """Remembers the last processor time, so that a reading is the mean since the one before."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def read(self) -> Load:
        """The load since the last call."""
        now = time.monotonic(), _cpu_seconds()
        before, self._before = self._before, now
        cpu = None
        if before is not None and now[0] - before[0] > 0.05:
            cpu = (now[1] - before[1]) / (now[0] - before[0]) / (os.cpu_count() or 1)
        disk = os.statvfs("/")
        return Load(
            cpu=None if cpu is None else round(min(max(cpu, 0.0), 1.0), 3),
            memory=_memory_ratio(),
            disk=round(1 - disk.f_bavail / disk.f_blocks, 3) if disk.f_blocks else 0.0,
        )


def _cpu_seconds() -> float:
    if _CPU_V2.exists():
        return int(_CPU_V2.read_text().split(maxsplit=2)[1]) / 1e6
    if _CPU_V1.exists():
        return int(_CPU_V1.read_text()) / 1e9
    user, nice, system = map(int, Path("/proc/stat").read_text().split(maxsplit=4)[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _memory_ratio() -> float | None:
    machine = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in _MEMORY_INFO.read_text().splitlines()[:3]}
    for usage, limit in (_MEMORY_V2, _MEMORY_V1):
        if usage.exists():
            written = limit.read_text().strip()
            most = machine["MemTotal"] if written == "max" else min(int(written), machine["MemTotal"])
            return round(int(usage.read_text()) / most, 3)
    return round(1 - machine["MemAvailable"] / machine["MemTotal"], 3)
