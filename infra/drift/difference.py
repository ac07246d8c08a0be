"""One thing that is not as declared, and how all of them read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from infra.day.fault import Fault

MENDED = "`scripts/stage up` puts it back"
CABLING = "cabling"
"""Where a cable's difference is: at both of its ends."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is declared against what was found."""

    where: str
    """The machine, or the stack or store that the thing belongs to."""
    kind: str
    """container, network, volume, cable, bucket, machine; inside a machine file, unit, package, account..."""
    what: str
    declared: str
    found: str
    since: str = ""
    """ISO 8601 with seconds, UTC; empty where nobody knows."""
    remedy: str = MENDED
    cause: str = ""
    """Why, where that is known: a fault that was brought in on purpose."""


def explained(differences: Iterable[Difference], faults: Sequence[Fault]) -> tuple[Difference, ...]:
    """Name the faults of `scripts/lab fault` as the cause of what they brought about."""
    return tuple(_explained(each, faults) for each in differences)


def _explained(difference: Difference, faults: Sequence[Fault]) -> Difference:
    words = difference.what.split()
    named = words[0] if difference.kind == "cable" else words[-1].removesuffix(".service")
    for fault in faults:
        if difference.where in (fault.node, CABLING) and named in f"{fault.title} {fault.harm}".split():
            cause, remedy = f"brought in on purpose: {fault.title}", "`scripts/lab heal` mends it"
            return replace(difference, cause=cause, remedy=remedy)
    return difference


def as_table(differences: Sequence[Difference]) -> str:
    """By place, one line a difference, below it what to do where that is not the same for all of the place."""
    lines = []
    for where, group in groupby(sorted(differences, key=lambda each: (each.where, each.kind, each.what)), _where):
        lines.append(where)
        for each in group:
            since = f"  since {each.since}" if each.since else ""
            lines.append(f"  ✗ {each.kind:<9} {each.what}: {each.found}; declared: {each.declared}{since}")
            lines += [f"      {text}" for text in (each.cause, each.remedy) if text]
    return "\n".join(lines)


def _where(difference: Difference) -> str:
    return difference.where
