"""What every step of the day works with."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

from infra.day.access import read_outputs
from infra.day.hub import Hub
from infra.day.outcome import Refusal
from infra.day.progress import Progress
from infra.day.record import Records
from infra.day.witness import Witness
from infra.engine import Engine
from infra.estate.load import Scale, load_estate
from infra.estate.mistakes import EstateError
from infra.estate.model import Demand, Estate, Service
from infra.evidence.seasons import Evidence
from infra.evidence.store import ObjectStore
from infra.workspace import Toolbox, Workspace


@dataclass
class Day:
    """One command of the day: where it works, what it uses, where it reports."""

    workspace: Workspace
    progress: Progress

    @cached_property
    def toolbox(self) -> Toolbox:
        return Toolbox.read(self.workspace)

    @cached_property
    def engine(self) -> Engine:
        witness = Witness(self.workspace, self.evidence, self.estate)
        return Engine(self.workspace, self.toolbox, watch=witness, policies=self.workspace.policy_pack)

    @cached_property
    def records(self) -> Records:
        return Records(self.workspace)

    @cached_property
    def evidence(self) -> Evidence:
        """The season's log: `day.evidence.append(kind, stack, facts, files)`; signed and sent when the verb ends."""
        return Evidence(self.workspace)

    def estate(self, stack: str) -> Estate:
        """The estate of a stack as its record has it: its scale, and the part of the day that it is equipped for."""
        record = self.records.read(stack)
        return read_estate(stack, record.scale, record.demand)

    def hub(self, estate: Estate) -> Hub:
        """The hub of the season that `estate` belongs to."""
        core = season(estate)
        return Hub(f"nats://{address(core, 'hub')}", self._credentials(core)["hub_password"])

    def tell(self, estate: Estate, phase: str, message: str) -> None:
        """Say how far the day is, where the season's hub is there to hear it."""
        if self._credentials(season(estate)):
            self.hub(estate).phase(estate.stack, phase, message)

    def object_store(self, estate: Estate) -> ObjectStore:
        """The object store of the season that `estate` belongs to."""
        core = season(estate)
        secrets = self._credentials(core)
        return ObjectStore(
            f"http://{address(core, 'object_store')}",
            secrets["object_store_access_key"],
            secrets["object_store_secret_key"],
        )

    def _credentials(self, core: Estate) -> dict[str, str]:
        return read_outputs(self.workspace, core.stack).get("credentials", {})


def read_estate(stack: str, scale: str, demand: Demand = Demand.RACE) -> Estate:
    """The estate of a stack; every mistake in stacks/ is one Refusal."""
    try:
        return load_estate(stack, cast(Scale, scale), demand=demand.value)  # it refuses what is not a scale
    except EstateError as error:
        raise Refusal(str(error), "mend what is named above; nothing was created") from None


def season(estate: Estate) -> Estate:
    """The core that an estate plugs into; itself where it is the core."""
    return estate.core or estate


def layers(estate: Estate) -> tuple[Estate, ...]:
    """The estates to bring up, in order: the core before the stage."""
    return (estate.core, estate) if estate.core else (estate,)


def address(estate: Estate, service: str) -> str:
    """`host:port` of a service's first instance on the management network, where the operator reaches it."""
    first = _first(estate, service)
    return f"{estate.node(first.node).management}:{first.port}"


def health_address(estate: Estate, service: str) -> str:
    """`host:port` of the health endpoint of a service's first instance, on the management network."""
    first = _first(estate, service)
    return f"{estate.node(first.node).management}:{first.health_port}"


def _first(estate: Estate, service: str) -> Service:
    return next(each for each in estate.everything("services") if each.name == service)
