"""A resolved estate as people read it."""

from infra.estate.load import load_estate
from infra.estate.origins import origins_of
from infra.render.sheet import estate_text, origins_text


def test_an_estate_is_read_as_tables_of_what_the_stack_declares():
    """Who asks what a stack is gets machines, cables and services, not the model's own words."""
    text = estate_text(load_estate("2016-s12", "small"))
    assert text.startswith(
        "Tour de France 2016, stage 12: Montpellier → Chalet Reynard\n2016-s12 at the small scale, for the race"
    )
    assert "\nMachines (18)\n" in text
    assert "hyper-3      truck-2  U5  Second truck's computing and storage" in text
    assert "T3-06          hyper-3 eno1      switch-3 port6        truck-2" in text
    assert "recorder     hyper-2" in text


def test_a_core_has_no_part_of_the_day():
    """It is the same before the race and in it."""
    assert "2017-core at the full scale\n" in estate_text(load_estate("2017-core"))


def test_origins_stand_under_the_thing_that_they_are_of():
    """An auditor looks up a machine and reads down."""
    text = origins_text(origins_of("2017-s09", scale="small"))
    block = text[text.index("\nnodes.edge-2\n") : text.index("\nnodes.edge-3\n")]
    assert "title" in block
    assert "stacks/2017/truck.yaml:" in block
    assert "number 22 of edge-2 in the prefix" in block
    assert text.startswith("estate\n  title")
