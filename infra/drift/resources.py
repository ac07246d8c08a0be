"""Pulumi's resources: what the state says was made against what is there. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.docker_engine import Listed, Settings
from infra.drift.difference import CABLING, MENDED, Difference

_DOCKER = "docker:index/"
_CONTAINER = "docker:index/container:Container"
_CABLE, _BUCKET = "etape:index:Cable", "etape:index:Bucket"
_RUNNING = "running"
_REMEDIES = {"paused": "`docker unpause` it: what stands still keeps its cables"}
_DEFAULTS = {"cpuSet": "", "restart": "no"}

Resource = Mapping[str, Any]
"""As in a Pulumi deployment: urn, type, id, inputs, outputs."""


def resources(deployment: Mapping) -> tuple[Resource, ...]:
    """Of a deployment, exported or read from a checkpoint."""
    return tuple(deployment.get("deployment", deployment).get("resources") or ())


def name_of(resource: Resource) -> str:
    """The last part of its URN."""
    return resource["urn"].rpartition("::")[2]


@dataclass(frozen=True)
class Made:
    """What the states say was made, beside what Docker lists."""

    resources: tuple[Resource, ...]
    listed: tuple[Listed, ...]

    @cached_property
    def docker(self) -> tuple[Resource, ...]:
        """Containers, networks and volumes."""
        return tuple(each for each in self.resources if each["type"].startswith(_DOCKER) and "id" in each)

    @cached_property
    def known(self) -> frozenset[str]:
        """Docker's ids of everything that was made."""
        return frozenset(each["id"] for each in self.docker)

    @cached_property
    def seen(self) -> dict[str, Listed]:
        """What Docker lists of it, by id."""
        return {each.id: each for each in self.listed if each.id in self.known}

    @cached_property
    def running(self) -> dict[str, Listed]:
        """The machines that run, by node."""
        seen = {name_of(each): self.seen.get(each["id"]) for each in self._containers}
        return {node: container for node, container in seen.items() if container and container.state == _RUNNING}

    @cached_property
    def still(self) -> frozenset[str]:
        """Ids of the containers that do not run, or are gone."""
        return frozenset(each["id"] for each in self._containers) - {each.id for each in self.running.values()}

    @cached_property
    def images(self) -> dict[str, str]:
        """Full id of the image by node."""
        return {name_of(each): each["inputs"]["image"] for each in self._containers}

    @property
    def _containers(self) -> Iterator[Resource]:
        return (each for each in self.docker if each["type"] == _CONTAINER)


def docker_differences(made: Made, settings: Mapping[str, Settings]) -> Iterator[Difference]:
    """Containers, networks and volumes that are gone, do not run, are attached elsewhere or were reconfigured.

    `settings` are those of the containers by id.
    """
    for resource in made.docker:
        seen = made.seen.get(resource["id"])
        if seen is None:
            yield _difference(resource, "there", "removed")
        elif seen.kind == "container" and seen.state != _RUNNING:
            since = settings[seen.id].finished[:19] if seen.state == "exited" and seen.id in settings else ""
            yield _difference(resource, _RUNNING, seen.state, since, _REMEDIES.get(seen.state, MENDED))
        elif seen.kind == "container":
            yield from _networks(resource, seen)
            yield from _settings(resource, settings.get(seen.id))


def _settings(resource: Resource, settings: Settings | None) -> Iterator[Difference]:
    """A container's own state knows no limit that the program did not set."""
    for name, now in (settings.values if settings else {}).items():
        declared = resource["inputs"].get(name, _DEFAULTS.get(name, 0))
        if declared != now:
            remedy = f"`docker update` it back, or `docker rm -f` it: {MENDED}"
            yield _difference(resource, f"{name} {declared}", f"{name} {now}", remedy=remedy)


def changed(made: Made, actual: Sequence[Resource]) -> Iterator[Difference]:
    """Properties of Docker's resources that were declared and are something else after a refresh."""
    there = {resource["urn"]: resource for resource in actual}
    for resource in made.docker:
        found = there.get(resource["urn"])
        if found is None or resource["id"] not in made.seen or resource["id"] in made.still:
            continue
        for name, declared in sorted(resource["inputs"].items()):
            now = found["outputs"].get(name)
            if not name.startswith("__") and not _holds(declared, now):
                yield _difference(resource, f"{name} {_short(declared)}", f"{name} {_short(now)}")


def _holds(declared: Any, found: Any) -> bool:
    """Whether what is declared is found; a provider adds what was left to it, in an order of its own."""
    if isinstance(declared, Mapping):
        told = ((name, value) for name, value in declared.items() if not name.startswith("__"))
        return isinstance(found, Mapping) and all(_holds(value, found.get(name)) for name, value in told)
    if isinstance(declared, list) and isinstance(found, list):
        return len(declared) == len(found) and all(any(_holds(each, other) for other in found) for each in declared)
    return declared == found or (not declared and not found)


def _difference(resource: Resource, declared: str, found: str, since: str = "", remedy: str = MENDED) -> Difference:
    kind, name = resource["type"].rpartition(":")[2].lower(), name_of(resource)
    return Difference(name, kind, name, declared, found, since, remedy)


def _networks(applied: Resource, seen: Listed) -> Iterator[Difference]:
    declared = {each["name"] for each in applied["inputs"].get("networksAdvanceds", ())}
    for network in sorted({*seen.networks} - declared):
        remedy = f"`docker network disconnect {network} {seen.name}`, or declare it"
        yield Difference(name_of(applied), "network", network, "not attached", "attached by hand", remedy=remedy)
    for network in sorted(declared - {*seen.networks}):
        yield Difference(name_of(applied), "network", network, "attached", "taken off")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def condition_differences(made: Made, observe: Callable[[Resource], str]) -> Iterator[Difference]:
    """Cables and buckets whose condition is not what it was when they were made.

    A cable that lies because its machine does is not told again: the machine is.
    """
    for resource in made.resources:
        inputs, name = resource.get("inputs", {}), name_of(resource)
        if resource["type"] == _CABLE and not made.still & {inputs["a"]["container"], inputs["b"]["container"]}:
            ends = " ↔ ".join(f"{inputs[end]['node']} {inputs[end]['port']}" for end in ("a", "b"))
            yield from _condition(resource, CABLING, "cable", f"{name} ({ends})", observe)
        elif resource["type"] == _BUCKET:
            yield from _condition(resource, "object store", "bucket", name, observe)


def _condition(
    resource: Resource, where: str, kind: str, what: str, observe: Callable[[Resource], str]
) -> Iterator[Difference]:
    declared, found = resource["outputs"]["condition"], observe(resource)
    if found != declared:
        yield Difference(where, kind, what, declared, found)
