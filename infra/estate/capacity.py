"""What services may use on a given stage.

Limits are caps against a service that runs away, not reservations: an idle service costs nothing, and a cap is set
well above what was measured in the lab. Two things make a stage ask for more than the flat 200 km that the limits
in services.yaml are written for:

- climbs break the peloton into groups, and groups are what the processor and the feed compute and send (processors);
- a longer stage has more readings that wait where the uplink is cut, and that a page looks back on (memory).
"""

from dataclasses import dataclass

from infra.estate.model import Limits, Stage

_GROUPS = {"flat": 1.0, "hilly": 1.25, "mountain": 1.5, "time trial": 1.5}
"""By profile. In a time trial every rider is a group of one."""
_REFERENCE_KM = 200.0


@dataclass(frozen=True, slots=True)
class Demand:
    """Factors on the limits of a service that grows with the stage; never below 1."""

    cpu: float = 1.0
    memory: float = 1.0


def demand_of(stage: Stage) -> Demand:
    """What a stage asks for."""
    return Demand(cpu=_GROUPS[stage.profile], memory=max(1.0, stage.distance_km / _REFERENCE_KM))


def limits_under(limits: Limits, demand: Demand) -> Limits:
    """The limits of one instance, rounded up to whole 5 % and 16 MB."""
    return Limits(
        cpu_percent=_up(limits.cpu_percent * demand.cpu, 5),
        memory_mb=_up(limits.memory_mb * demand.memory, 16),
    )


def _up(value: float, step: int) -> int:
    return int(-(-value // step) * step)
