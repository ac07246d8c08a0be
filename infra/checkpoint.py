"""What a stack's state says, read from its backend's files: half a second cheaper than asking Pulumi each time."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.engine_error import StateError
from infra.state_objects import StateObjects

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
class PastDeployment:
    """One operation on a stack, as its backend's history keeps it."""

    at: datetime
    """When it ended (UTC)."""
    kind: str
    """`update`, `destroy`, `refresh`, ...; `unreadable` where the history's own file is corrupt."""
    result: str
    """`succeeded` or `failed`, or why it is unreadable."""
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
    latest = _latest(text, objects.place(checkpoint_key(stack)), stack)
    ids = (each["id"] for each in latest.get("resources") or [] if each["type"].startswith(_DOCKER) and "id" in each)
    return Checkpoint(frozenset(ids), len(latest.get("pending_operations") or []))


def read_deployment(objects: StateObjects, stack: str, key: str | None = None) -> dict:
    """A stack's checkpoint, or the one at `key`, in the form of `pulumi stack export`; StateError where it is none."""
    key = key or checkpoint_key(stack)
    text = objects.read(key)
    if text is None:
        raise StateError(f"{objects.place(key)} is not there", f"make the stack with `scripts/stage up {stack}`")
    return {"version": 3, "deployment": _latest(text, objects.place(key), stack)}


def checkpoint_text(stack: str, deployment: Mapping) -> str:
    """The other way round: a checkpoint's file from what `pulumi stack export` gave; {} for a stack without any."""
    latest = {"latest": deployment["deployment"]} if deployment else {}
    return json.dumps({"version": 3, "checkpoint": {"stack": f"organization/etape/{stack}", **latest}})


def read_history(objects: StateObjects, stack: str) -> tuple[PastDeployment, ...]:
    """Every operation on the stack that came to an end, oldest first."""
    found = ((key, _MOMENT.search(key)) for key in objects.list(_history_folder(stack)))
    # Nanoseconds since 1970, which is how the backend tells one operation from the next.
    return tuple(_past(objects, stack, key, int(moment[1]) / 1e9) for key, moment in found if moment)


def history_files(objects: StateObjects, stack: str) -> Mapping[str, str]:
    """All that the backend keeps of the stack's past, by file name."""
    found = {key.rpartition("/")[2]: objects.read(key) for key in objects.list(_history_folder(stack))}
    return {name: text for name, text in found.items() if text is not None and name.endswith(".json")}


def _history_folder(stack: str) -> str:
    return f".pulumi/history/etape/{stack}"


def restore(objects: StateObjects, stack: str) -> PastDeployment:
    """Put the last good checkpoint of the history in the place of one that is lost or not whole; return which it was.

    What could not be read is kept beside the stacks. StateError where there is nothing to put back, or no need to.
    """
    key, history = checkpoint_key(stack), read_history(objects, stack)
    broken = _why_not_whole(objects, stack)
    if not broken:
        raise StateError(f"the state of {stack} is whole: nothing was put back", "there is nothing to mend")
    for past in reversed(history):
        with suppress(StateError):
            text = checkpoint_text(stack, past.read())
            if (corrupt := objects.read(key)) is not None:
                objects.write(f".pulumi/corrupt/{stack}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json", corrupt)
            objects.write(key, text)
            return past
    raise StateError(
        f"{broken}, and no good one among {len(history)} of its history",
        f"move {objects.place(key)} away, if it is there: `scripts/stage up {stack}` then begins from nothing",
    )


def _why_not_whole(objects: StateObjects, stack: str) -> str:
    """Empty where the stack's checkpoint can be read."""
    try:
        return "" if read_checkpoint(objects, stack) else f"{stack} has no state"
    except StateError as error:
        return error.sentence


def _past(objects: StateObjects, stack: str, key: str, at: float) -> PastDeployment:
    kept = key.removesuffix(".history.json") + ".checkpoint.json"
    try:
        told = _parse(objects.read(key) or "", objects.place(key), stack)
    except StateError as error:
        told = {"kind": "unreadable", "result": error.sentence}
    return PastDeployment(
        at=datetime.fromtimestamp(at, UTC),
        kind=str(told.get("kind")),
        result=str(told.get("result")),
        message=told.get("message") or "",
        changes=told.get("resourceChanges") or {},
        read=lambda: read_deployment(objects, stack, kept),
    )


def _latest(text: str, place: str, stack: str) -> dict:
    checkpoint = _parse(text, place, stack).get("checkpoint")
    if not isinstance(checkpoint, dict):
        raise _corrupt(place, stack, "it has no field `checkpoint`")
    latest = {} if checkpoint.get("latest") is None else checkpoint["latest"]
    resources = latest.get("resources") or [] if isinstance(latest, dict) else None
    if not isinstance(resources, list) or not all(isinstance(each, dict) and "type" in each for each in resources):
        raise _corrupt(place, stack, "`checkpoint.latest.resources` is no list of resources")
    return latest


def _parse(text: str, place: str, stack: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise _corrupt(place, stack, f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    if not isinstance(parsed, dict):
        raise _corrupt(place, stack, "it holds no JSON object")
    return parsed


def _corrupt(place: str, stack: str, why: str) -> StateError:
    remedy = f"put the last good one of its history back: `scripts/stage restore {stack}`"
    return StateError(f"the state of {stack} is corrupt: {place}: {why}", remedy)
