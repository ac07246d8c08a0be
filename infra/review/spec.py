"""What a person names: one of the two things to compare."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from infra.review.snapshot import ReviewError

_SPEC = re.compile(r"(?P<edition>\d{4})(?:-(?P<layer>core|s\d{2}))?(?:@(?P<when>.+))?")


class Source(StrEnum):
    """Where a state is read from; the value is how the report names it."""

    DECLARED = "what the model declares now"
    PLAN = "what an up would leave"
    APPLIED = "what was applied last"
    ACTUAL = "what is really there"
    MOMENT = "what was applied at a moment"
    REVISION = "what the model declared in a revision"

    @property
    def is_made(self) -> bool:
        """Whether it is about a stack that an engine made, or would."""
        return self not in (Source.DECLARED, Source.REVISION)


_WORDS = {"plan": Source.PLAN, "applied": Source.APPLIED, "actual": Source.ACTUAL}


@dataclass(frozen=True, slots=True)
class Spec:
    """One state to look at."""

    text: str
    edition: str
    stack: str
    """Empty for an edition as a whole."""
    source: Source
    moment: datetime | None = None
    revision: str = ""


def read_spec(text: str) -> Spec:
    """From `2017-s09`, `2017-s09@applied`, `2017-s09@2017-07-09T10:00`, `2017@git:HEAD~3`. Raises ReviewError."""
    match = _SPEC.fullmatch(text)
    if match is None:
        raise ReviewError(
            f"{text!r} names no state of an estate",
            "write a stack (2017-s09, 2017-core) or an edition (2017), then where it is read from: nothing for the"
            " model, @plan, @applied, @actual, @2017-07-09T10:00+02:00 or @git:REVISION",
        )
    edition, layer, when = match["edition"], match["layer"], match["when"] or ""
    stack = f"{edition}-{layer}" if layer else ""
    if when.startswith("git:"):
        return Spec(text, edition, stack, Source.REVISION, revision=when.removeprefix("git:"))
    if not when:
        return Spec(text, edition, stack, Source.DECLARED)
    if not stack:
        raise ReviewError(
            f"{text!r}: an edition is declared, never brought up as a whole",
            f"name one of its stacks: {edition}-core@{when}",
        )
    if when in _WORDS:
        return Spec(text, edition, stack, _WORDS[when])
    return Spec(text, edition, stack, Source.MOMENT, moment=_moment(text, when))


def _moment(text: str, when: str) -> datetime:
    """A time without a zone is UTC, as everywhere in the evidence."""
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        raise ReviewError(
            f"{text!r}: {when!r} is neither plan, applied, actual, git:REVISION nor a moment",
            "write a moment as 2017-07-09T10:00+02:00",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
