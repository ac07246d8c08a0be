"""The rules by which changes have their risk: each finds one thing that a change does."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from infra.review.change import Action, Change, PropertyChange, Risk
from infra.review.exposure import Addresses, Exposure, granted, grants, powers, published
from infra.review.risk import Rule, Scene, rule
from infra.review.snapshot import Item, Secret, Snapshot
from infra.review.values import bare

_CONTAINER = "docker:index/container:Container"
_VOLUME = "docker:index/volume:Volume"
_BUCKETS = ("bucket", "etape:index:Bucket")
_MADE_OF_THE_CORE = (
    _CONTAINER,
    _VOLUME,
    "docker:index/network:Network",
    "etape:index:Bucket",
    "etape:index:Credential",
)
# Fields that people read and nothing acts on.
_WORDS = frozenset({"title", "purpose", "reason", "owner", "labels"})
_QUANTITIES = frozenset({"limits", "rest", "race", "demand", "scale"})
_TIMETABLE = ("stage", "calendar", "endpoint")
_WATCHING = frozenset({"edge_agent", "manage_centre", "hub", "time_sync"})
_BACKING_UP = frozenset({"archive", "recorder", "object_store"})
_LOOPBACK = Addresses.of([IPv4Network("127.0.0.0/8")])


@rule(Risk.R1)
def new(change: Change, scene: Scene) -> bool:
    """Something is there that was not."""
    return change.action is Action.ADD


@rule(Risk.R1)
def retuned(change: Change, scene: Scene) -> bool:
    """A quantity changes: limits, capacity, scale."""
    return _stays(change) and bool(_heads(change) & _QUANTITIES)


@rule(Risk.R1)
def rescheduled(change: Change, scene: Scene) -> bool:
    """The day has other hours, another course or other places that watch."""
    return _stays(change) and change.kind in _TIMETABLE and bool(_heads(change) - _WORDS)


@rule(Risk.R1)
def waiver_ended(change: Change, scene: Scene) -> bool:
    """An exception from a policy is taken back."""
    return change.kind == "waiver" and change.action is Action.REMOVE


@rule(Risk.R2)
def reconfigured(change: Change, scene: Scene) -> bool:
    """Something that is there is configured in another way."""
    told = _heads(change) - _WORDS - _QUANTITIES
    return change.action is Action.CHANGE and change.kind not in (*_TIMETABLE, "capacity") and bool(told)


@rule(Risk.R2)
def renamed(change: Change, scene: Scene) -> bool:
    """Something has another name; where Pulumi makes it, it is made anew."""
    return change.action is Action.RENAME


@rule(Risk.R2)
def rescaled(change: Change, scene: Scene) -> bool:
    """Machines go, as the capacity of the stage says."""
    return change.action is Action.REMOVE and _explained_by_capacity(change, scene)


@rule(Risk.R3)
def rotated_secret(change: Change, scene: Scene) -> bool:
    """A secret has another value: whoever uses the old one stands outside until told."""
    pairs = ((each.before, each.after) for each in change.properties)
    return any(isinstance(x, Secret) and isinstance(y, Secret) and x != y for x, y in pairs)


@rule(Risk.R3)
def made_anew(change: Change, scene: Scene) -> bool:
    """A resource is taken away and made again: what runs on it stops."""
    return change.action is Action.REPLACE or (change.action is Action.RENAME and ":" in change.kind)


@rule(Risk.R3)
def taken_away(change: Change, scene: Scene) -> bool:
    """Something goes, and no capacity explains it."""
    harmless = ("waiver", "person", *_TIMETABLE, "capacity")
    gone = change.action is Action.REMOVE and change.kind not in harmless
    return gone and not _explained_by_capacity(change, scene)


@rule(Risk.R3, about_result=True)
def exposure_widened(change: Change, scene: Scene) -> bool:
    """More addresses or ports of the host lead to it; something new may use the loopback."""
    if change.kind != _CONTAINER or change.after is None:
        return False
    more = published(change.after.properties) - (published(change.before.properties) if change.before else Exposure())
    if change.before is None:
        more = Exposure.of({door: held - _LOOPBACK for door, held in more.doors})
    return bool(more)


@rule(Risk.R3)
def segment_widened(change: Change, scene: Scene) -> bool:
    """A network holds all the addresses that it held, and more."""
    found = (each for each in change.unexpected if each.path in ("prefix", "management", "supernets"))
    return change.kind in ("segment", "stack") and any(map(_is_wider, found))


@rule(Risk.R3)
def powers_gained(change: Change, scene: Scene) -> bool:
    """A container may do more to its host: a capability, no confinement, a folder, a device."""
    if change.kind != _CONTAINER or change.after is None:
        return False
    usual = [change.before] if change.before else scene.a.of_kind(_CONTAINER)
    held = frozenset[str]().union(*(powers(each.properties) for each in usual))
    return bool(usual) and bool(powers(change.after.properties) - held)


@rule(Risk.R3)
def bucket_opened(change: Change, scene: Scene) -> bool:
    """Someone may do something to a bucket that nobody allowed before."""
    if change.kind not in _BUCKETS or change.after is None:
        return False
    before = grants(change.before.properties) if change.before else frozenset()
    return bool(granted(before, grants(change.after.properties)))


@rule(Risk.R3)
def unwatched(change: Change, scene: Scene) -> bool:
    """Nobody sees any more how something is: its agent, its health or its log is off."""
    if change.kind == _CONTAINER and change.after is not None:
        return bare(change.after.properties.get("logDriver")) == "none" and bool(_of(change, "logDriver"))
    if change.kind != "service":
        return False
    if change.action is Action.REMOVE:
        return _service(change) in _WATCHING and scene.b.find("node", _node(change)) is not None
    return any(each.before is not None and each.after is None for each in _of(change, "health_port"))


@rule(Risk.R3, about_result=True)
def overlapping(change: Change, scene: Scene) -> bool:
    """A network holds addresses of another one, here or of another truck, and did not before."""
    return bool(_shared(change.after, scene.b, scene) - _shared(change.before, scene.a, scene))


@rule(Risk.R3)
def who_decides(change: Change, scene: Scene) -> bool:
    """Other people may act or approve, approval is asked for less or more, or a policy has a new exception."""
    if change.after and change.action is Action.ADD and all(i.layer != change.after.layer for i in scene.a.items):
        return False  # A stack that is new takes over who decides: nothing was there to decide on.
    if change.kind == "waiver":
        return change.action is not Action.REMOVE and bool(_heads(change) - _WORDS)
    return change.kind == "person" or (change.kind == "stack" and "approval" in _heads(change))


@rule(Risk.R4)
def season_lost(change: Change, scene: Scene) -> bool:
    """Something of the core, on which every other day stands, is taken away or made anew."""
    going = change.action is Action.REMOVE or made_anew.finds(change, scene)
    kept = change.kind == "etape:index:Credential" and change.action is not Action.REMOVE
    return going and change.kind in _MADE_OF_THE_CORE and change.stack.endswith("-core") and not kept


@rule(Risk.R4)
def data_lost(change: Change, scene: Scene) -> bool:
    """What holds data goes or is made anew, or a service's data no longer outlive its machine."""
    if change.kind in (_VOLUME, *_BUCKETS):
        return change.action is Action.REMOVE or made_anew.finds(change, scene)
    if change.kind == _CONTAINER and change.before and change.after:
        return bool(_data_on(change.before) - _data_on(change.after))
    return any(each.before is True and not each.after for each in _of(change, "keeps_data"))


@rule(Risk.R4)
def unprotected(change: Change, scene: Scene) -> bool:
    """What kept something from being deleted or overwritten is off or less."""
    guards = (*_of(change, "protect"), *_of(change, "retainOnDelete"))
    if change.kind in _BUCKETS:
        guards += (*_of(change, "versioning"),)
        if any(map(_is_laxer, change.properties)):
            return True
    return change.after is not None and any(each.before is True and not each.after for each in guards)


@rule(Risk.R4)
def not_backed_up(change: Change, scene: Scene) -> bool:
    """The last service that records or archives is taken away."""
    service = _service(change) if change.kind == "service" and change.action is Action.REMOVE else ""
    return service in _BACKING_UP and all(each.properties["name"] != service for each in scene.b.of_kind("service"))


RULES: tuple[Rule, ...] = tuple(each for each in list(globals().values()) if isinstance(each, Rule))


def _stays(change: Change) -> bool:
    return change.before is not None and change.after is not None


def _heads(change: Change) -> set[str]:
    """The properties that differ without a cause that is told elsewhere, by the first part of their paths."""
    return {each.path.partition(".")[0].partition("[")[0] for each in change.unexpected}


def _of(change: Change, path: str) -> tuple[PropertyChange, ...]:
    return tuple(each for each in change.properties if each.path == path)


def _service(change: Change) -> str:
    return change.name.partition(" on ")[0]


def _node(change: Change) -> str:
    return change.name.partition(" on ")[2]


def _explained_by_capacity(change: Change, scene: Scene) -> bool:
    """Whether a machine, or what belongs to it, goes because its role's number of machines is another one."""
    named = (scene.a.find("node", name) for name in sorted(_names_in(change)))
    gone = [node for node in named if node is not None and scene.b.find("node", node.name) is None]
    return bool(gone) and all(_fewer(str(node.properties["role"]), scene) for node in gone)


def _names_in(change: Change) -> set[str]:
    item = change.before
    ends = [item.properties.get(end) for end in ("a", "b")] if item else []
    return {change.name, _node(change)} | {end["node"] for end in ends if isinstance(end, Mapping)}


def _fewer(role: str, scene: Scene) -> bool:
    before, after = (_machines(side, role) for side in (scene.a, scene.b))
    return before is not None and after is not None and after < before


def _machines(side: Snapshot, role: str) -> int | None:
    """How many machines of a role the stage's capacity asks for at this part of the day."""
    capacity, head = side.find("capacity", f"{role} machines"), side.find("stack", "stage")
    if capacity is None or head is None:
        return None
    return int(capacity.properties[str(head.properties.get("demand") or "race")])


def _is_wider(change: PropertyChange) -> bool:
    before, after = (_networks(value) for value in (change.before, change.after))
    return bool(before) and not before - after and bool(after - before)


def _networks(value: Any) -> Addresses:
    listed = value if isinstance(value, tuple) else (value,)
    return Addresses.of(IPv4Network(each) for each in listed if each)


def _shared(item: Item | None, side: Snapshot, scene: Scene) -> set[str]:
    """The networks that have addresses in common with a segment."""
    if item is None or item.kind != "segment":
        return set()
    own = IPv4Network(item.properties["prefix"])
    others = {each.name: IPv4Network(each.properties["prefix"]) for each in side.of_kind("segment") if each != item}
    return {name for name, prefix in {**others, **scene.elsewhere}.items() if prefix.overlaps(own)}


def _data_on(container: Item) -> set[str]:
    return {each["containerPath"] for each in container.properties.get("volumes") or () if each.get("volumeName")}


def _is_laxer(change: PropertyChange) -> bool:
    """Whether objects are locked for less time, or by a lock that someone can open."""
    if change.path == "retention.days":
        return (change.before or 0) > (change.after or 0)
    strictest = str(change.before).lower() == "compliance" and str(change.after).lower() != "compliance"
    return change.path == "retention.mode" and (strictest or change.after is None)
