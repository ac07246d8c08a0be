"""What the model says about a stack, as policies ask for it."""

from collections import Counter
from datetime import date
from pathlib import Path

from infra.estate.load import STACKS, load_estate
from infra.estate.model import Estate
from infra.policy.model import Claim, Facts


def facts_of(stack: str, today: date, root: Path = STACKS) -> Facts:
    """The facts of `2017-s09` on a day. Raises EstateError where stacks/ is wrong.

    Always from the full scale: what the model allows is the same for a small lab.
    """
    estate = load_estate(stack, "full", root)
    listeners: dict[str, frozenset[int]] = {}
    for service in estate.services:
        ports = {service.port} if service.port else set()
        listeners[service.node] = listeners.get(service.node, frozenset()) | ports
    return Facts(
        stack=estate.stack,
        layer=estate.layer,
        today=today,
        node_roles={node.name: node.role for node in estate.nodes},
        listeners=listeners,
        contract=Counter(node.role for node in estate.nodes),
        management=estate.management,
        supernets=estate.supernets,
        segments=_claims(estate),
        waivers=estate.waivers,
    )


def _claims(estate: Estate) -> tuple[Claim, ...]:
    segments = estate.everything("segments")
    return tuple(Claim(f"{estate.edition} {segment.name}", segment.prefix) for segment in segments)
