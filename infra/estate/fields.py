"""What fields of the files in stacks/ are made of: names, ports, labels; and what every entry there is."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=24)]
LONGEST_PORT = 15
"""A port is a network interface of Linux, whose name has at most so many characters."""
Port = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=LONGEST_PORT)]
Label = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9-]*$", max_length=24)]
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
NetworkPort = Annotated[int, Field(ge=1, le=65535)]
Title = Annotated[str, Field(min_length=1)]
Terrain = Literal["flat", "hilly", "mountain", "time trial"]

_MOST_PORTS = 512
_PORTS_AS_WRITTEN = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[a-z][a-z0-9-]*(\.\.[a-z][a-z0-9-]*)?$"},
}
_RANGE = re.compile(r"^(?P<stem>[a-z-]+)(?P<first>\d+)\.\.(?P=stem)(?P<last>\d+)$")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Europe/Paris") from None
    return name


def _expand(ports: object) -> object:
    """Write `port1..port24` out; leave everything else as it is."""
    if not isinstance(ports, list):
        return ports
    names: list[object] = []
    for port in ports:
        match = _RANGE.match(port) if isinstance(port, str) else None
        if match is None:
            names.append(port)
            continue
        first, last = int(match["first"]), int(match["last"])
        if not first < last < first + _MOST_PORTS:
            raise ValueError(f"{port} is no range of up to {_MOST_PORTS} ports")
        names += [f"{match['stem']}{number}" for number in range(first, last + 1)]
    return names


Zone = Annotated[str, AfterValidator(_zone)]
Ports = Annotated[list[Port], BeforeValidator(_expand), WithJsonSchema(_PORTS_AS_WRITTEN)]


class Document(BaseModel):
    """Data from a file: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
