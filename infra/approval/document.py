"""An approval file: what is asked for, exactly what it covers, and the signatures under it."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.approval.digest import Covered, canonical, plan_hash
from infra.durable import write_durably
from infra.estate.model import Demand

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RiskName = Literal["R0", "R1", "R2", "R3", "R4"]
RISKS: tuple[RiskName, ...] = get_args(RiskName)
Asked = Literal["up", "down --core"]
"""What can be approved, as it follows `scripts/stage`."""


class ApprovalFileError(Exception):
    """The file cannot be read as an approval, or not be written; says everything that is wrong with it."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Author(_Document):
    """Who made the plan."""

    name: str
    fingerprint: str


class JudgedChange(_Document):
    """One line of what would change, for whoever signs."""

    risk: RiskName
    action: str
    kind: str
    """The last part of Pulumi's type, or the model's word."""
    name: str
    stack: str
    reason: str

    @property
    def what(self) -> str:
        """For people."""
        return f"{self.kind} {self.name} of {self.stack}"


class Request(_Document):
    """What is asked for: everything that a signature stands under."""

    verb: Asked
    stack: str
    scale: str
    demand: Demand
    """The part of the day that the stage is equipped for."""
    speed: Annotated[float, Field(gt=0)]
    plan_hash: _Digest
    covers: Mapping[str, Mapping[str, str]]
    """Digests by part and entry, as `Covered` has them."""
    risks: Mapping[RiskName, Annotated[int, Field(ge=0)]]
    """Number of changes by risk class."""
    changes: tuple[JudgedChange, ...]
    review: _Digest | None
    """Content hash of the review of the same changes, as `scripts/review` prints it; None for the end of a season."""
    why: str
    author: Author
    requested_at: AwareDatetime
    expires: AwareDatetime

    @model_validator(mode="after")
    def _hash_of_what_it_covers(self) -> "Request":
        if set(self.covers) != {field.name for field in fields(Covered)}:
            raise ValueError("covers: the parts of a plan are not all there: make the plan again")
        if plan_hash(self.covered) != self.plan_hash:
            raise ValueError("plan_hash: is not the hash of what the file covers: it was changed by hand")
        return self

    @property
    def covered(self) -> Covered:
        """What the plan covers."""
        return Covered(**self.covers)

    @property
    def highest(self) -> RiskName:
        """The highest risk class of any change; R0 where nothing changes."""
        return max((risk for risk, count in self.risks.items() if count), default="R0")

    def signed_bytes(self) -> bytes:
        """What signatures stand under: canonical JSON of the whole request."""
        return canonical(self.model_dump(mode="json"))

    def expired(self, at: datetime) -> bool:
        """Whether its time is over at `at` (aware)."""
        return at >= self.expires


class Approval(_Document):
    """The file: a request and the armoured SSH signatures under it, the author's first."""

    version: Literal[1] = 1
    request: Request
    signatures: tuple[str, ...] = ()


def read_approval(path: Path) -> Approval:
    """Raises ApprovalFileError with everything that is wrong with the file."""
    try:
        return Approval.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ApprovalFileError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        told = (f"{path}: {_field(each['loc'])}{each['msg'].removeprefix('Value error, ')}" for each in error.errors())
        raise ApprovalFileError("\n".join(told)) from None


def write_approval(path: Path, approval: Approval) -> None:
    """Replace the file by one that is whole at any moment. Raises ApprovalFileError where it cannot be written."""
    try:
        write_durably(path, approval.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise ApprovalFileError(f"{path} cannot be written: {error.strerror}") from None


def _field(location: tuple[int | str, ...]) -> str:
    """Where in the file; empty for the file as a whole."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    return f"{path}: " if path else ""
