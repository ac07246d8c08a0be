"""What a file of words says of a stage, as the numbers that GeoJSON would have."""

from collections.abc import Mapping
from typing import Any

_KILOMETRES = ("official_km", "neutral_km")
_WHOLE = ("year", "stage")
_WORDS = ("kind", "start", "finish", "attribution")


def said_in(texts: Mapping[str, str]) -> dict[str, Any]:
    """The known names among texts; what should be a number and is none stays text, so that it is refused by name."""
    numbers = {name: _number(texts[name], float) for name in _KILOMETRES if name in texts}
    whole = {name: _number(texts[name], int) for name in _WHOLE if name in texts}
    return {**{name: texts[name] for name in _WORDS if name in texts}, **numbers, **whole}


def _number(text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text
