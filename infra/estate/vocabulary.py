"""The kinds of machine that an estate may have, and what follows from the kind alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of machine. Its block of host numbers is never moved: addresses of a season depend on it."""

    name: str
    first_host: int
    """Host number of slot 1; slot n has `first_host + n - 1` in every segment."""
    slots: int
    """Size of the block of host numbers."""
    forwards: bool = False
    """Routes between its segments."""
    bridges: bool = False
    """Joins its ports of one segment with a bridge."""


# Routers come first: their numbers fit into the six hosts of a /29 between two of them.
# Cloud servers begin at 101, for a segment of four hundred hosts and more.
ROLES = {
    role.name: role
    for role in (
        Role("wan", 1, 1, forwards=True, bridges=True),
        Role("gateway", 2, 2, forwards=True),
        Role("fabric", 4, 2, forwards=True, bridges=True),
        Role("cec-gateway", 6, 1, forwards=True),
        Role("switch", 11, 8, bridges=True),
        Role("cec-wifi", 19, 2, bridges=True),
        Role("edge", 21, 20),
        Role("storage", 41, 10),
        Role("display", 51, 10),
        Role("cec-display", 61, 10),
        Role("time", 71, 5),
        Role("store", 81, 10),
        Role("manage", 91, 10),
        Role("processor", 101, 100),
        Role("place-london", 201, 4),
        Role("place-south-africa", 205, 4),
        Role("place-san-francisco", 209, 4),
        Role("place-melbourne", 213, 4),
        Role("broker", 221, 10),
        Role("hyper", 231, 10),
        Role("security", 241, 10),
        Role("archive", 257, 50),
        Role("feed", 321, 100),
        Role("web", 421, 100),
    )
}

# Ansible roles in the order in which they apply: the machine, its clock, what others need, what needs them.
ANSIBLE_ROLES = (
    "node_base",
    "time_sync",
    "object_store",
    "broker",
    "tracking",
    "manage_centre",
    "security",
    "edge_agent",
)

EVERY_NODE = "node_base"
"""The Ansible role that every machine has, whatever runs on it."""


def node_name(role: str, slot: int) -> str:
    """`edge-2`: the permanent identity of a machine."""
    return f"{role}-{slot}"
