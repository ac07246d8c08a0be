"""What `pulumi up` left behind: where each node answers, and which secrets the season has."""

from collections.abc import Mapping

from infra.estate.model import Estate, Node


class MissingOutputs(Exception):
    """A stack has not been brought up, or not to the end: what would be rendered from it would be a lie."""


def node_output(outputs: Mapping[str, Mapping], stack: str, node: Node) -> Mapping[str, str]:
    """`address` and `host_key` of a node. `outputs` holds the outputs of each stack by its name."""
    known = _of_stack(outputs, stack).get("nodes", {}).get(node.name, {})
    for field in ("address", "host_key"):
        if not known.get(field):
            raise MissingOutputs(
                f"outputs of {stack}: nodes.{node.name}.{field} is missing; run `scripts/stage up {stack}` to the end"
            )
    return known


def secrets_of(outputs: Mapping[str, Mapping], estate: Estate) -> dict[str, str]:
    """The season's secrets, which the core's stack made."""
    core = estate.core or estate
    credentials = _of_stack(outputs, core.stack).get("credentials", {})
    for secret in core.secrets:
        if not credentials.get(secret.name):
            raise MissingOutputs(
                f"outputs of {core.stack}: credentials.{secret.name} is missing;"
                f" run `scripts/stage up {core.stack}` to the end"
            )
    return {secret.name: credentials[secret.name] for secret in core.secrets}


def _of_stack(outputs: Mapping[str, Mapping], stack: str) -> Mapping:
    if not outputs.get(stack):
        raise MissingOutputs(f"there are no outputs of {stack}; run `scripts/stage up {stack}` first")
    return outputs[stack]
