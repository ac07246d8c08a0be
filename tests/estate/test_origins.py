"""Every value of a resolved estate is traced to the line that says it."""

from dataclasses import fields, is_dataclass

import pytest

from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.origins import ASKED, origins_of, text_of

CHECKOUT = STACKS.parent
STACKS_SHOWN = [each.stack for each in list_stacks() if each.stage is None or each.stage.number == 1]


def of(stack: str) -> dict[str, tuple[str, str, str]]:
    """Path → value, line as it is written, how the value follows."""
    found = {}
    for each in origins_of(stack, scale="small"):
        line = (CHECKOUT / each.file).read_text(encoding="utf-8").splitlines()[each.line - 1]
        found[each.path] = (each.value, line, each.how)
    return found


@pytest.mark.parametrize("stack", STACKS_SHOWN)
def test_every_field_of_every_thing_has_an_origin(stack):
    """A value without an origin is one that an auditor has to take on trust."""
    estate = load_estate(stack, "small")
    paths = [origin.path for origin in origins_of(stack, scale="small")]
    assert len(set(paths)) == len(paths)
    starts = {path.split(".")[0] for path in paths}
    there = {field.name for field in fields(estate) if getattr(estate, field.name) not in ((), None)}
    assert starts == there - set(ASKED)
    for kind in ("sites", "segments", "nodes", "links"):
        for thing in getattr(estate, kind):
            name = getattr(thing, "name", None) or thing.label
            under = {path.removeprefix(f"{kind}.{name}.").split(".")[0] for path in paths if f".{name}." in path}
            assert {f.name for f in fields(thing) if getattr(thing, f.name) != () or f.name == "ports"} <= under


@pytest.mark.parametrize("stack", STACKS_SHOWN)
def test_what_stands_on_the_line_is_the_value(stack):
    """An origin that points one line off sends the auditor to another machine."""
    for path, (value, line, how) in of(stack).items():
        last = path.split(".")[-1]
        if not how and last in {"title", "prefix", "unit", "purpose", "label", "finish", "start"}:
            year = stack[2:4]
            assert value in line.replace("{year}", year).replace("{edition}", f"20{year}"), path


def test_a_value_that_a_later_file_replaces_comes_from_there():
    """Who wants to know why there are so many servers has to be sent to the year that said so."""
    found = {origin.path: origin for origin in origins_of("2016-s12")}
    assert found["services.relay@hyper-1.node"].file == "stacks/2016/services.yaml"
    assert found["services.relay@hyper-1.unit"].file == "stacks/common/services.yaml"
    assert found["nodes.gateway-2.title"].file == "stacks/2016/second-truck.yaml"


def test_derived_values_say_what_they_follow_from():
    """An address stands in no file: its prefix does, and the machine's number is its role's and slot's."""
    found = of("2017-s01")
    assert found["nodes.edge-2.interfaces.race.address"][2] == "number 22 of edge-2 in the prefix"
    assert "10.{year}.10.0/24" in found["nodes.edge-2.interfaces.race.address"][1]
    assert found["segments.uplink.prefix"][2] == "100.64.{stage}.0/29 with the number of the stage"
    assert found["sites.truck.location"][0] == "Düsseldorf (DEU)"
    assert "time trial" in found["services.processor@processor-1.limits.cpu_percent"][2]
    assert found["approval.valid_hours"][2] == "left out"


def test_values_are_told_in_plain_words():
    """`None` and `()` are words of programmers."""
    assert [text_of(value) for value in (None, (), ("a", "b"), True)] == ["none", "none", "a, b", "yes"]
    assert not any(is_dataclass(value) or value.startswith("(") for value, _, _ in of("2018-core").values())
