"""Names: each once, each known, each slot in its role's block."""

from collections.abc import Iterable, Iterator

from infra.estate.addressing import host_number
from infra.estate.cabling import machines
from infra.estate.fields import LONGEST_PORT
from infra.estate.mistakes import Mistake, known
from infra.estate.vocabulary import ROLES, node_name
from infra.estate.written import Entry, Written


def edition_number(written: Written) -> Iterator[Mistake]:
    """The folder is the year."""
    number = written.head.doc.edition
    if number != written.edition:
        reason = f"{number} stands in the folder of {written.edition}"
        yield written.head.mistake("edition", reason, f"write {written.edition}, or move the files")


def unique_names(written: Written) -> Iterator[Mistake]:
    """No two sites, segments, services, cables or buckets share a name, no two machines a role and slot."""
    for entries, field, kind in (
        (written.sites, "name", "site"),
        (written.segments, "name", "segment"),
        (written.services, "name", "service"),
        (written.cables, "label", "cable"),
        (written.endpoints, "site", "endpoint at site"),
        (written.buckets, "name", "bucket"),
    ):
        remedy = "print another label" if kind == "cable" else "give it another name"
        yield from _repeated(((entry, getattr(entry.doc, field)) for entry in entries), field, kind, remedy)
    slots = ((machine.entry, machine.name) for machine in machines(written, "full"))
    yield from _repeated(slots, "role", "machine", "take a role and slot that are free")


def _repeated(named: Iterable[tuple[Entry, str]], field: str, kind: str, remedy: str) -> Iterator[Mistake]:
    first: dict[str, Entry] = {}
    told: set[str] = set()
    for entry, name in named:
        before = first.setdefault(name, entry)
        if before is not entry and entry.file + entry.path not in told:
            told.add(entry.file + entry.path)
            where = f"{before.file} {before.path}"
            yield entry.mistake(field, f"the {kind} {name} is already in {where}", remedy)


def known_roles(written: Written) -> Iterator[Mistake]:
    """A machine is of a kind that the vocabulary has."""
    for entry in written.equipment:
        if entry.doc.role not in ROLES:
            yield entry.mistake("role", f"{entry.doc.role!r} is not a role", f"use one of {known(ROLES, 30)}")


def slots_in_block(written: Written) -> Iterator[Mistake]:
    """A slot has a host number; a group of servers is no larger than its role's block of numbers."""
    for entry in written.nodes:
        yield from _overflow(entry, "slot", entry.doc.slot)
    for group in written.servers:
        if group.doc.count > 0:
            yield from _overflow(group, "count", group.doc.count)


def _overflow(entry: Entry, field: str, slot: int) -> Iterator[Mistake]:
    role = ROLES.get(entry.doc.role)
    try:
        if role:
            host_number(role, slot)
    except ValueError as error:
        name = node_name(entry.doc.role, slot)
        yield entry.mistake(field, f"there is no host number for {name}", f"{error}: take one of these")


def counts(written: Written) -> Iterator[Mistake]:
    """A group has no fewer than no servers, and the names of all of them are names of ports."""
    for group in written.servers:
        last = node_name(group.doc.role, group.doc.count)
        if group.doc.count < 0:
            yield group.mistake("count", f"{group.doc.count} servers cannot be", "write 0 or more")
        elif len(last) > LONGEST_PORT:
            reason = f"{last} is the name of a port of {group.doc.uplink.into}, and over {LONGEST_PORT} characters"
            yield group.mistake("role", reason, "use a role with a shorter name")


def known_sites(written: Written) -> Iterator[Mistake]:
    """A machine stands at a site that there is."""
    sites = {site.doc.name for site in written.sites}
    for entry in written.equipment:
        if entry.doc.site not in sites:
            yield entry.mistake("site", f"{entry.doc.site!r} is not a site", f"use one of {known(sites)}")


def endpoints(written: Written) -> Iterator[Mistake]:
    """A place of collaboration is a site with a machine of its own."""
    sites = {site.doc.name for site in written.sites}
    at = {machine.name: machine.site for machine in machines(written, "full")}
    for entry in written.endpoints:
        site, node = entry.doc.site, entry.doc.node
        if site not in sites:
            yield entry.mistake("site", f"{site!r} is not a site", f"use one of {known(sites)}")
        elif at.get(node) != site:
            there = known(name for name, where in at.items() if where == site)
            yield entry.mistake("node", f"{node!r} is no machine at {site}", f"the machines there are: {there}")


def time_servers(written: Written) -> Iterator[Mistake]:
    """Time comes from machines that there are."""
    names = {machine.name for machine in machines(written, "full")}
    for index, name in enumerate(written.head.doc.time_servers):
        if name not in names:
            yield written.head.mistake(
                f"time_servers[{index}]", f"there is no machine {name!r}", "name one by role and slot: time-1"
            )
