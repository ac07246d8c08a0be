"""Pulumi's stream of JSON events, reduced to what a person wants to hear."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.plan import PolicyFinding, read_finding, resource_name

Note = Callable[[str], None]
"""Told what is being done now, in a few words."""

_ECHOES = ("update failed", "preview failed", "resource monitor shut down", "an unhandled error occurred")
"""What Pulumi says besides the error that it follows from."""


@dataclass(frozen=True)
class Changes:
    """Numbers of resources by what was done to them: create, update, replace, delete, same."""

    counts: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, int]:
        return dict(self.counts)

    @property
    def none(self) -> bool:
        """Whether everything was as it should be already."""
        return not any(number for what, number in self.counts.items() if what != "same")

    def __str__(self) -> str:
        changed = [f"{number} {what}" for what, number in sorted(self.counts.items()) if what != "same" and number]
        return ", ".join(changed) or f"no change to {self.counts.get('same', 0)} resources"


@dataclass(frozen=True)
class Event:
    """One line of the stream; parts that it does not hold are empty."""

    step: str = ""
    error: str = ""
    changes: Changes | None = None
    finding: PolicyFinding | None = None
    new_outputs: bool = False


def read_event(line: str) -> Event | None:
    """None for lines that hold nothing to tell."""
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(event, dict):
        return None
    if summary := event.get("summaryEvent"):
        return Event(changes=Changes(summary.get("resourceChanges") or {}))
    if diagnostic := event.get("diagnosticEvent"):
        return _read_diagnostic(diagnostic)
    if policy := event.get("policyEvent"):
        return Event(finding=read_finding(policy))
    if after := event.get("resOutputsEvent"):
        return Event(new_outputs=True) if _has_new_outputs(after["metadata"]) else None
    if before := event.get("resourcePreEvent"):
        return _read_step(before["metadata"], "plan: " if before.get("planning") else "")
    return None


def _read_step(metadata: Mapping, lead: str) -> Event | None:
    if metadata["op"] in ("same", "read"):
        return None
    return Event(step=f"{lead}{metadata['op']} {_name(metadata['urn'])}")


def _has_new_outputs(metadata: Mapping) -> bool:
    """Whether the stack itself gives other outputs than before, which no resource's change has to go with."""
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    return metadata.get("type") == "pulumi:pulumi:Stack" and old.get("outputs") != new.get("outputs")


def _read_diagnostic(diagnostic: Mapping) -> Event | None:
    message = diagnostic["message"].strip().removeprefix("error: ")
    if diagnostic["severity"] != "error" or not message or message.startswith(_ECHOES):
        return None
    resource = _name(diagnostic.get("urn") or "")
    return Event(error=f"{resource}: {message}" if resource else message)


def _name(urn: str) -> str:
    """The resource's own name; nothing for the stack itself."""
    return "" if "pulumi:pulumi:Stack" in urn.split("::")[-2:][0] else resource_name(urn)


class Follower:
    """Listens to an operation: tells each step, keeps the errors and the sum."""

    def __init__(self, note: Note, hear: Callable[[str], None] = lambda line: None) -> None:
        self._note = note
        self._hear = hear
        self.errors: list[str] = []
        self.refused: list[PolicyFinding] = []
        self.changes = Changes()
        self._new_outputs = False

    @property
    def idle(self) -> bool:
        """Whether a preview that came to its end found nothing to do."""
        return self.changes.none and not self._new_outputs

    def __call__(self, line: str) -> None:
        self._hear(line)
        event = read_event(line)
        if event is None:
            return
        self._new_outputs |= event.new_outputs
        if event.step:
            self._note(event.step)
        if event.error and event.error not in self.errors:
            self.errors.append(event.error)
        if event.finding and event.finding.level == "mandatory" and event.finding not in self.refused:
            self.refused.append(event.finding)
        if event.changes:
            self.changes = event.changes
