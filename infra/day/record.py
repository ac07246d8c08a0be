"""What the day cycle remembers of a stack between two commands, killed ones included.

One small JSON file a stack in ETAPE_HOME, replaced atomically. It says how far the day got, so that a command
that was killed is run again to the same end: a stage that never deployed has nothing to drain, and one whose
drain was proven goes on to be destroyed.
"""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from infra.durable import write_durably
from infra.estate.model import Demand
from infra.workspace import Workspace


class Phase(StrEnum):
    """How far a stack's day has come."""

    DOWN = "down"
    """Nothing of it exists, or should."""
    RIGGING = "rigging"
    """Machines and cables are being made; no data can exist yet."""
    DEPLOYING = "deploying"
    """Services are being started; data may exist from here on."""
    LIVE = "live"
    """Arrived, checked, and for a stage: raced."""
    DRAINING = "draining"
    """Producers are being stopped and the backlog carried to the cloud."""
    DRAINED = "drained"
    """Both ends' manifests were equal and the evidence is in the object store."""


class Record(BaseModel):
    """The day of one stack."""

    model_config = ConfigDict(extra="forbid")

    stack: str
    phase: Phase = Phase.DOWN
    scale: str = "full"
    speed: float = 1.0
    demand: Demand = Demand.RACE
    """The part of the day that its machines and limits are for."""
    scaling: bool = False
    """A change of `demand` was begun and has not come to its end: some of the machines of both may be there."""
    evidence: str = ""
    """The log's entry that the stack's last evidence was exported with, as stack and number."""

    @property
    def config(self) -> dict[str, str]:
        """The configuration of its Pulumi stack."""
        return {"placement": "lab", "scale": self.scale, "demand": self.demand.value}

    def reached(self, phase: Phase) -> bool:
        """Whether the day has come at least as far as `phase`."""
        order = list(Phase)
        return order.index(self.phase) >= order.index(phase)


class Records:
    """The records of one ETAPE_HOME."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.home / "days"

    def read(self, stack: str) -> Record:
        """The record of a stack; a stack that was never up is DOWN."""
        path = self._path(stack)
        return Record.model_validate_json(path.read_text()) if path.exists() else Record(stack=stack)

    def write(self, record: Record) -> None:
        """Replace the record atomically, durable before it returns."""
        write_durably(self._path(record.stack), record.model_dump_json(indent=2))

    def up(self) -> tuple[Record, ...]:
        """The records of all stacks of which something exists, in the order of their names."""
        paths = sorted(self._folder.glob("*.json"))
        records = (Record.model_validate_json(path.read_text()) for path in paths)
        return tuple(record for record in records if record.phase is not Phase.DOWN)

    def _path(self, stack: str) -> Path:
        return self._folder / f"{stack}.json"
