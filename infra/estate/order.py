"""The order in which people read names."""

import re


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts `edge-2` before `edge-10`."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))
