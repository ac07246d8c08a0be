"""How the parts of a review are said, in every format alike."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

SHAPES = {"R0": "○", "R1": "●", "R2": "▲", "R3": "■", "R4": "✖"}
"""A class is told by shape and name; colour only repeats it."""
RISKS = {
    "R0": "nothing that matters",
    "R1": "can be taken back at any time",
    "R2": "can disturb a service",
    "R3": "stops a service, opens a door or blinds",
    "R4": "loses data, the season or its guard",
}
ACTIONS = {
    "add": "new",
    "remove": "taken away",
    "change": "changed",
    "replace": "made anew",
    "rename": "renamed",
}
_MANY = 4
_NUMBERED = re.compile(r"(.*?)(\d+)$")


def clean(text: str) -> str:
    """Text without what would steer a terminal or break a line: names come from data that anyone may have written."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def kind(token: str) -> str:
    """`container resource` for docker:index/container:Container; a thing of the model is named as it is."""
    if token.startswith("pulumi:providers:"):
        return "provider"
    return clean(token.rpartition(":")[2].lower()) + ("" if ":" not in token else " resource")


def value(leaf: Any) -> str:
    """A leaf of the document as a person reads it; nothing is a dash."""
    match leaf:
        case None:
            return "—"
        case bool():
            return "yes" if leaf else "no"
        case {"secret": digest}:
            return f"secret ({digest})" if digest == "not known" else f"secret (digest {digest[:8]})"
        case {"refers_to": target}:
            token, _, name = target.partition(" ")
            return clean(f"{kind(token).removesuffix(' resource')} {name}")
        case {"unknown": why}:
            return str(why)
        case list():
            return ", ".join(map(value, leaf)) or "—"
        case "":
            return "(empty)"
    return clean(str(leaf))


def before_after(before: Any, after: Any) -> tuple[str, str]:
    """Both sides of a change; of long lists only what differs, of a secret that it was changed."""
    if isinstance(before, list) and isinstance(after, list) and max(len(before), len(after)) > _MANY:
        gone, came = ([each for each in x if each not in y] for x, y in ((before, after), (after, before)))
        return _part(len(before), "gone", gone), _part(len(after), "new", came)
    return value(before), value(after)


def _part(number: int, what: str, members: Sequence[Any]) -> str:
    return f"{number} members" + (f", {what}: {names(map(value, members))}" if members else "")


def names(listed: Iterable[str]) -> str:
    """Names with runs of numbers told once: `processor-13 … processor-24`."""
    told = []
    for _, run in groupby(enumerate(map(clean, listed)), key=_place_in_run):
        members = [name for _, name in run]
        told += [f"{members[0]} … {members[-1]}"] if len(members) > 2 else members
    return ", ".join(told)


def _place_in_run(numbered: tuple[int, str]) -> tuple[str, int]:
    """The same for the members of a run: names that differ in a number which goes up by one."""
    position, name = numbered
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2]) - position) if match else (name, -1)


def count(number: int, noun: str) -> str:
    """`1 change`, `12 changes`, `3 properties`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("ty") else f"{number} {noun}s"


def when(side: Mapping[str, Any]) -> str:
    """When and by whom a side was made: `2017-07-09 10:00 +02:00 by operator`."""
    return clean(" by ".join(each for each in (moment(side["at"]), side["who"]) if each)) or "not known"


def moment(stamp: str) -> str:
    """An ISO time to the minute, with its zone."""
    if not stamp:
        return ""
    at = datetime.fromisoformat(stamp)
    return at.strftime("%Y-%m-%d %H:%M ") + (at.isoformat()[-6:] if at.utcoffset() else "UTC")
