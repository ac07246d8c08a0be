"""The files of stacks/<edition>/ as they are written: every field known, every type right, nothing more.

What one field says about another (a cable's port, a service's node) is the business of `infra.estate.checks`.
"""

import re
from datetime import date, datetime
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator
from tracking.course.formats import SUFFIXES

from infra.estate.fields import Document, Label, Name, NetworkPort, Port, Ports, SecretName, Terrain, Title, Zone
from infra.estate.model import Finish, Layer, SiteKind
from infra.estate.storage import Effect, RetentionMode


class SiteDoc(Document):
    """A place with equipment."""

    name: Name
    title: Title
    kind: SiteKind
    layer: Layer
    location: Title | None = None
    """Left out for a site that moves with the race."""
    timezone: Zone


class SegmentDoc(Document):
    """A layer-3 network. `{stage}` in the prefix is the stage's number: a handoff that changes every day."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=12)]
    """12 characters, because its bridge is called `br-<name>`."""
    title: Title
    layer: Layer
    prefix: Title


class SizeDoc(Document):
    """What a machine has."""

    cpus: Annotated[int, Field(ge=1, le=256)]
    memory_mb: Annotated[int, Field(ge=256)]


class NodeDoc(Document):
    """A machine with a permanent slot."""

    role: str
    slot: Annotated[int, Field(ge=1)]
    title: Title
    site: str
    rack_unit: Annotated[int, Field(ge=1, le=48)] | None = None
    size: SizeDoc
    ports: Ports = []


class UplinkDoc(Document):
    """How each server of a group is connected: its port, the fabric it plugs into, the segment."""

    port: Port
    into: str
    segment: str


class ServersDoc(Document):
    """Like machines by number: slots 1 to `count`, each with a cable to a port named after the server."""

    role: str
    title: Title
    site: str
    count: Annotated[int, Field(le=1000)]
    size: SizeDoc
    uplink: UplinkDoc


class EndDoc(Document):
    """One end of a cable."""

    node: str
    port: str


class CableDoc(Document):
    """A cable with its printed label."""

    label: Label
    segment: str
    a: EndDoc
    b: EndDoc


class EndpointDoc(Document):
    """A place of collaboration: the machine that shows the shared displays there."""

    site: str
    node: str
    purpose: Title


class LimitsDoc(Document):
    """What a service may use on a flat stage of 200 km."""

    cpu_percent: Annotated[int, Field(ge=1)]
    memory_mb: Annotated[int, Field(ge=16)]


class RunsOnDoc(Document):
    """Where a service runs: on named machines, on every machine of a role, or on every machine."""

    nodes: list[str] = []
    roles: list[str] = []
    everywhere: bool = False


class ServiceDoc(Document):
    """Software, and the machines that it runs on."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Title
    role: str
    unit: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    runs_on: RunsOnDoc
    port: NetworkPort | None = None
    health_port: NetworkPort | None = None
    needs: list[str] = []
    limits: LimitsDoc
    grows: bool = False
    """Whether the stage's demand raises its limits."""
    keeps_data: bool = False
    """Whether what it writes has to outlive its machine."""
    secrets: dict[SecretName, Annotated[int, Field(ge=16, le=128)]] = {}
    """What it shares with those that use it, by the length in characters; made once a season."""


class ManagementDoc(Document):
    """The out-of-band networks."""

    core: IPv4Network
    stage: IPv4Network


class ApprovalRuleDoc(Document):
    """From which risk class on a change needs an approval: R3 at the latest, where people.yaml has an approver."""

    required_from: Literal["R0", "R1", "R2", "R3"] = "R3"
    valid_hours: Annotated[int, Field(ge=1, le=168)] = 24


class EditionDoc(Document):
    """edition.yaml: what holds for the whole year."""

    edition: Annotated[int, Field(ge=2000, le=2100)]
    title: Title
    supernets: Annotated[list[IPv4Network], Field(min_length=1)]
    """All prefixes of segments lie inside these."""
    management: ManagementDoc
    mtu: Annotated[int, Field(ge=1280, le=9000)]
    time_servers: Annotated[list[str], Field(min_length=1)]
    """Machines, the nearest to the race first."""
    approval: ApprovalRuleDoc = ApprovalRuleDoc()


class PartDoc(Document):
    """truck.yaml, cloud.yaml, network.yaml, endpoints.yaml: a part of the estate."""

    sites: list[SiteDoc] = []
    segments: list[SegmentDoc] = []
    nodes: list[NodeDoc] = []
    servers: list[ServersDoc] = []
    cables: list[CableDoc] = []
    endpoints: list[EndpointDoc] = []


class RetentionDoc(Document):
    """How long what was written to a bucket cannot be taken away."""

    mode: RetentionMode
    days: Annotated[int, Field(ge=1, le=3650)]


class StatementDoc(Document):
    """A statement of a bucket's policy, about the bucket and everything in it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$", max_length=64)]
    effect: Effect
    principals: Annotated[list[Title], Field(min_length=1)]
    actions: Annotated[list[Annotated[str, Field(pattern=r"^s3:[A-Za-z*]+$")]], Field(min_length=1)]


class BucketDoc(Document):
    """A bucket of the season's object store."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")]
    title: Title
    versioning: bool = True
    retention: RetentionDoc | None = None
    policy: list[StatementDoc] = []

    @model_validator(mode="after")
    def _kept_versions(self) -> "BucketDoc":
        if self.retention and not self.versioning:
            raise ValueError("a bucket with retention keeps versions: take out `versioning: false`")
        return self


class ServicesDoc(Document):
    """services.yaml."""

    services: list[ServiceDoc]
    buckets: list[BucketDoc] = []


Growing = Annotated[float, Field(ge=1, le=10)]


class GrowthDoc(Document):
    """Machines of a role in the race: (base + per_hour × hours) × profile × finish."""

    role: str
    base: Annotated[float, Field(ge=0, le=1000)]
    per_hour: Annotated[float, Field(ge=0, le=100)] = 0.0
    profiles: dict[Terrain, Growing] = {}
    finishes: dict[Finish, Growing] = {}
    rest: Annotated[int, Field(ge=1, le=1000)]
    """Machines before the scale-up and after the finish."""


class LimitGrowthDoc(Document):
    """Factors on the limits of services that grow."""

    hours: Annotated[float, Field(gt=0, le=24)]
    """The length of stage that memory in services.yaml is written for."""
    profiles: dict[Terrain, Growing] = {}
    finishes: dict[Finish, Growing] = {}
    rest: Annotated[float, Field(gt=0, le=1)]
    """Share of the processors before the scale-up and after the finish."""


class CapacityDoc(Document):
    """capacity.yaml: what a stage gets, from what it is."""

    growth: list[GrowthDoc]
    limits: LimitGrowthDoc


class WaiverDoc(Document):
    """A breach of a policy that is allowed until a day."""

    policy: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
    resource: Title
    """A pattern for the names of resources: `*`, `edge-*`."""
    reason: Annotated[str, Field(min_length=20)]
    owner: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
    """A function, such as security-officer: people change, the risk stays with it."""
    expires: date


class WaiversDoc(Document):
    """waivers.yaml."""

    waivers: list[WaiverDoc] = []


class StageDoc(Document):
    """A line of stages.csv."""

    number: Annotated[int, Field(ge=1, le=99)]
    date: date
    start: Title
    finish: Title
    distance_km: Annotated[float, Field(gt=0, le=400)]
    kind: Literal["road", "individual time trial", "team time trial"]
    profile: Terrain
    opens: AwareDatetime
    race_start: AwareDatetime
    expected_finish: AwareDatetime
    pack_up: AwareDatetime
    course: Annotated[str, Field(pattern=rf"^[A-Za-z0-9-]+({'|'.join(map(re.escape, SUFFIXES))})$")]

    @property
    def times(self) -> tuple[tuple[str, datetime], ...]:
        """The times of the day by field, in the order in which they have to come."""
        return tuple((field, getattr(self, field)) for field in ("opens", "race_start", "expected_finish", "pack_up"))
