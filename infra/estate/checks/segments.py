"""Segments: prefixes that are prefixes, inside the edition's supernets, apart from each other on every day."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from itertools import combinations

from infra.estate.build import segment_prefix
from infra.estate.mistakes import Mistake
from infra.estate.written import Entry, Written


def prefixes(written: Written) -> Iterator[Mistake]:
    """A prefix is an IPv4 network, and inside a supernet, or no route would lead to it."""
    supernets = written.head.doc.supernets
    for entry in written.segments:
        for day in _days(written):
            try:
                prefix = segment_prefix(entry.doc, day)
            except ValueError as error:
                yield entry.mistake(
                    "prefix", str(error), "write the network's first address and its length: 10.17.10.0/24"
                )
                break
            if not any(prefix.subnet_of(net) for net in supernets):
                within = " and ".join(map(str, supernets))
                yield entry.mistake("prefix", f"{prefix} is outside {within}", "take a free prefix inside")
                break


def overlaps(written: Written) -> Iterator[Mistake]:
    """No address is in two segments on any day, nor in the management networks."""
    told: set[tuple[Entry, Entry | str]] = set()
    management = written.head.doc.management
    where = written.head.place("management").file
    for day in _days(written):
        readable = list(_readable(written.segments, day))
        for (before, one), (entry, other) in combinations(readable, 2):
            if one.overlaps(other) and (before, entry) not in told:
                told.add((before, entry))
                reason = f"{other} overlaps {one} of segment {before.doc.name} ({before.file} {before.path})"
                yield entry.mistake("prefix", reason, "give one of them a free prefix")
        for entry, prefix in readable:
            for name, network in (("core", management.core), ("stage", management.stage)):
                if prefix.overlaps(network) and (entry, name) not in told:
                    told.add((entry, name))
                    reason = f"{prefix} overlaps {network} of management.{name} ({where})"
                    yield entry.mistake("prefix", reason, "give one of them a free prefix")
    if management.core.overlaps(management.stage):
        reason = f"{management.stage} overlaps {management.core} of management.core"
        yield written.head.mistake("management.stage", reason, "give one of them a free prefix")


def _days(written: Written) -> Iterable[int]:
    return [line.doc.number for line in written.stages] or [1]


def _readable(segments: Iterable[Entry], day: int) -> Iterator[tuple[Entry, IPv4Network]]:
    for entry in segments:
        try:
            yield entry, segment_prefix(entry.doc, day)
        except ValueError:
            continue
