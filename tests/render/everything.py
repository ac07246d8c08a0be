"""All that is rendered from an estate before anything exists."""

from dataclasses import dataclass
from pathlib import Path

from infra.estate.model import Estate
from infra.render.cable_plan import CableRow, cable_plan
from infra.render.graph import render_graph
from infra.render.inventory import render_inventory
from infra.render.resources import Resource, expected_resources
from tests.render.outputs import outputs_of


@dataclass(frozen=True)
class Rendered:
    """What each reader of a stack gets."""

    resources: tuple[Resource, ...]
    inventory: dict
    cables: tuple[CableRow, ...]
    graph: dict


def rendered(estate: Estate) -> Rendered:
    """Resources, inventory, cable plan and graph of a stack, with outputs as `pulumi up` would leave them."""
    inventory = render_inventory(estate, outputs_of(estate), Path("KEY"), Path("KNOWN_HOSTS"))
    return Rendered(expected_resources(estate), inventory, cable_plan(estate), render_graph(estate))
