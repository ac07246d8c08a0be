"""The estate as JSON: complete, plain, and the same every time."""

import json
from dataclasses import fields, replace

from infra.estate.load import load_estate
from infra.estate.model import Estate
from infra.render.model import render_model


def test_every_field_of_the_estate_is_in_the_model() -> None:
    """A field that is left out could change without any hash or report telling it."""
    assert set(render_model(load_estate("2017-s09", "small"))) == {field.name for field in fields(Estate)}


def test_the_model_is_plain_json_and_the_same_twice() -> None:
    """An address or a date that JSON does not know, or an order that moves, gives no hash to stand on."""
    first, second = (json.dumps(render_model(load_estate("2017-s09", "small"))) for _ in range(2))
    assert first == second
    assert json.loads(first)["stage"]["date"] == "2017-07-09"


def test_one_changed_property_of_one_node_shows() -> None:
    """What is nested deep counts as much as what is on top."""
    estate = load_estate("2017-s09", "small")
    moved = replace(estate, nodes=(replace(estate.nodes[0], rack_unit=47), *estate.nodes[1:]))
    assert render_model(moved)["nodes"][0]["rack_unit"] == 47
    assert render_model(moved) != render_model(estate)
