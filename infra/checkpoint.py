"""What a stack's state says, read from its backend's files: half a second cheaper than asking Pulumi each time."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.state_objects import StateError, StateObjects

_DOCKER = "docker:index/"
_MOMENT = re.compile(r"-(\d+)\.history\.json$")


@dataclass(frozen=True)
class Checkpoint:
    """The last saved state of a stack."""

    docker_ids: frozenset[str]
    """Docker's ids of the containers, networks and volumes that the stack made."""
    pending: int
    """Operations that were running when an engine died."""


@dataclass(frozen=True)
class Lock:
    """Who works on a stack, or did when they were killed."""

    process: int
    user: str
    host: str
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.process}) since {self.since}"


@dataclass(frozen=True)
class PastDeployment:
    """One operation on a stack, as its backend's history keeps it."""

    at: datetime
    """When it ended (UTC)."""
    kind: str
    """`update`, `destroy`, `refresh`, ..."""
    result: str
    """`succeeded` or `failed`."""
    message: str
    changes: Mapping[str, int]
    """Numbers of resources by what was done to them."""
    read: Callable[[], dict]
    """The deployment as this operation left it, in the form of `pulumi stack export`. StateError where it is lost."""


def checkpoint_key(stack: str) -> str:
    """Where a self-managed backend keeps the state of a stack of this project."""
    return f".pulumi/stacks/etape/{stack}.json"


def read_checkpoint(objects: StateObjects, stack: str) -> Checkpoint | None:
    """None where the stack was never made; StateError where its file is no checkpoint."""
    text = objects.read(checkpoint_key(stack))
    if text is None:
        return None
    latest = _latest(text, objects.place(checkpoint_key(stack)))
    resources = latest.get("resources") or []
    ids = frozenset(each["id"] for each in resources if each["type"].startswith(_DOCKER) and "id" in each)
    return Checkpoint(ids, len(latest.get("pending_operations") or []))


def read_deployment(objects: StateObjects, key: str) -> dict:
    """A checkpoint's file in the form of `pulumi stack export`; StateError where it is none."""
    text = objects.read(key)
    if text is None:
        raise StateError(f"{objects.place(key)} does not exist")
    return {"version": 3, "deployment": _latest(text, objects.place(key))}


def checkpoint_text(stack: str, deployment: Mapping) -> str:
    """The other way round: a checkpoint's file from what `pulumi stack export` gave; {} for a stack without any."""
    latest = {"latest": deployment["deployment"]} if deployment else {}
    return json.dumps({"version": 3, "checkpoint": {"stack": f"organization/etape/{stack}", **latest}})


def read_history(objects: StateObjects, stack: str) -> tuple[PastDeployment, ...]:
    """Every operation on the stack that came to an end, oldest first."""
    keys = (key for key in objects.list(f".pulumi/history/etape/{stack}") if _MOMENT.search(key))
    return tuple(_past(objects, key) for key in keys)


def _past(objects: StateObjects, key: str) -> PastDeployment:
    told = _parse(objects.read(key) or "", objects.place(key))
    kept = key.removesuffix(".history.json") + ".checkpoint.json"
    return PastDeployment(
        at=_moment(key),
        kind=told["kind"],
        result=told["result"],
        message=told.get("message") or "",
        changes=told.get("resourceChanges") or {},
        read=lambda: read_deployment(objects, kept),
    )


def _moment(key: str) -> datetime:
    """From the nanoseconds in its name, which order a history."""
    found = _MOMENT.search(key)
    return datetime.fromtimestamp(int(found[1]) / 1e9 if found else 0, UTC)


def read_locks(objects: StateObjects, stack: str) -> Mapping[str, Lock]:
    """By key, who holds the stack."""
    keys = objects.list(f".pulumi/locks/organization/etape/{stack}")
    held = {key: json.loads(text) for key in keys if key.endswith(".json") and (text := objects.read(key))}
    return {
        key: Lock(each["pid"], each.get("username", "?"), each.get("hostname", "?"), each.get("timestamp", "?"))
        for key, each in held.items()
    }


def _latest(text: str, place: str) -> dict:
    checkpoint = _parse(text, place).get("checkpoint")
    if not isinstance(checkpoint, dict):
        raise StateError(f"{place} is no checkpoint of Pulumi's: it has no field `checkpoint`")
    latest = checkpoint.get("latest") or {}
    if not isinstance(latest, dict) or not isinstance(latest.get("resources") or [], list):
        raise StateError(f"{place} is no checkpoint of Pulumi's: `checkpoint.latest.resources` is no list")
    return latest


def _parse(text: str, place: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise StateError(f"{place} is corrupt: {error.msg} at line {error.lineno}, column {error.colno}") from None
    if not isinstance(parsed, dict):
        raise StateError(f"{place} is corrupt: it holds no JSON object")
    return parsed
