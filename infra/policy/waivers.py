"""Breaches that are allowed for a time: by whom, why, and until when. Time is given, never read here."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from infra.estate.governance import Waiver
from infra.estate.mistakes import Mistake, known
from infra.policy.model import Finding, Level

WAIVERS = "waivers"
"""The name under which the use of waivers is told."""


def waiver_mistakes(waivers: Iterable[Waiver], policies: Collection[str], today: date) -> tuple[Mistake, ...]:
    """What makes a waiver void: it has expired, or it names a policy that there is not."""
    return tuple(mistake for waiver in waivers for mistake in _mistakes(waiver, policies, today))


def _mistakes(waiver: Waiver, policies: Collection[str], today: date) -> Iterator[Mistake]:
    if waiver.policy not in policies:
        reason = f"there is no policy {waiver.policy!r}"
        yield Mistake(waiver.file, f"{waiver.field}.policy", reason, f"name one of {known(policies, len(policies))}")
    if waiver.expires < today:
        reason = f"the waiver of {waiver.policy} for {waiver.resource} expired on {waiver.expires}"
        remedy = f"mend what it allowed and take it out, or have the {waiver.owner} decide anew on a later date"
        yield Mistake(waiver.file, f"{waiver.field}.expires", reason, remedy)


def waived(findings: Iterable[Finding], waivers: Sequence[Waiver], today: date) -> tuple[Finding, ...]:
    """The findings, those that a waiver allows made advisory. An expired waiver allows nothing."""
    valid = [waiver for waiver in waivers if waiver.expires >= today]
    return tuple(_allowed(finding, valid) for finding in findings)


def _allowed(finding: Finding, waivers: Iterable[Waiver]) -> Finding:
    for waiver in waivers:
        if waiver.policy == finding.policy and fnmatchcase(finding.resource, waiver.resource):
            return replace(finding, level=Level.ADVISORY, waiver=waiver)
    return finding


def waiver_use(findings: Iterable[Finding], waivers: Sequence[Waiver], stack: str) -> Iterator[Finding]:
    """One advisory finding for each waiver: what it allows in a stack, or that it allows nothing there any more."""
    uses = Counter(finding.waiver for finding in findings if finding.waiver)
    for waiver in waivers:
        where = f"{waiver.policy} for {waiver.resource} ({waiver.file}: {waiver.field})"
        if uses[waiver]:
            sentence = f"the waiver of {where} allows {uses[waiver]} breaches until {waiver.expires}: {waiver.reason}"
            yield Finding(WAIVERS, Level.ADVISORY, stack, "", sentence, f"the {waiver.owner} answers for it")
        else:
            sentence = f"the waiver of {where} allows nothing"
            yield Finding(WAIVERS, Level.ADVISORY, stack, "", sentence, "take it out if no other stack needs it")
