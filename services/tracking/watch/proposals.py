"""What race control is asked to decide: what the readings suggest, and are not enough to prove."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

BUCKET = "PROPOSALS"
"""Of the broker: the questions that are open now, by the stack of their race."""
BIKE_CHANGE, WITHDRAWAL = "bike_change", "withdrawal"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One question to race control, until it has decided on one of its riders or on its device."""

    kind: str
    """`BIKE_CHANGE` or `WITHDRAWAL`."""
    since_ms: int
    """Race clock, Unix milliseconds."""
    riders: tuple[int, ...]
    """Whom it may be about, likeliest first."""
    device: int
    """What one of them may ride; 0 for a withdrawal."""
    reason: str

    def memory(self) -> dict[str, Any]:
        """Ready for JSON; `Proposal.remembering` makes the same of it."""
        return asdict(self)

    @classmethod
    def remembering(cls, memory: dict[str, Any]) -> "Proposal":
        """What `memory` said; TypeError or KeyError where it is none."""
        return cls(**{**memory, "riders": tuple(memory["riders"])})

    @property
    def command(self) -> str:
        """What race control would say to agree, on the likeliest rider."""
        if self.kind == WITHDRAWAL:
            return f"withdraw --rider {self.riders[0]}"
        return f"bike-change --device {self.device} --rider {self.riders[0]}"


def as_json(proposals: Sequence[Proposal]) -> bytes:
    """As they are published."""
    return json.dumps([proposal.memory() for proposal in proposals]).encode()


def from_json(text: bytes) -> tuple[Proposal, ...]:
    """What `as_json` wrote; ValueError for anything else."""
    try:
        return tuple(Proposal.remembering(proposal) for proposal in json.loads(text))
    except (TypeError, KeyError) as error:
        raise ValueError(f"these are no proposals ({error}); take them from the bucket {BUCKET}") from None
