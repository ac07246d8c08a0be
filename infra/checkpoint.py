"""What a stack's state says exists, read from its file: half a second cheaper than asking Pulumi each time."""

import json
from dataclasses import dataclass
from pathlib import Path

_DOCKER = "docker:index/"


@dataclass(frozen=True)
class Checkpoint:
    """The last saved state of a stack."""

    docker_ids: frozenset[str]
    """Docker's ids of the containers, networks and volumes that the stack made."""
    pending: int
    """Operations that were running when an engine died."""


def read_checkpoint(state: Path, stack: str) -> Checkpoint | None:
    """From the file backend in folder `state`; None where the stack was never made."""
    path = state / f".pulumi/stacks/etape/{stack}.json"
    if not path.exists():
        return None
    latest = json.loads(path.read_text())["checkpoint"].get("latest") or {}
    resources = latest.get("resources") or []
    ids = frozenset(each["id"] for each in resources if each["type"].startswith(_DOCKER) and "id" in each)
    return Checkpoint(ids, len(latest.get("pending_operations") or []))


def lock_holders(state: Path, stack: str) -> frozenset[int]:
    """Processes of this machine that hold the stack's lock, or held it when they were killed."""
    folder = state / f".pulumi/locks/organization/etape/{stack}"
    return frozenset(json.loads(path.read_text())["pid"] for path in folder.glob("*.json"))
