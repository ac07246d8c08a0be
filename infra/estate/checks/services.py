"""Services: known roles, machines and needs, and no two listeners on one port."""

from collections.abc import Iterator

from infra.estate.build import runs_on
from infra.estate.cabling import machines
from infra.estate.mistakes import Mistake, known
from infra.estate.vocabulary import ANSIBLE_ROLES
from infra.estate.written import Entry, Written


def ansible_roles(written: Written) -> Iterator[Mistake]:
    """A service is configured by a role of the playbooks."""
    for entry in written.services:
        if entry.doc.role not in ANSIBLE_ROLES:
            reason = f"{entry.doc.role!r} is not an Ansible role of this project"
            yield entry.mistake("role", reason, f"use one of {known(ANSIBLE_ROLES)}")


def known_needs(written: Written) -> Iterator[Mistake]:
    """A service needs services that there are."""
    names = {entry.doc.name for entry in written.services}
    for entry in written.services:
        for index, need in enumerate(entry.doc.needs):
            if need not in names:
                yield entry.mistake(
                    f"needs[{index}]", f"there is no service {need!r}", f"use one of {known(names, 20)}"
                )


def secrets_once(written: Written) -> Iterator[Mistake]:
    """A secret belongs to one service; the others need that service."""
    owners: dict[str, str] = {}
    for entry in written.services:
        for name in entry.doc.secrets:
            if (owner := owners.setdefault(name, entry.doc.name)) != entry.doc.name:
                reason = f"{name} is a secret of {owner} already"
                yield entry.mistake(f"secrets.{name}", reason, "give it a name of its own")


def known_machines(written: Written) -> Iterator[Mistake]:
    """A service runs on machines that there are, at the small scale too."""
    full = machines(written, "full")
    names, roles = {machine.name for machine in full}, {machine.role for machine in full}
    small = {machine.name for machine in machines(written, "small")}
    for entry in written.services:
        where = entry.doc.runs_on
        for index, name in enumerate(where.nodes):
            field = f"runs_on.nodes[{index}]"
            if name not in names:
                yield entry.mistake(field, f"there is no machine {name!r}", "name one by role and slot: edge-2")
            elif name not in small:
                yield entry.mistake(field, f"{name} is not there at the small scale", "name the first slot of its role")
        for index, role in enumerate(where.roles):
            if role not in roles:
                reason = f"there is no machine of role {role!r}"
                yield entry.mistake(f"runs_on.roles[{index}]", reason, f"use one of {known(roles, 30)}")
        if not (where.everywhere or where.nodes or where.roles):
            yield entry.mistake(
                "runs_on", f"{entry.doc.name} runs nowhere", "name nodes or roles, or say everywhere: true"
            )


def listeners(written: Written) -> Iterator[Mistake]:
    """One port of a machine has one service that listens on it."""
    told: set[tuple[str, str]] = set()
    for machine in machines(written, "full"):
        taken: dict[int, Entry] = {}
        for entry in written.services:
            if not runs_on(entry.doc, machine):
                continue
            for field in ("port", "health_port"):
                port = getattr(entry.doc, field)
                before = taken.setdefault(port, entry) if port else entry
                if before is not entry and (entry.path, field) not in told:
                    told.add((entry.path, field))
                    reason = f"{before.doc.name} already listens on {port} of {machine.name}"
                    yield entry.mistake(field, reason, "give one of them a free port")
