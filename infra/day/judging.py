"""What a plan's changes can do, as the review of the same change judges it."""

from collections.abc import Callable

from infra.approval.document import JudgedChange
from infra.day.context import Day
from infra.estate.model import Estate
from infra.plan import Plan

Judge = Callable[[Day, tuple[Estate, ...], tuple[Plan, ...]], tuple[tuple[JudgedChange, ...], str | None]]
"""From the layers and their plans to the judged changes and the content hash of their review."""


def judged(day: Day, tiers: tuple[Estate, ...], plans: tuple[Plan, ...]) -> tuple[tuple[JudgedChange, ...], str | None]:
    """The changes from what is applied to what is planned, over all layers."""
    raise NotImplementedError
