"""Who may act on the estate and agree to changes, and which policies may be broken, by whose word."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class PersonRole(StrEnum):
    """What a person may do to the estate."""

    OPERATOR = "operator"
    """Plans changes and carries them out."""
    APPROVER = "approver"
    """Signs plans of others."""
    AUDITOR = "auditor"
    """Reads and verifies; changes nothing."""


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A public SSH key and the days on which signatures with it count, both included."""

    public: str
    """`ssh-ed25519 AAAA...`, without a comment."""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts on the estate, under the name of a function, known by keys."""

    name: str
    roles: tuple[PersonRole, ...]
    keys: tuple[PersonKey, ...]


@dataclass(frozen=True, slots=True)
class Waiver:
    """A policy's breach that is allowed for a time, by somebody who answers for it."""

    policy: str
    resource: str
    """Names of the resources that it is for, as a pattern: `*`, `edge-*`, `store-1-data`."""
    reason: str
    owner: str
    """The function that answers for the risk, never a person's name."""
    expires: date
    """The last day on which it holds."""
    file: str = ""
    """Where it is written: `stacks/common/waivers.yaml`."""
    field: str = ""
    """Where in the file: `waivers[0]`."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Which changes need an approval, and for how long one is good."""

    required_from: str
    """Risk class, R0 to R3."""
    valid_hours: int
