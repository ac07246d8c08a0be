"""What Ansible and SSH need of the stacks that are up: an inventory each, and the pinned host keys of all."""

import json

from infra.durable import write_durably
from infra.estate.model import Estate
from infra.render.inventory import render_inventory, render_known_hosts
from infra.workspace import Workspace


def write_access(workspace: Workspace, layers: tuple[Estate, ...]) -> None:
    """Render the inventories of `layers` and the known hosts from their outputs. Raises MissingOutputs."""
    outputs = {layer.stack: read_outputs(workspace, layer.stack) for layer in layers}
    known = "".join(render_known_hosts(layer, outputs) for layer in layers)
    write_durably(workspace.known_hosts, known)
    for layer in layers:
        above = next((other for other in layers if other.core is layer), None)
        inventory = render_inventory(layer, outputs, workspace.private_key, workspace.known_hosts, above)
        write_durably(workspace.inventory(layer.stack), json.dumps(inventory, indent=1))


def forget_access(workspace: Workspace, stack: str) -> None:
    """Remove what a stack that is gone left: its outputs and its inventory. Host keys go with the next stack."""
    workspace.outputs(stack).unlink(missing_ok=True)
    workspace.inventory(stack).unlink(missing_ok=True)


def read_outputs(workspace: Workspace, stack: str) -> dict:
    """The outputs of a stack as its last up left them; empty where there are none."""
    path = workspace.outputs(stack)
    return json.loads(path.read_text()) if path.exists() else {}
