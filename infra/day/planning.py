"""What the next `up`, or the end of a season, would do: previewed layer by layer, digested, judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from infra.approval.covering import covered_by, read_sources
from infra.approval.digest import Covered
from infra.approval.document import RISKS, Asked, JudgedChange, RiskName
from infra.approval.judge import highest_of
from infra.day.context import Day, layers, read_estate, season
from infra.day.judging import Judge, Judged, judged
from infra.day.record import Phase, Record
from infra.estate.model import Estate
from infra.plan import Plan, Step, plain, resource_name


@dataclass(frozen=True)
class Planned:
    """One thing that an operator asks for, before any of it is done."""

    verb: Asked
    wanted: Record
    layers: tuple[Estate, ...]
    plans: tuple[Plan, ...]
    covered: Covered
    judged: Judged

    @property
    def risks(self) -> dict[RiskName, int]:
        """Number of changes by risk class, those without any included."""
        return {risk: sum(change.risk == risk for change in self.judged.changes) for risk in RISKS}

    @property
    def highest(self) -> RiskName:
        """The highest class of any change; R0 where nothing changes."""
        return highest_of(self.judged.changes)


def plan_up(
    day: Day,
    estate: Estate,
    wanted: Record,
    bounds: Mapping[str, Path] = MappingProxyType({}),
    judge: Judge = judged,
    why: str = "",
) -> Planned:
    """Preview every layer of an `up` of the estate. Raises EngineError where a program or a provider refuses.

    `bounds` has the files, by stack, to which Pulumi writes its own form of the plans.
    """
    tiers = layers(estate)
    plans = []
    for tier in tiers:
        with day.progress.step(f"Plan {tier.stack}") as step:
            plan = day.engine.preview(tier.stack, wanted.config, day.progress.note, bounds.get(tier.stack))
            step.detail, step.facts = f"{len(plan.steps)} steps", {"steps": len(plan.steps)}
            plans.append(plan)
    covered = covered_by(read_sources(day.workspace.root, tiers), plans, {"speed": wanted.speed})
    with day.progress.step("Judge what changes"):
        found = judge(day, plans, why)
    return Planned("up", wanted, tiers, tuple(plans), covered, found)


def plan_end(day: Day, core: Estate) -> Planned:
    """What `down --core` takes away: everything that the season's checkpoint holds, each an R4 change."""
    record = day.records.read(core.stack)
    checkpoint = {"deployment": {}} if record.phase is Phase.DOWN else day.engine.export(core.stack)
    plan = _deletes(core.stack, checkpoint)
    covered = covered_by(read_sources(day.workspace.root, (core,)), (plan,), {})
    changes = tuple(
        JudgedChange(
            risk="R4",
            action="remove",
            kind=step.type.rpartition(":")[2],
            name=step.name,
            stack=core.stack,
            reason="the season ends",
        )
        for step in plan.steps
    )
    return Planned("down --core", record, (core,), (plan,), covered, Judged(changes))


def season_alone(estate: Estate) -> Estate:
    """The season's core as it is without any stage: the same whichever town the truck is in."""
    return read_estate(f"{estate.edition}-core", season(estate).scale)


def _deletes(stack: str, checkpoint: Mapping) -> Plan:
    resources = checkpoint["deployment"].get("resources") or ()
    steps = (_delete(each) for each in resources if each.get("custom") and not each["type"].startswith("pulumi:"))
    return Plan(stack, tuple(sorted(steps, key=lambda step: step.urn)), (), "", {})


def _delete(resource: Mapping) -> Step:
    urn, protected = resource["urn"], bool(resource.get("protect"))
    inputs = plain(resource.get("inputs") or {})
    return Step("delete", urn, resource["type"], resource_name(urn), inputs, None, (), (), protected)
