"""Small states of an estate for tests: a truck's node with all that belongs to it, and what tests put beside it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infra.review.change import Change, Comparison
from infra.review.compare import compare
from infra.review.risk import Scene, judge
from infra.review.rules import RULES
from infra.review.snapshot import Item, Snapshot

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
STAGE = "2017-s09"
CORE = "2017-core"


def item(kind: str, name: str, properties: Mapping[str, Any], stack: str = STAGE, reason: str = "as ever") -> Item:
    """Anything."""
    return Item(kind, name, stack, properties, reason)


def state(*items: Item, title: str = "then", stacks: tuple[str, ...] = (STAGE, CORE)) -> Snapshot:
    """A state of these things, in stacks whose model is known."""
    told = {each.stack for each in items if each.kind == "stack"}
    heads = tuple(head(stack) for stack in stacks if stack not in told)
    return Snapshot(title, "for a test", stacks, "2017-07-09T10:00:00+02:00", "operator", (*heads, *items))


def head(stack: str = STAGE, **properties: Any) -> Item:
    """What holds for the whole stack."""
    layer = stack.partition("-")[2]
    told = {"demand": "race", "management": "172.30.20.0/22", "supernets": ["10.17.0.0/16"], **properties}
    return item("stack", "core" if layer == "core" else "stage", told, stack)


def race_day(number: int, date: str, finish: str, stack: str = STAGE) -> Item:
    """The stage itself."""
    told = {"edition": int(stack[:4]), "number": number, "date": date, "start": "A", "finish": finish}
    return item("stage", "stage", told, stack)


def segment(name: str, prefix: str, stack: str = STAGE, daily: bool = False) -> Item:
    """A network."""
    return item("segment", name, {"name": name, "title": name, "prefix": prefix, "daily": daily}, stack)


def node(name: str, stack: str = STAGE, **properties: Any) -> Item:
    """A machine of the truck."""
    role, _, slot = name.rpartition("-")
    told = {"name": name, "role": role, "slot": int(slot), "site": "truck", "rack_unit": 5, "ports": ["eno1", "eno2"]}
    more = {"forwards": False, "roles": ["node_base", "broker"], "management": f"172.30.20.{30 + int(slot)}"}
    return item("node", name, {**told, **more, **properties}, stack)


def link(label: str, a: str, b: str, stack: str = STAGE) -> Item:
    """A cable; the ends are `node:port`."""
    ends = {name: dict(zip(("node", "port"), end.split(":"), strict=True)) for name, end in (("a", a), ("b", b))}
    return item("link", label, {"label": label, **ends, "segment": "race", "mtu": 1500}, stack)


def service(name: str, node: str, stack: str = STAGE, **properties: Any) -> Item:
    """Software on a machine."""
    limits = {"cpu_percent": 100, "memory_mb": 256}
    told = {"name": name, "node": node, "unit": f"etape-{name}", "limits": limits, "keeps_data": False}
    return item("service", f"{name} on {node}", {**told, **properties}, stack)


def container(name: str, stack: str = STAGE, **properties: Any) -> Item:
    """What makes a machine in the lab."""
    told = {"name": f"{stack}-{name}", "hostname": name, "image": "sha256:1", "labels": _labels(stack, name)}
    return item(CONTAINER, name, {**told, "capabilities": {"adds": ["CAP_NET_ADMIN"]}, **properties}, stack)


def volume(name: str, stack: str = STAGE) -> Item:
    """What a machine keeps."""
    return item(VOLUME, f"{name}-data", {"name": f"{stack}-{name}-data"}, stack)


def bucket(name: str, **properties: Any) -> Item:
    """Of the season's object store."""
    return item("bucket", name, {"name": name, "versioning": True, **properties}, CORE)


def _labels(stack: str, node: str) -> list[dict[str, str]]:
    return [{"label": "etape.stack", "value": stack}, {"label": "etape.node", "value": node}]


def judged(before: Snapshot, after: Snapshot, **scene: Any) -> Comparison:
    """Compared, and judged by every rule."""
    return judge(compare(before, after), Scene(before, after, **scene), RULES)


def only(comparison: Comparison) -> Change:
    """The one change that has to be looked at."""
    (change,) = comparison.changes
    return change


def changed(what: Item, **properties: Any) -> Item:
    """The same thing with other properties."""
    return replace(what, properties={**what.properties, **properties})
