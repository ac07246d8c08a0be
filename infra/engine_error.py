"""How an operation on a stack ends when it does not succeed."""

from dataclasses import dataclass
from pathlib import Path

from infra.trouble import Trouble


@dataclass
class EngineError(Trouble):
    """An operation did not reach its end; what it made is kept, and it can be run again."""

    log: Path | None = None

    @property
    def advice(self) -> str:
        """The remedy, and where more is written."""
        return f"{self.remedy} (log: {self.log})" if self.log else self.remedy


class StateError(EngineError):
    """The state cannot be reached, is held by somebody else or is not whole: nothing was begun."""
