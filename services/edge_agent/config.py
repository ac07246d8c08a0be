"""The agent's configuration: one JSON file, every mistake in it said at once.

Own parsing instead of pydantic, because the agent has to stay under 40 MB on every node.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """What is wrong with the file, a sentence a mistake."""


@dataclass(frozen=True, slots=True)
class HubAddress:
    """Where facts go."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class WatchedUnit:
    """A systemd unit, and the URL that says whether its service does its work."""

    name: str
    health_url: str | None


@dataclass(frozen=True, slots=True)
class Config:
    """What the estate promises of this node, as far as the agent has to watch it."""

    stack: str
    node: str
    hub: HubAddress
    ports: tuple[str, ...]
    units: tuple[WatchedUnit, ...]
    uplink_target: str | None
    """IPv4 address on the far side of the uplink; None where the node has no uplink of its own."""
    interval_s: float


def read_config(path: Path) -> Config:
    """Parse the file; ConfigError holds all mistakes, each with file, field, reason and remedy."""
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): run the deploy playbook for this node") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is not JSON ({error}): run the deploy playbook for this node") from None
    reader = _Reader(str(path))
    config = _config(reader, document)
    if config is None or reader.mistakes:
        raise ConfigError("\n".join(reader.mistakes))
    return config


def _config(reader: "_Reader", document: Any) -> Config | None:
    fields = reader.table("", document, _FIELDS)
    if fields is None:
        return None
    hub = reader.table("hub.", fields["hub"], _HUB_FIELDS) or dict.fromkeys(_HUB_FIELDS, "")
    units = [
        reader.table(f"units[{index}].", unit, _UNIT_FIELDS) or dict.fromkeys(_UNIT_FIELDS)
        for index, unit in enumerate(fields["units"] or ())
    ]
    return Config(
        stack=fields["stack"],
        node=fields["node"],
        hub=HubAddress(**hub),
        ports=tuple(fields["ports"] or ()),
        units=tuple(WatchedUnit(**unit) for unit in units),
        uplink_target=fields["uplink_target"],
        interval_s=fields["interval_s"],
    )


@dataclass(frozen=True, slots=True)
class _Field:
    """What a value must be, for the machine and for the reader."""

    accepts: Callable[[Any], bool]
    wanted: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number_of_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 60


_TEXT = _Field(_is_text, "a text that is not empty")
_TEXT_OR_NULL = _Field(lambda value: value is None or _is_text(value), "a text, or null")
_TABLE = _Field(lambda value: isinstance(value, dict), "an object")
_FIELDS = {
    "stack": _TEXT,
    "node": _TEXT,
    "hub": _TABLE,
    "ports": _Field(lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of port names"),
    "units": _Field(lambda value: isinstance(value, list), "a list of objects"),
    "uplink_target": _TEXT_OR_NULL,
    "interval_s": _Field(_is_number_of_seconds, "a number of seconds from 1 to 60"),
}
_HUB_FIELDS = {"url": _TEXT, "user": _TEXT, "password": _TEXT}
_UNIT_FIELDS = {"name": _TEXT, "health_url": _TEXT_OR_NULL}


class _Reader:
    """Collects mistakes while it reads."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[str] = []

    def table(self, prefix: str, value: Any, fields: dict[str, _Field]) -> dict[str, Any] | None:
        """The fields of an object, with None for what is missing or wrong; None where it is no object at all."""
        if not isinstance(value, dict):
            if value is not None or not prefix:
                self._mistake(prefix.rstrip(".") or "(whole file)", "is not an object", "an object")
            return None
        for name in value.keys() - fields.keys():
            self._mistake(prefix + name, "is not a field that the agent knows", f"one of {', '.join(fields)}")
        return {name: self._value(prefix + name, value, name, field) for name, field in fields.items()}

    def _value(self, path: str, table: dict[str, Any], name: str, field: _Field) -> Any:
        if name not in table:
            self._mistake(path, "is missing", field.wanted)
        elif not field.accepts(table[name]):
            self._mistake(path, f"is {json.dumps(table[name])}", field.wanted)
        else:
            return table[name]
        return None

    def _mistake(self, path: str, reason: str, wanted: str) -> None:
        self.mistakes.append(f"{self.file}: {path} {reason}; write {wanted}")
