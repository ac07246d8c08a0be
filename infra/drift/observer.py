"""Looks at reality: Docker, the kernel, the object store. The one part of this room with side effects."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.docker_engine import DockerEngine, Listed, Settings
from infra.drift.resources import Made, Resource
from infra.durable import write_durably
from infra.provider.bucket import BucketKind, s3_client
from infra.provider.cable import CableKind
from infra.provider.kernel import Kernel
from infra.provider.plugin import Kind
from infra.workspace import Workspace

_AT_ONCE = 8
_FACTS = "playbooks/ansible_collections/etape/node/plugins/plugin_utils/facts.py"
_IMAGE_ROOTS = ("/etc", "/opt/etape/bin", "/usr/local")
"""What of an image is compared file by file; its programs and libraries are compared by Docker."""


@dataclass
class Observer:
    """Reality on one Docker engine and one object store; `store` is its endpoint and keys."""

    docker: DockerEngine
    store: Mapping[str, str]
    workspace: Workspace
    _kinds: dict[str, Kind] = field(init=False)

    def __post_init__(self) -> None:
        kinds: tuple[Kind, ...] = (CableKind(self.docker, Kernel()), BucketKind())
        self._kinds = {kind.token: kind for kind in kinds}

    def condition(self, resource: Resource) -> str:
        """What our provider would see in a preview; keys that the state hides are given anew."""
        inputs = dict(resource["inputs"])
        if "store" in inputs:
            inputs["store"] = dict(self.store)
        return self._kinds[resource["type"]].observe(inputs)["condition"]

    def settings(self, made: Made) -> dict[str, Settings]:
        """Of the containers that were made, by their ids."""
        ids = [each.id for each in made.seen.values() if each.kind == "container"]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(ids, pool.map(self.docker.settings, ids), strict=True))
        return {each: settings for each, settings in found.items() if settings}

    def changes(self, containers: Mapping[str, Listed]) -> dict[str, tuple[str, ...]]:
        """By node, the paths of its container that are not as in its image."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            paths = pool.map(lambda container: self.docker.changes(container.id), containers.values())
            return dict(zip(containers, paths, strict=True))

    def buckets(self) -> tuple[str, ...]:
        """Names in the object store; none where it does not answer, which the conditions of its buckets tell."""
        try:
            return tuple(each["Name"] for each in s3_client(dict(self.store)).list_buckets()["Buckets"])
        except (BotoCoreError, ClientError):
            return ()

    def image(self, image: str) -> Path:
        """File with what facts.py says of an image; asked once, in a container without a network."""
        program = (self.workspace.root / _FACTS).read_text()
        asked = json.dumps({"roots": _IMAGE_ROOTS, "paths": (), "units": (), "sysctls": ()})
        digest = sha256(f"{image} {program} {asked}".encode()).hexdigest()[:16]
        path = self.workspace.cache / "images" / f"{digest}.json"
        if not path.exists():
            write_durably(path, self.docker.tell(image, ["python3", "-I", "-c", program, asked]))
        return path
