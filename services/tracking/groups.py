"""The groups on the road: who is in them, how far apart they are, and what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

PELOTON = "Peloton"


@dataclass(frozen=True, slots=True)
class GroupRules:
    """When riders are one group; a group does not flicker around one threshold."""

    split_s: float = 6.0
    """Riders of one group whose gap grows beyond this are two groups ..."""
    join_s: float = 4.0
    """... and riders of two groups join below this."""

    def __post_init__(self) -> None:
        if not 0 < self.join_s <= self.split_s:
            raise ValueError(
                f"groups that split at {self.split_s} s cannot join at {self.join_s} s; choose 0 < join_s <= split_s"
            )


DEFAULT_RULES = GroupRules()


@dataclass(frozen=True, slots=True)
class Group:
    """Riders who ride together at one second of the race. What is not known is NaN."""

    group_id: int
    """The same as long as the group lives."""
    ordinal: int
    """On the road, from 1 at the head."""
    name: str
    riders: tuple[int, ...]
    """Their numbers, the first of the group first."""
    distance_m: float
    """Of its first rider, as all that follows but for the last three."""
    to_go_m: float
    gap_s: float
    """Behind the first rider of the race."""
    gap_m: float
    head_gap_s: float
    """From the first rider of the group in front to the first of this one; NaN for the first group."""
    tail_gap_s: float
    """From the last rider of the group in front to the first of this one; NaN for the first group."""
    length_s: float
    """From its first rider to its last."""
    length_m: float
    speed_ms: float
    """Of its median rider."""

    @property
    def is_peloton(self) -> bool:
        """Whether it is the largest."""
        return self.name == PELOTON


def groups_of(states: np.ndarray) -> tuple[Group, ...]:
    """The groups of RIDER_STATE (n,) of one second, in road order; riders without a group are in none."""
    riding = states[states["group"] > 0]
    riding = riding[np.argsort(riding["position"])]
    ordinals, starts = np.unique(riding["group"], return_index=True)
    members = np.split(riding, starts[1:]) if len(riding) else []
    names = name_groups([len(group) for group in members])
    groups: list[Group] = []
    for ordinal, name, group in zip(ordinals.tolist(), names, members, strict=True):
        groups.append(_described(ordinal, name, group, groups[-1] if groups else None))
    return tuple(groups)


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
    return (*ahead, PELOTON, *behind)


def _described(ordinal: int, name: str, members: np.ndarray, ahead: Group | None) -> Group:
    """Times from head to head and to tail are sums of those from rider to rider, so that they agree with each other."""
    leader = members[0]
    tail_gap_s = float(leader["gap_previous_s"]) if ahead else float("nan")
    return Group(
        group_id=int(leader["group_id"]),
        ordinal=ordinal,
        name=name,
        riders=tuple(members["rider"].tolist()),
        distance_m=float(leader["distance_m"]),
        to_go_m=float(leader["to_go_m"]),
        gap_s=float(leader["gap_s"]),
        gap_m=float(leader["gap_m"]),
        head_gap_s=ahead.length_s + tail_gap_s if ahead else float("nan"),
        tail_gap_s=tail_gap_s,
        length_s=float(members["gap_previous_s"][1:].astype(float).sum()),
        length_m=float(leader["distance_m"] - members["distance_m"][-1]),
        speed_ms=median(members["speed_ms"].tolist()),
    )
