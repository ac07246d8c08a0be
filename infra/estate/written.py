"""An edition as it is written: the entries of all its files, each with where it stands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from infra.estate.documents import (
    BucketDoc,
    CableDoc,
    CapacityDoc,
    EditionDoc,
    EndpointDoc,
    NodeDoc,
    SegmentDoc,
    ServersDoc,
    ServiceDoc,
    SiteDoc,
    StageDoc,
    WaiverDoc,
)
from infra.estate.fields import Document
from infra.estate.mistakes import Mistake
from infra.estate.people import PersonDoc
from infra.estate.source import Place

T = TypeVar("T", bound=Document)
_FIRST_STEP = re.compile(r"[.\[]")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One entry of a list; more than one file may have a part in it."""

    file: str
    path: str
    """Where it was first named: `cables[3]`; empty for the file as a whole."""
    doc: T
    given: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    """Field → the entry that gives its value: a later file's where it replaces an earlier one's."""

    def mistake(self, field: str, reason: str, remedy: str) -> Mistake:
        """A mistake in `field` of this entry, in the file that gives it."""
        place = self.place(field)
        return Mistake(place.file, ".".join(part for part in (place.path, field) if part), reason, remedy)

    def place(self, field: str = "") -> Place:
        """The entry that gives the value of a field such as `size.cpus`; without a field, where it was first named."""
        given = self.given.get(_FIRST_STEP.split(field, maxsplit=1)[0])
        first = (place for place in self.given.values() if (place.file, place.path) == (self.file, self.path))
        return given or next(first, Place(self.file, self.path))


@dataclass(frozen=True, slots=True)
class Written:
    """All entries of an edition, in the order of files and lines."""

    edition: int
    heads: tuple[Entry[EditionDoc], ...]
    """One; none where edition.yaml could not be read."""
    sites: tuple[Entry[SiteDoc], ...]
    segments: tuple[Entry[SegmentDoc], ...]
    nodes: tuple[Entry[NodeDoc], ...]
    servers: tuple[Entry[ServersDoc], ...]
    cables: tuple[Entry[CableDoc], ...]
    endpoints: tuple[Entry[EndpointDoc], ...]
    services: tuple[Entry[ServiceDoc], ...]
    buckets: tuple[Entry[BucketDoc], ...]
    waivers: tuple[Entry[WaiverDoc], ...]
    people: tuple[Entry[PersonDoc], ...]
    stages: tuple[Entry[StageDoc], ...]
    capacities: tuple[Entry[CapacityDoc], ...]
    """One; none where capacity.yaml could not be read."""
    courses: Path
    """Folder of the course files."""
    incomplete: frozenset[str]
    """Lists (`nodes`, `cables`...) that lost entries because these could not be read."""

    @property
    def head(self) -> Entry[EditionDoc]:
        """What holds for the whole edition; only for those that lean on `heads`."""
        return self.heads[0]

    @property
    def capacity(self) -> Entry[CapacityDoc]:
        """What stages get; only for those that lean on `capacities`."""
        return self.capacities[0]

    @property
    def equipment(self) -> tuple[Entry[NodeDoc] | Entry[ServersDoc], ...]:
        """Every entry that machines come from."""
        return (*self.nodes, *self.servers)
