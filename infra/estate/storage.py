"""The buckets of the season's object store: what they keep, how long, and who may do what."""

from dataclasses import dataclass
from enum import StrEnum


class RetentionMode(StrEnum):
    """How strictly a store keeps what it was given."""

    GOVERNANCE = "governance"
    """Whoever may bypass it can still delete."""
    COMPLIANCE = "compliance"
    """Nobody can delete, whoever asks, until the time is over."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long an object cannot be deleted or overwritten after it was written."""

    mode: RetentionMode
    days: int


class Effect(StrEnum):
    """What a statement of a bucket's policy does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a bucket's policy, about the bucket and everything in it."""

    name: str
    effect: Effect
    principals: tuple[str, ...]
    """Accounts; `*` is everybody, without a key too."""
    actions: tuple[str, ...]
    """As in the S3 API, such as s3:GetObject."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of the season's object store."""

    name: str
    title: str
    versioning: bool
    """Whether earlier versions of an object are kept."""
    retention: Retention | None
    policy: tuple[Statement, ...]
    """Empty: only the store's own account gets in."""
