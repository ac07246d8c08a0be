"""What a plan's changes can do, as the review of the same change judges it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.approval.document import RISKS, JudgedChange
from infra.day.context import Day
from infra.day.outcome import Refusal
from infra.plan import Plan
from infra.review.desk import Desk
from infra.review.snapshot import ReviewError

_ANY_DAY = 1
"""Stands for an edition's days, for which a review of plans never asks."""


@dataclass(frozen=True)
class Judged:
    """The changes of all layers with their risk classes."""

    changes: tuple[JudgedChange, ...]
    review: Mapping[str, Any] | None = None
    """The review's document; None where nothing was reviewed."""


Judge = Callable[[Day, Sequence[Plan], str], Judged]
"""From the plans of all layers, and why they are made."""


def judged(day: Day, plans: Sequence[Plan], why: str) -> Judged:
    """The changes from what is applied to what is planned; Refusal where they cannot be judged."""
    try:
        review = Desk(day.workspace, None, None, _ANY_DAY).plans(plans, why)
    except ReviewError as error:
        raise Refusal(f"the plan cannot be judged: {error.sentence}", error.remedy) from None
    changes = (
        JudgedChange(
            risk=RISKS[change.risk],
            action=change.action.value,
            kind=change.kind.rpartition(":")[2],
            name=change.name,
            stack=change.stack,
            reason=change.reason,
        )
        for change in review.comparison.changes
    )
    return Judged(tuple(changes), review.document())
