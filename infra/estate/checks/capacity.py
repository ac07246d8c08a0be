"""Capacity: on the most demanding day, what the services of a machine may use is what the machine has."""

from collections.abc import Iterator

from infra.estate.build import runs_on, service_limits, stage_of
from infra.estate.cabling import machines
from infra.estate.capacity import Demand, demand_of
from infra.estate.mistakes import Mistake
from infra.estate.written import Written


def machines_suffice(written: Written) -> Iterator[Mistake]:
    """The sums of processors and memory stay below the machine's size."""
    demands = [demand_of(stage_of(written.edition, line.doc)) for line in written.stages] or [Demand()]
    worst = Demand(max(demand.cpu for demand in demands), max(demand.memory for demand in demands))
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
