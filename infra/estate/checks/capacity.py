"""Capacity: rules that can be followed, and machines that suffice on the most demanding day."""

from collections.abc import Iterator

from infra.estate.build import runs_on, service_limits, stage_of
from infra.estate.cabling import machines
from infra.estate.capacity import capacity_of, limits_at
from infra.estate.mistakes import Mistake, known
from infra.estate.model import Demand, Limits
from infra.estate.vocabulary import ROLES
from infra.estate.written import Written


def growing_roles(written: Written) -> Iterator[Mistake]:
    """Each role has one rule, and none of its machines keeps data: a machine that is taken away takes them along."""
    rules = written.capacity
    first: dict[str, int] = {}
    for index, rule in enumerate(rules.doc.growth):
        field = f"growth[{index}].role"
        if rule.role not in ROLES:
            yield rules.mistake(field, f"{rule.role!r} is not a role", f"use one of {known(ROLES, 30)}")
        elif first.setdefault(rule.role, index) != index:
            yield rules.mistake(field, f"{rule.role} already grows by growth[{first[rule.role]}]", "keep one of them")
        for entry in written.services:
            where = entry.doc.runs_on
            if entry.doc.keeps_data and (where.everywhere or rule.role in where.roles):
                reason = f"every {rule.role} machine keeps data of {entry.doc.name}, so none can be taken away"
                yield rules.mistake(field, reason, "take the role out, or run the service on machines by name")


def machines_suffice(written: Written) -> Iterator[Mistake]:
    """On the most demanding day, the sums of processors and memory stay below the machine's size."""
    worst = _largest_limits(written)
    for machine in machines(written, "full"):
        limits = [service_limits(s.doc, machine, worst) for s in written.services if runs_on(s.doc, machine)]
        cpu, memory = sum(limit.cpu_percent for limit in limits), sum(limit.memory_mb for limit in limits)
        remedy = f"give {machine.name} more, move a service, or lower limits in services.yaml"
        if cpu > machine.size.cpus * 100:
            reason = (
                f"the services of {machine.name} may use {cpu} % of a processor, it has {machine.size.cpus * 100} %"
            )
            yield machine.entry.mistake("size.cpus", reason, remedy)
        if memory > machine.size.memory_mb:
            reason = f"the services of {machine.name} may use {memory} MB, it has {machine.size.memory_mb} MB"
            yield machine.entry.mistake("size.memory_mb", reason, remedy)


def _largest_limits(written: Written) -> dict[str, Limits]:
    """By service, the most that any stage of the edition gives it."""
    largest: dict[str, Limits] = {}
    for line in written.stages:
        capacity = capacity_of(written, stage_of(written.edition, line.doc), "full")
        for service, limits in limits_at(capacity, Demand.RACE).items():
            so_far = largest.get(service, limits)
            largest[service] = Limits(
                max(limits.cpu_percent, so_far.cpu_percent), max(limits.memory_mb, so_far.memory_mb)
            )
    return largest
