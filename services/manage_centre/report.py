"""What the agent of one node reports on `facts.<stack>.<node>`."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict


class _Part(BaseModel):
    """A newer agent may say more than this Manage Centre understands."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Neighbour(_Part):
    """Who is heard on a port."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node} {self.port}"


class PortFacts(_Part):
    """A port as the kernel and lldpd have it."""

    carrier: bool
    mtu: int
    mac: str
    lldp: Neighbour | None


class UnitFacts(_Part):
    """A service as systemd and its own health endpoint have it."""

    active: str
    sub: str
    restarts: int
    healthy: bool | None
    detail: str = ""


class ClockFacts(_Part):
    """How far the clock is off."""

    offset_ms: float | None
    synchronised: bool


class UplinkFacts(_Part):
    """Whether the far side of the uplink answers."""

    target: str
    rtt_ms: float | None


class LoadFacts(_Part):
    """Ratios from 0 to 1."""

    cpu: float | None = None
    memory: float | None = None
    disk: float | None = None


class EventFacts(_Part):
    """A change that the agent saw; it may be delivered twice."""

    at: AwareDatetime
    subject: str
    sentence: str


class Facts(_Part):
    """One report, version 1."""

    node: str
    stack: str
    boot_id: str
    seq: int
    at: AwareDatetime
    ports: dict[str, PortFacts]
    addresses: dict[str, tuple[str, ...]]
    units: dict[str, UnitFacts]
    clock: ClockFacts
    uplink: UplinkFacts | None
    load: LoadFacts
    events: tuple[EventFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The newest facts of a node and when they were heard, by the Manage Centre's own clock."""

    facts: Facts
    heard: datetime
