"""How what Etape made on a Docker engine is told from everything else."""

import hashlib
from pathlib import Path

from infra.backend import Backend


def owner_labels(home: Path, stack: str) -> dict[str, str]:
    """Labels of everything that one stack of one ETAPE_HOME owns, or of one state that a team shares.

    The owner is part of it, so that two operators on one engine never take away each other's machines.
    """
    owner = Backend.of(home).owner
    return {"etape.home": hashlib.sha256(owner.encode()).hexdigest()[:12], **of_stack(stack)}


def of_stack(stack: str) -> dict[str, str]:
    """Labels of everything of a stack, whoever owns it."""
    return {"etape.stack": stack}


def node_labels(home: Path, stack: str, node: str) -> dict[str, str]:
    """Labels of one node's container and of the volume with its data."""
    return {**owner_labels(home, stack), "etape.node": node}
