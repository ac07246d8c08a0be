"""Graph, cable plan and resource list say of the same estate the same things."""

import json

import pytest

from infra.estate.load import load_estate
from infra.render.cable_plan import cable_plan, cable_plan_text
from infra.render.graph import render_graph
from infra.render.resources import expected_resources


@pytest.fixture(scope="module")
def stage():
    return load_estate("2017-s09", "small")


def test_graph_is_json(stage):
    """The graph travels over the hub as JSON; an enum or a date in it stops the day."""
    assert json.loads(json.dumps(render_graph(stage)))["stack"] == "2017-s09"


def test_every_end_of_a_graphs_link_is_a_node_of_its_graph_or_the_cores(stage):
    """A link into nothing cannot be drawn, nor its fault located."""
    graphs = [render_graph(stage), render_graph(stage.core)]
    nodes = {node["name"]: node for graph in graphs for node in graph["nodes"]}
    for graph in graphs:
        for link in graph["links"]:
            for end in (link["a"], link["b"]):
                assert end["port"] in nodes[end["node"]]["ports"]


def test_every_need_of_a_service_is_a_service(stage):
    """Children fold under a cause by these names."""
    services = [s for graph in (render_graph(stage), render_graph(stage.core)) for s in graph["services"]]
    names = {service["name"] for service in services}
    assert all(set(service["needs"]) <= names for service in services)


def test_cable_plan_has_a_row_for_every_link(stage):
    """A cable that is not on the plan is not plugged in."""
    assert [row.label for row in cable_plan(stage)] == [link.label for link in stage.links]


def test_cable_plan_tells_the_rack_unit_of_both_ends(stage):
    """At five in the morning nobody should have to search for edge-2."""
    row = next(line for line in cable_plan_text(stage).splitlines() if line.startswith("T1-07"))
    assert row.split() == ["T1-07", "edge-2", "eno1", "U7", "switch-1", "port7", "U2", "race"]


def test_secrets_belong_to_the_core_alone(stage):
    """A secret made by each stage would lock the season's services out every morning."""
    kinds = [resource.kind for resource in expected_resources(stage)]
    assert "credential" not in kinds
    assert [resource.kind for resource in expected_resources(stage.core)].count("credential") == 5


def test_data_of_the_race_and_of_the_season_have_volumes(stage):
    """A broker, a raw log or an archive whose data go with its machine loses the race."""
    volumes = {
        stack.layer: {resource.name for resource in expected_resources(stack) if resource.kind == "volume"}
        for stack in (stage, stage.core)
    }
    assert volumes["stage"] == {"broker-1-data", "edge-1-data", "edge-2-data", "edge-3-data", "storage-1-data"}
    assert volumes["core"] == {"manage-1-data", "store-1-data"}


def test_each_resource_is_named_once(stage):
    """Two resources of a kind and name are one to Pulumi."""
    named = [(resource.kind, resource.name) for resource in expected_resources(stage)]
    assert len(named) == len(set(named))
