"""Properties as paths and leaves, and leaves as text: one form for comparing, judging and showing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.review.snapshot import Default, Reference, Secret, Unknown, Value

Leaves = Mapping[str, Value]
"""By path: `ports[8310].ip`, `interfaces[wan0].address`, `labels[etape.stack]`."""

# What tells the members of a list apart, so that one that is put in between moves no other.
_KEYS = ("name", "label", "destination", "containerPath", "internal", "file", "volumeName", "public")


def leaves(properties: Mapping[str, Value], prefix: str = "") -> dict[str, Value]:
    """Every leaf by its path; lists of plain values are leaves. What is empty is the same as what is not there."""
    return dict(_walk(properties, prefix))


def _walk(value: Value, path: str) -> Iterator[tuple[str, Value]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _walk(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(e, Mapping) for e in value):
        yield from _walk_list(value, path)
    elif value is not None and value != []:
        yield path, tuple(value) if isinstance(value, list) else value


def _walk_list(members: Sequence[Any], path: str) -> Iterator[tuple[str, Value]]:
    if all(isinstance(each, Mapping) and each.keys() == {"label", "value"} for each in members):
        for each in members:
            yield f"{path}[{each['label']}]", each["value"]
        return
    key = _key(members)
    for number, each in enumerate(members):
        own = {name: value for name, value in each.items() if name != key} if key else each
        yield from _walk(own or each, f"{path}[{as_text(each[key]) if key else number}]")


def _key(members: Sequence[Any]) -> str | None:
    """The first property that every member has, with another plain value each."""
    for key in _KEYS:
        values = [each.get(key) if isinstance(each, Mapping) else None for each in members]
        plain = all(isinstance(value, str | int | float) for value in values)
        if plain and len(set(values)) == len(values):
            return key
    return None


def differ(before: Value, after: Value) -> bool:
    """Whether two leaves say different things; None stands for what is not there."""
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        return False
    if isinstance(before, Secret) and isinstance(after, Secret):
        return bool(before.digest and after.digest and before.digest != after.digest)
    if isinstance(before, Default) or isinstance(after, Default):
        return None not in (before, after) and bare(before) != bare(after)
    return before != after


def bare(value: Value) -> Value:
    """A leaf without the mark that a provider filled it in."""
    return value.value if isinstance(value, Default) else value


def as_json(value: Value) -> Any:
    """A leaf as JSON; what is no JSON becomes an object with one key that names it."""
    match value:
        case Secret(digest):
            return {"secret": digest or "not known"}
        case Reference(kind, name):
            return {"refers_to": f"{kind} {name}"}
        case Unknown():
            return {"unknown": "known only once it is made"}
        case Default(inner):
            return as_json(inner)
        case tuple():
            return [as_json(each) for each in value]
    return value


def as_text(value: Value) -> str:
    """A leaf as a person reads it."""
    match value:
        case None:
            return "—"
        case Secret(digest):
            return f"secret (digest {digest[:8]})" if digest else "secret (not known)"
        case Reference(kind, name):
            return f"{name} ({kind.rpartition(':')[2]})"
        case Unknown():
            return "known only once it is made"
        case Default(inner):
            return as_text(inner)
        case tuple():
            return ", ".join(as_text(each) for each in value) or "—"
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)
