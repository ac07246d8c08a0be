"""Every stage of every edition is rendered as each of its readers gets it."""

import json

import pytest

from infra.estate.layers import folders
from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.model import Estate
from tests.render.everything import Rendered, rendered


@pytest.mark.parametrize("year", folders(STACKS))
def test_every_stage_of_an_edition_renders_into_one_and_the_same_estate(year):
    """Inventory, cable plan, graph and resources that disagree on one of 84 mornings are found on that morning."""
    for each in list_stacks():
        if each.edition == int(year):
            estate = load_estate(each.stack)
            holds_together(estate, rendered(estate))


def holds_together(estate: Estate, all_of_it: Rendered) -> None:
    """The same machines and cables in every render, each once, and nothing that no engine could read."""
    machines = [node.name for node in estate.nodes]
    labels = [link.label for link in estate.links]
    assert list(all_of_it.inventory["all"]["hosts"]) == machines
    assert [node["name"] for node in all_of_it.graph["nodes"]] == machines
    assert [each.name for each in all_of_it.resources if each.kind == "node"] == machines
    assert [row.label for row in all_of_it.cables] == labels
    assert [each.name for each in all_of_it.resources if each.kind == "cable"] == labels
    identities = [(each.kind, each.name) for each in all_of_it.resources]
    assert len(set(identities)) == len(identities)
    json.dumps([all_of_it.inventory, all_of_it.graph])
