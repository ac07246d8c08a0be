"""The evidence of one ETAPE_HOME: a log a season, chosen by the stack that an entry is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from infra.evidence.chain import Entry
from infra.evidence.log import EvidenceLog
from infra.evidence.masking import Mask
from infra.identity import EVIDENCE, fingerprint, sign
from infra.operator_key import public_key
from infra.workspace import Workspace


@dataclass
class OperatorSigner:
    """The operator's key of a workspace; the key is made where there is none."""

    workspace: Workspace

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(public_key(self.workspace))

    def sign(self, content: bytes) -> bytes:
        """Raises infra.identity.SignatureError."""
        return sign(content, self.workspace.private_key, EVIDENCE)


class Evidence:
    """What every verb that changes or judges something writes to."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.home / "evidence"
        self._signer = OperatorSigner(workspace)
        self._mask = Mask(workspace)
        self._logs: dict[str, EvidenceLog] = {}

    def append(
        self, kind: str, stack: str, facts: Mapping[str, object], files: Mapping[str, bytes] | None = None
    ) -> Entry:
        """Write one entry to the log of the stack's season; `files` are attached by name. Secrets are masked."""
        return self.log(stack).append(kind, stack, facts, files)

    def log(self, stack: str) -> EvidenceLog:
        """The log of the season that a stack (`2017-s09`, `2017-core`) or an edition (`2017`) belongs to."""
        season = stack.split("-")[0]
        if season not in self._logs:
            self._logs[season] = EvidenceLog(self._folder / season, self._signer, self._mask)
        return self._logs[season]

    def written(self) -> dict[str, EvidenceLog]:
        """The logs that this command wrote to or asked for, by season."""
        return dict(self._logs)
