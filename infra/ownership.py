"""How what Etape made on a Docker engine is told from everything else."""

import hashlib
from pathlib import Path

from infra.backend import Backend


def owner_labels(home: Path, stack: str) -> dict[str, str]:
    """Labels of everything that one stack of one ETAPE_HOME owns, or of one state that a team shares.

    The owner is part of it, so that two operators on one engine never take away each other's machines.
    """
    return {"etape.home": home_label(home), **of_stack(stack)}


def home_label(home: Path) -> str:
    """What `etape.home` says on everything that an ETAPE_HOME owns, or a state that a team shares."""
    return hashlib.sha256(Backend.of(home).owner.encode()).hexdigest()[:12]


def of_stack(stack: str) -> dict[str, str]:
    """Labels of everything of a stack, whoever owns it."""
    return {"etape.stack": stack}


def node_labels(home: Path, stack: str, node: str) -> dict[str, str]:
    """Labels of one node's container and of the volume with its data."""
    return {**owner_labels(home, stack), "etape.node": node}
