"""Outputs as `pulumi up` would leave them, for rendering without an engine."""

from infra.estate.model import Estate


def outputs_of(estate: Estate) -> dict[str, dict]:
    """Of the stack and of its core: nodes at their planned addresses, keys and secrets that tell their owner."""
    stacks = (estate.core, estate) if estate.core else (estate,)
    made = {each.stack: {"nodes": {node.name: _node(node) for node in each.nodes}} for each in stacks}
    core = estate.core or estate
    made[core.stack]["credentials"] = {secret.name: f"the-{secret.name}" for secret in core.secrets}
    return made


def _node(node) -> dict[str, str]:
    return {"address": str(node.management), "host_key": f"ssh-ed25519 key-of-{node.name}"}
