"""What a stage gets: how many machines of the roles that grow, and what their services may use. Pure.

The rules are data (`stacks/common/capacity.yaml`); the stage is what they are applied to: its profile, its expected
hours (`race_start` to `expected_finish`) and its finish. No source at hand says how each stage of a year finished, so
the finish is that of the course that the stage is ridden on here: the mean gradient of the stand-in's last five
kilometres (`infra.estate.courses`). It can differ from the real one: 2017-s09 ended in a valley, its stand-in on a
summit.

Limits are caps against a service that runs away, not reservations: an idle service costs nothing, and a cap is set
well above what was measured in the lab. At rest a cap on processors is lowered, one on memory is not: a limit below
what a service still holds would end it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from math import ceil

from infra.estate.cabling import server_count
from infra.estate.courses import finish_on
from infra.estate.documents import GrowthDoc, LimitGrowthDoc
from infra.estate.model import Capacity, Demand, Finish, Limits, Quantity, Stage
from infra.estate.written import Written

_CPU_STEP = 5
_MEMORY_STEP_MB = 16
_AT_REST = "before the scale-up and after the finish"


@dataclass(frozen=True, slots=True)
class Profile:
    """A stage as capacity sees it; `str` is the reason that its numbers carry."""

    terrain: str
    """flat, hilly, mountain or time trial."""
    kilometres: float
    expected: timedelta
    """From the start of the race to its expected finish."""
    finish: Finish

    @property
    def hours(self) -> float:
        return self.expected / timedelta(hours=1)

    def __str__(self) -> str:
        hours, minutes = divmod(round(self.expected / timedelta(minutes=1)), 60)
        stage = self.terrain if self.terrain == "time trial" else f"{self.terrain} stage"
        return f"{stage}, {self.kilometres:g} km, {hours} h {minutes:02} min expected, {self.finish} finish"


def profile_of(stage: Stage, finish: Finish) -> Profile:
    """What capacity has to know of a stage."""
    return Profile(stage.profile, stage.distance_km, stage.expected_finish - stage.race_start, finish)


def capacity_of(written: Written, stage: Stage, scale: str) -> tuple[Capacity, ...]:
    """Everything of an edition that grows with a stage: machines by role, then limits by service."""
    rules = written.capacity.doc
    profile = profile_of(stage, finish_on(written.courses, stage.course))
    contract = {group.doc.role: group.doc.count for group in written.servers}
    grown = (
        machines_of(rule, profile, Contract(contract[rule.role], pinned(written, rule.role), scale))
        for rule in sorted(rules.growth, key=lambda rule: rule.role)
        if rule.role in contract
    )
    services = sorted((entry.doc for entry in written.services if entry.doc.grows), key=lambda doc: doc.name)
    limits = (limits_of(rules.limits, profile, doc.name, Limits(**doc.limits.model_dump())) for doc in services)
    return (*grown, *chain.from_iterable(limits))


def pinned(written: Written, role: str) -> int:
    """The highest slot of a role that a service, a cable, an endpoint or the clock names: what stays at rest."""
    named = {
        *(name for entry in written.services for name in entry.doc.runs_on.nodes),
        *(end.node for entry in written.cables for end in (entry.doc.a, entry.doc.b)),
        *(entry.doc.node for entry in written.endpoints),
        *written.head.doc.time_servers,
    }
    slots = (name.rpartition("-") for name in named)
    return max((int(slot) for of, _, slot in slots if of == role and slot.isdigit()), default=1)


@dataclass(frozen=True, slots=True)
class Contract:
    """What there may be of a role."""

    most: int
    """Machines that the edition's contract allows, at the full scale."""
    pinned: int = 1
    """Machines that something names, and that always stay."""
    scale: str = "full"

    def at_scale(self, count: int) -> int:
        """What the scale has of so many machines."""
        return min(max(server_count(count, self.scale), self.pinned), server_count(self.most, self.scale))


def machines_of(rule: GrowthDoc, profile: Profile, contract: Contract) -> Capacity:
    """Machines of a role: never more than the contract, never fewer than are pinned."""
    asked = _whole((rule.base + rule.per_hour * profile.hours) * _factor(rule, profile))
    race = min(max(asked, rule.rest, contract.pinned), contract.most)
    rest = min(max(rule.rest, contract.pinned), race)

    def reason(why: str, count: int, more: str = "") -> str:
        small = "" if contract.scale == "full" else f"; at the {contract.scale} scale {contract.at_scale(count)}"
        return f"{why}: {count} of {contract.most} {rule.role} machines{more}{small}"

    short = f" (it asks for {asked}, the contract has no more)" if asked > contract.most else ""
    return Capacity(
        subject=rule.role,
        quantity=Quantity.MACHINES,
        rest=contract.at_scale(rest),
        race=contract.at_scale(race),
        rest_reason=reason(_AT_REST, rest),
        race_reason=reason(str(profile), race, short),
    )


def limits_of(rule: LimitGrowthDoc, profile: Profile, service: str, base: Limits) -> tuple[Capacity, Capacity]:
    """Processor share and memory of each instance of a service that grows."""
    times, longer = _factor(rule, profile), max(1.0, profile.hours / rule.hours)
    cpu, rest = _up(base.cpu_percent * times, _CPU_STEP), _up(base.cpu_percent * rule.rest, _CPU_STEP)
    memory = _up(base.memory_mb * longer, _MEMORY_STEP_MB)
    flat = f"the {base.cpu_percent} % of a flat stage"
    held = f"{profile}: {memory} MB, {_compared(longer, f'the {base.memory_mb} MB of {rule.hours:g} hours')}"
    return (
        Capacity(
            service,
            Quantity.CPU,
            rest,
            cpu,
            f"{_AT_REST}: {rest} %, {_compared(rule.rest, flat)}",
            f"{profile}: {cpu} %, {_compared(times, flat)}",
        ),
        Capacity(service, Quantity.MEMORY, memory, memory, f"{held}; the day's readings are still held", held),
    )


def counts_at(capacity: Iterable[Capacity], demand: Demand) -> dict[str, int]:
    """Machines by role, for the roles that grow."""
    return {each.subject: each.at(demand) for each in capacity if each.quantity is Quantity.MACHINES}


def limits_at(capacity: Iterable[Capacity], demand: Demand) -> dict[str, Limits]:
    """Limits by service, for the services that grow."""
    found: dict[str, dict[str, int]] = {}
    for each in capacity:
        if each.quantity is not Quantity.MACHINES:
            found.setdefault(each.subject, {})[each.quantity.value] = each.at(demand)
    return {service: Limits(**numbers) for service, numbers in found.items()}


def _factor(rule: GrowthDoc | LimitGrowthDoc, profile: Profile) -> float:
    return _of(rule.profiles, profile.terrain) * _of(rule.finishes, profile.finish)


def _of(factors: Mapping, name: str) -> float:
    return factors.get(name, 1.0)


def _whole(value: float) -> int:
    """Up to the next whole machine; a billionth above a whole one is rounding, not need."""
    return ceil(round(value, 9))


def _compared(times: float, what: str) -> str:
    return what if times == 1 else f"{times:.3g} times {what}"


def _up(value: float, step: int) -> int:
    return _whole(value / step) * step
