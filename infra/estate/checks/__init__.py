"""What the files of an edition say about each other: named passes, each of which tells all mistakes of one kind.

A pass that leans on a list is left out where that list is broken: its mistakes would be echoes of the cause.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.estate.checks import addresses, cabling, capacity, courses, names, people, segments, services, stages
from infra.estate.mistakes import Mistake
from infra.estate.written import Written


@dataclass(frozen=True, slots=True)
class Pass:
    """A check, and the lists that have to be whole for it to be right."""

    check: Callable[[Written], Iterable[Mistake]]
    leans_on: frozenset[str] = frozenset()


def _pass(check: Callable[[Written], Iterable[Mistake]], *leans_on: str) -> Pass:
    return Pass(check, frozenset(leans_on))


# What an entry is called. These and what follows lean on lists from which no entry was lost in reading.
IDENTITIES = (
    _pass(names.edition_number, "heads"),
    _pass(names.unique_names),
    _pass(names.known_roles),
    _pass(names.slots_in_block),
    _pass(names.counts),
    _pass(names.known_sites, "sites"),
    _pass(stages.unique_numbers),
    _pass(people.unique_people),
    _pass(people.keys_once),
)

# What an entry says, alone or about another. A list in which an identity is wrong counts as broken here.
RELATIONS = (
    _pass(names.endpoints, "sites", "nodes", "servers"),
    _pass(names.time_servers, "heads", "nodes", "servers"),
    _pass(cabling.known_machines, "nodes", "servers"),
    _pass(cabling.known_ports),
    _pass(cabling.ports_once),
    _pass(cabling.known_segments, "segments"),
    _pass(segments.prefixes, "heads"),
    _pass(segments.overlaps, "heads"),
    _pass(services.ansible_roles),
    _pass(services.known_needs, "services"),
    _pass(services.secrets_once),
    _pass(services.known_machines, "nodes", "servers"),
    _pass(services.listeners),
    _pass(stages.times),
    _pass(stages.profiles),
    _pass(courses.stand_ins),
    _pass(capacity.growing_roles, "capacities"),
)

# What follows from entries together. A list in which a relation is wrong counts as broken here.
CONSEQUENCES = (
    _pass(cabling.layers, "sites", "nodes", "servers", "cables", "segments"),
    _pass(cabling.one_port_a_segment, "nodes", "servers", "cables"),
    _pass(cabling.every_machine_cabled, "nodes", "servers", "cables"),
    _pass(addresses.hosts_fit, "heads", "nodes", "servers", "cables", "segments", "stages"),
    _pass(addresses.management_fits, "heads", "sites", "nodes", "servers"),
    _pass(addresses.reachable, "nodes", "servers", "cables", "segments"),
    _pass(capacity.machines_suffice, "heads", "sites", "nodes", "servers", "services", "stages", "capacities"),
)


def check(written: Written) -> tuple[Mistake, ...]:
    """All mistakes of an edition that was read."""
    found: tuple[Mistake, ...] = ()
    for passes in (IDENTITIES, RELATIONS, CONSEQUENCES):
        spoiled = {_list_of(mistake) for mistake in found}
        found = (*found, *_run(passes, written, written.incomplete | spoiled))
    return found


def _run(passes: Iterable[Pass], written: Written, broken: Iterable[str]) -> tuple[Mistake, ...]:
    return tuple(m for each in passes if not each.leans_on.intersection(broken) for m in each.check(written))


def _list_of(mistake: Mistake) -> str:
    """The list that a mistake stands in; the head of the edition is a list of one."""
    if mistake.file.endswith("/edition.yaml"):
        return "heads"
    if mistake.file.endswith("/stages.csv"):
        return "stages"
    if mistake.file.endswith("/capacity.yaml"):
        return "capacities"
    return mistake.field.partition("[")[0]
