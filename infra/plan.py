"""What an `up` would do, step by step, read from the events of a preview."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SECRET: Mapping[str, str] = {"etape": "secret"}
"""Stands in a step's inputs for a value that is secret; whether it changed, `Step.changing` says."""
UNKNOWN: Mapping[str, str] = {"etape": "known only once it is made"}
"""Stands in a step's inputs for a value that another step of the same plan makes first."""

# How Pulumi's engine marks a special value, and which kind of special value it is.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN_VALUES = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a string
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a truth value
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)

# Parts of a replacement, which is told as one step, and steps that change nothing.
_NOT_TOLD = frozenset({"same", "read", "refresh", "create-replacement", "delete-replaced", "discard-replaced"})


@dataclass(frozen=True)
class Step:
    """One resource that would change; `before` and `after` are its inputs, None where it is not there."""

    op: str
    """`create`, `update`, `replace`, `delete`, or another word of Pulumi's for a rarer step."""
    urn: str
    type: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    replacing: tuple[str, ...]
    """Properties whose change makes the replacement necessary."""
    changing: tuple[str, ...]
    """Paths of the properties that differ as the provider sees it, secret ones included (`labels[2].value`)."""
    protected: bool
    """Whether Pulumi refuses to delete what is there now."""


@dataclass(frozen=True)
class PolicyFinding:
    """What the policy pack objects to. `level` is `mandatory` (nothing is deployed) or `advisory`."""

    policy: str
    level: Literal["mandatory", "advisory"]
    resource: str
    """The resource's own name; the stack's where it concerns the whole of it."""
    message: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.message} ({self.policy})"


@dataclass(frozen=True)
class Plan:
    """Steps in the order of their URNs, so that the same plan reads the same each time it is made."""

    stack: str
    steps: tuple[Step, ...]
    policies: tuple[PolicyFinding, ...]
    engine: str
    """Version of the Pulumi engine that made it."""
    config: Mapping[str, str] = field(default_factory=dict)
    """What the stack was planned with, such as `placement` and `scale`."""

    @property
    def refused(self) -> tuple[PolicyFinding, ...]:
        """Findings that keep the plan from being carried out."""
        return tuple(each for each in self.policies if each.level == "mandatory")


def read_plan(stack: str, events: Iterable[Mapping], engine: str, config: Mapping[str, str]) -> Plan:
    """From the events of a whole preview, in any order."""
    steps, findings = [], set()
    for event in events:
        if before := event.get("resourcePreEvent"):
            if before["metadata"]["op"] not in _NOT_TOLD:
                steps.append(_read_step(before["metadata"]))
        elif policy := event.get("policyEvent"):
            findings.add(read_finding(policy))
    return Plan(
        stack,
        tuple(sorted(steps, key=lambda step: (step.urn, step.op))),
        tuple(sorted(findings, key=lambda finding: (finding.policy, finding.resource, finding.message))),
        engine,
        dict(config),
    )


def read_finding(policy: Mapping) -> PolicyFinding:
    """From one event of the policy pack."""
    level = policy["enforcementLevel"]
    # The first line is the policy's description, the same for each of its findings.
    lines = [line.strip() for line in policy["message"].splitlines() if line.strip()]
    message = " ".join(lines[1:] or lines)
    return PolicyFinding(
        policy["policyName"],
        "advisory" if level == "advisory" else "mandatory",
        resource_name(policy.get("resourceUrn") or ""),
        message,
    )


def resource_name(urn: str) -> str:
    """The resource's own name, which is the last part of its URN; the stack's own is `PROJECT-STACK`."""
    return urn.rpartition("::")[2]


def _read_step(metadata: Mapping) -> Step:
    old, new = metadata.get("old"), metadata.get("new")
    return Step(
        op=metadata["op"],
        urn=metadata["urn"],
        type=metadata["type"],
        name=resource_name(metadata["urn"]),
        before=_inputs(old),
        after=_inputs(new),
        replacing=tuple(sorted(metadata.get("keys") or ())),
        changing=tuple(sorted(metadata.get("detailedDiff") or metadata.get("diffs") or ())),
        protected=bool(old and old.get("protect")),
    )


def _inputs(state: Mapping | None) -> Mapping[str, Any] | None:
    return None if state is None else plain(state.get("inputs") or {})


def plain(value: Any) -> Any:
    """A serialised value of Pulumi's without its bookkeeping: markers for secrets and for what is not known yet."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _IS_SECRET:
            return dict(SECRET)
        return {name: plain(each) for name, each in sorted(value.items()) if name != "__defaults"}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and value in _UNKNOWN_VALUES:
        return dict(UNKNOWN)
    return value


def read_events(text: str) -> list[Mapping]:
    """The events of a stream, one JSON object a line; lines of plugins that print are left out."""
    events = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return events
