"""What the evidence log kept about a stack: its model at a moment, who acted, who approved."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.evidence.chain import Entry
from infra.evidence.log import EvidenceLog
from infra.evidence.seasons import Evidence
from infra.identity import fingerprint
from infra.review.snapshot import ReviewError

_MODEL = "model.json"
_ACTING = frozenset({"begin", "up", "destroy", "deploy", "scale", "restore"})


class Kept:
    """Reads the log of each season; what is not in it is None or empty, what is broken of it is left out and told."""

    def __init__(self, evidence: Evidence, people: Mapping[str, str] | None = None) -> None:
        """`people` maps fingerprints to names."""
        self._evidence = evidence
        self._people = people or {}

    def model(self, stack: str, moment: datetime) -> tuple[dict[str, Any] | None, datetime]:
        """The canonical model that was kept last until then, and when it was."""
        log = self._evidence.log(stack)
        for entry in reversed(self._entries(stack, moment)):
            if _MODEL in entry.files:
                content = _attached(log, str(entry.files[_MODEL]["sha256"]))
                return json.loads(content), datetime.fromisoformat(entry.at)
        return None, datetime.min.replace(tzinfo=UTC)

    def who(self, stack: str, moment: datetime) -> str:
        """Who changed the stack last until then."""
        acting = [entry.who for entry in self._entries(stack, moment) if entry.kind in _ACTING]
        return self._name(acting[-1]) if acting else ""

    def approval(self, stack: str) -> str:
        """The last word about an approval, as a sentence."""
        entries = [entry for entry in self._entries(stack, datetime.now(UTC)) if entry.kind == "approval"]
        if not entries:
            return f"no approval was asked for or given for {stack}"
        last = entries[-1]
        told = [f"{last.facts.get('outcome', 'approval')} ({last.at}, {self._name(last.who)})"]
        told += [str(last.facts[name]) for name in ("reason", "why") if last.facts.get(name)]
        return ": ".join(told)

    def questions(self, stack: str) -> list[str]:
        """What of the log can no longer be trusted."""
        return [f"{each}: `scripts/verify-evidence` says more" for each in self._evidence.log(stack).read()[1]]

    def _name(self, who: str) -> str:
        return self._people.get(who, who)

    def _entries(self, stack: str, moment: datetime) -> list[Entry]:
        entries = self._evidence.log(stack).entries()
        return [each for each in entries if each.stack == stack and datetime.fromisoformat(each.at) <= moment]


def _attached(log: EvidenceLog, digest: str) -> bytes:
    path = next(log.folder.glob(f"*/files/{digest}"), None)
    if path is None:
        raise ReviewError(
            f"the evidence names a file {digest[:12]} that is gone", "`scripts/verify-evidence` says more"
        )
    return path.read_bytes()


def fingerprints(people: Any) -> dict[str, str]:
    """Names by the fingerprints of their keys."""
    return {fingerprint(key.public): person.name for person in people for key in person.keys}
