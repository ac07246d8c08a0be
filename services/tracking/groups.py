"""What the groups on the road are called."""

from collections.abc import Sequence


def name_groups(sizes: Sequence[int]) -> tuple[str, ...]:
    """Names for groups of these sizes, in road order.

    The largest is the peloton (of equals the one in front). Ahead of it rides the breakaway, followed by the chases;
    behind it are the dropped.
    """
    if not sizes:
        return ()
    peloton = max(range(len(sizes)), key=lambda group: sizes[group])
    ahead = tuple("Breakaway" if group == 0 else f"Chase {group}" for group in range(peloton))
    behind = tuple(f"Dropped {number}" for number in range(1, len(sizes) - peloton))
    return (*ahead, "Peloton", *behind)
