"""A review: a judged comparison with everything that an auditor asks about it, as one document with one hash.

The JSON that `document` makes is the review. Every other format is a view of it and shows the same content hash, the
SHA-256 of its canonical form: keys sorted, no space, UTF-8. When and how it was shown is not in it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.review.change import Action, Change, Comparison, PropertyChange, Risk
from infra.review.risk import WHILE_LIVE
from infra.review.rules import RULES
from infra.review.snapshot import Snapshot
from infra.review.values import as_json

VERSION = 1
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What a policy says about the second state."""

    policy: str
    level: str
    """mandatory, advisory, or unknown where it was not judged."""
    resource: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that is told."""

    comparison: Comparison
    findings: tuple[Finding, ...]
    why: str
    """From whoever asked for it; empty where nobody said."""
    approval: str

    @property
    def questions(self) -> tuple[str, ...]:
        """What is open: what could not be read, what nobody gave a reason for."""
        comparison = self.comparison
        grave = [change for change in comparison.changes if change.risk >= Risk.R3 and not change.reason]
        told = [f"{change.kind} {change.name}" for change in grave]
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        unexplained = [f"no reason is known for {', '.join(told[:_NAMED])}{more} (R3 or R4)"] if told else []
        asked = [] if self.why else ["nobody said why (--why)"]
        return (*comparison.a.questions, *comparison.b.questions, *comparison.questions, *unexplained, *asked)

    def document(self) -> dict[str, Any]:
        """The review as JSON, without its own hash."""
        comparison = self.comparison
        return {
            "version": VERSION,
            "a": _side(comparison.a),
            "b": _side(comparison.b),
            "why": self.why,
            "approval": self.approval,
            "summary": {
                "risk": {risk.name: count for risk, count in comparison.by_risk().items()},
                "actions": _actions(comparison.changes),
                "same": comparison.same,
            },
            "rules": _rules(comparison.changes),
            "policies": [asdict(finding) for finding in self.findings],
            "questions": list(self.questions),
            "folded": [
                {"cause": each.cause, "properties": each.count, "things": each.things} for each in comparison.folded
            ],
            "changes": [_change(change) for change in comparison.changes],
            "expected": [_change(change) for change in comparison.daily],
        }


def canonical(document: Mapping[str, Any]) -> bytes:
    """The form whose hash is the content hash."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document, without the hash that it may carry itself."""
    return hashlib.sha256(canonical({k: v for k, v in document.items() if k != "content_hash"})).hexdigest()


def _side(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "title": snapshot.title,
        "source": snapshot.source,
        "stacks": list(snapshot.stacks),
        "at": snapshot.at,
        "who": snapshot.who,
        "things": len(snapshot.items),
        "resources": sum(item.is_resource for item in snapshot.items),
    }


def _actions(changes: Iterable[Change]) -> dict[str, int]:
    found = Counter(change.action.value for change in changes)
    return {action.value: found[action.value] for action in Action}


def _rules(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The rules that found something, the gravest first."""
    found = Counter(rule for change in changes for rule in change.rules)
    texts = {rule.name: (rule.risk.name, rule.text) for rule in RULES}
    texts[WHILE_LIVE] = ("+1", "The stage is being raced.")
    ordered = sorted(found, key=lambda name: (texts[name][0], name), reverse=True)
    return [{"name": name, "risk": texts[name][0], "text": texts[name][1], "changes": found[name]} for name in ordered]


def _change(change: Change) -> dict[str, Any]:
    return {
        "layer": "core" if change.stack.endswith("-core") else "stage",
        "kind": change.kind,
        "name": change.name,
        "action": change.action.value,
        "risk": change.risk.name,
        "rules": list(change.rules),
        "note": change.note,
        "reason": change.reason,
        "properties": [_property(each) for each in change.properties],
    }


def _property(change: PropertyChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "before": as_json(change.before),
        "after": as_json(change.after),
        "expected": change.expected,
    }
