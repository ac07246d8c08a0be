"""How files add up: a later one changes fields, adds and drops, by identity alone."""

from infra.estate.inheritance import Layered, Source, whole
from infra.estate.mistakes import Mistake


def laid(kind: str, *files: dict) -> tuple[list[dict], list[Mistake]]:
    """The entries that files add up to, and what is told."""
    layered, told = Layered(kind), []
    for number, data in enumerate(files, start=1):
        told += layered.lay(Source(f"{number}.yaml", data, {}))
    return [dict(draft.fields) for draft in layered.drafts], told


EDGE = {"role": "edge", "slot": 1, "title": "Edge", "size": {"cpus": 8, "memory_mb": 512}}


def test_a_field_that_is_given_again_is_replaced_as_a_whole():
    """Half a size from one file and half from another is a machine that nobody described."""
    found, _ = laid("nodes", {"nodes": [EDGE]}, {"nodes": [{"role": "edge", "slot": 1, "size": {"cpus": 4}}]})
    assert found == [{**EDGE, "size": {"cpus": 4}}]


def test_an_entry_keeps_its_place_whatever_stands_before_it():
    """By its place in a list, a line that somebody inserts would change another machine."""
    base = {"nodes": [{**EDGE, "slot": 2}, EDGE]}
    found, _ = laid("nodes", base, {"nodes": [{"role": "edge", "slot": 1, "title": "Other"}]})
    assert [(node["slot"], node["title"]) for node in found] == [(2, "Edge"), (1, "Other")]


def test_what_is_dropped_can_be_written_anew_in_the_same_file():
    """A machine that is another one this year inherits none of the old one's fields."""
    found, told = laid(
        "nodes",
        {"nodes": [EDGE]},
        {"drop": {"nodes": ["edge-1"]}, "nodes": [{"role": "edge", "slot": 1, "title": "New"}]},
    )
    assert (found, told) == ([{"role": "edge", "slot": 1, "title": "New"}], [])


def test_a_third_file_changes_what_the_second_one_added():
    """A year that inherits a year that inherits what several share."""
    added = {"cables": [{"label": "T1-06", "segment": "race"}]}
    found, _ = laid("cables", {"cables": []}, added, {"cables": [{"label": "T1-06", "segment": "ops"}]})
    assert found == [{"label": "T1-06", "segment": "ops"}]


def test_two_entries_of_one_identity_in_one_file_are_both_kept_to_be_told():
    """A line that was copied and not changed would silently win over the first."""
    found, _ = laid("sites", {"sites": [{"name": "truck"}, {"name": "truck", "title": "Other"}]})
    assert len(found) == 2


def test_values_know_the_file_that_gave_them_and_repeating_one_does_not_move_it():
    """An auditor who asks why the count is 24 is sent to the year; why the role is processor, to what years share."""
    layered = Layered("servers")
    for name, entry in (("common", {"role": "web", "title": "Web"}), ("2017", {"role": "web", "count": 14})):
        assert list(layered.lay(Source(name, {"servers": [entry]}, {}))) == []
    assert {field: place.file for field, place in layered.drafts[0].given.items()} == {
        "role": "common", "title": "common", "count": "2017"
    }  # fmt: skip


def test_a_file_that_is_one_thing_is_replaced_field_by_field():
    """edition.yaml of a year changes what it names, and inherits the rest."""
    draft = whole(
        [Source("common", {"mtu": 1500, "title": "Any"}, {}), Source("2017", {"title": "This", "x": 1}, {})], ["x"]
    )
    assert draft is not None
    assert dict(draft.fields) == {"mtu": 1500, "title": "This"}
    assert draft.given["mtu"].file == "common"
