"""The estate itself as JSON: every field of every thing, the form that hashes and comparisons over time stand on."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from infra.estate.model import Estate


def render_model(estate: Estate) -> dict[str, Any]:
    """All that the stack itself declares; of the core below it only the name. A new field is in it by itself."""
    own = {field.name: _json(getattr(estate, field.name)) for field in fields(estate) if field.name != "core"}
    return {**own, "core": estate.core.stack if estate.core else None}


def _json(value: Any) -> Any:
    """Addresses, networks, dates and times as their standard text; enumerations as their values."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_json(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _json(each) for name, each in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
