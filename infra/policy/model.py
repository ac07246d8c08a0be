"""What policies look at and what they find: resources, facts of the estate, findings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any

from infra.estate.governance import Waiver
from infra.estate.model import Layer

STACK = "pulumi:pulumi:Stack"
"""Type of the resource that every other resource of a stack is in."""


class Level(StrEnum):
    """What a finding does to the operation that it was found in."""

    MANDATORY = "mandatory"
    """Refused."""
    ADVISORY = "advisory"
    """Told."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the state holds encrypted; known or not, it is never shown."""

    value: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PolicyItem:
    """A resource, the same whether it is about to be made or lies in an old checkpoint."""

    type: str
    """Pulumi's token: docker:index/container:Container."""
    name: str
    urn: str
    properties: Mapping[str, Any]
    """As they go over Pulumi's wire (camelCase for Docker); what only the engine will know is left out."""
    protect: bool = False
    secret_outputs: frozenset[str] = frozenset()
    """Outputs that Pulumi encrypts whatever the provider says."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A prefix that somebody uses; two owners of one address are the conflict of 2016."""

    owner: str
    """Edition and segment: `2017 race`."""
    prefix: IPv4Network

    def __str__(self) -> str:
        return f"{self.prefix} of {self.owner}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the model says about the stack that is judged, and the day on which it is."""

    stack: str
    layer: Layer
    today: date
    node_roles: Mapping[str, str]
    """Role of every node that the stack may have."""
    listeners: Mapping[str, frozenset[int]]
    """By node the TCP ports of its services."""
    contract: Mapping[str, int]
    """By role the most nodes that the edition's contract pays for."""
    management: IPv4Network
    """Out-of-band network of the stack's layer."""
    supernets: tuple[IPv4Network, ...]
    segments: tuple[Claim, ...]
    """Prefixes of the stack and of the core that it plugs into."""
    others: tuple[Claim, ...] = ()
    """Prefixes of everything else in the fleet: other trucks, other years."""
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """What a policy objects to."""

    resource: str
    """Name of the resource; of the stack where it is about the stack as a whole."""
    urn: str
    """Empty for the stack as a whole."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach as it is told."""

    policy: str
    level: Level
    resource: str
    urn: str
    sentence: str
    remedy: str
    waiver: Waiver | None = None
    """What allows it for a time; a waived finding is advisory."""

    def __str__(self) -> str:
        told = f"{self.policy}: {self.resource}: {self.sentence}. {self.remedy[0].upper()}{self.remedy[1:]}."
        if self.waiver is None:
            return told
        return f"{told} Waived until {self.waiver.expires} by {self.waiver.owner}: {self.waiver.reason}."


Rule = Callable[[Sequence[PolicyItem], Facts], Iterable[Breach]]


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule with what an auditor asks about it."""

    name: str
    risk: str
    """What happens where it is broken; the rule's docstring."""
    remedy: str
    controls: tuple[str, ...]
    """Controls of CSA CCM v4, ISO/IEC 27001:2022 and CIS Controls v8 that it carries out: `CCM IVS-03`."""
    rule: Rule
    level: Level = Level.MANDATORY
    whole_stack: bool = False
    """Whether it needs all resources together; the others judge each resource before it is made. What the model
    alone gets wrong they tell of the stack itself, which is the first resource of all.
    """


def breach(item: PolicyItem, sentence: str) -> Breach:
    """A breach by one resource."""
    return Breach(item.name, item.urn, sentence)


def policy(
    name: str, *, remedy: str, controls: Iterable[str], level: Level = Level.MANDATORY, whole_stack: bool = False
) -> Callable[[Rule], Policy]:
    """Make a policy of a rule whose docstring says the risk."""

    def make(rule: Rule) -> Policy:
        risk = " ".join((rule.__doc__ or "").split())
        return Policy(name, risk, remedy, tuple(controls), rule, level, whole_stack)

    return make
