"""A new year is a whole edition at once, or is not there."""

import json
import shutil
from pathlib import Path

import pytest

from infra.day.new_edition import new_edition, read_race_days
from infra.day.outcome import Refusal
from infra.estate.load import STACKS, list_stacks, load_estate
from tests.render.everything import rendered

HEADER = "year,stage,date,start,finish,distance_km,kind,profile\n"
RACE = HEADER + (
    "2027,2,2027-07-03,Cardiff,Swansea,181.5,road,\n"
    "2027,1,2027-07-02,Edinburgh,Edinburgh,20,individual time trial,\n"
    "2027,3,2027-07-04,Welshpool,Bangor,190,road,mountain\n"
    "2026,1,2026-07-04,Barcelona,Barcelona,19,team time trial,\n"
)


@pytest.fixture
def stacks(tmp_path) -> Path:
    """A copy of stacks/; courses are linked, so that each is examined once for all tests."""
    stacks = tmp_path / "stacks"
    for folder in ("2017", "2018", "common"):
        shutil.copytree(STACKS / folder, stacks / folder)
    (stacks / "courses").symlink_to(STACKS / "courses")
    return stacks


@pytest.fixture
def race(tmp_path) -> Path:
    file = tmp_path / "race.csv"
    file.write_text(RACE, encoding="utf-8")
    return file


def test_a_new_year_inherits_the_whole_of_another_and_has_a_supernet_of_its_own(stacks, race):
    """Two years in one network would be 2016's conflict again."""
    new_edition(stacks, "2027", "2018", race)
    new, old = load_estate("2027-s02", root=stacks), load_estate("2018-s02", root=stacks)
    assert {node.name for node in new.core.nodes} == {node.name for node in old.core.nodes}
    assert [str(net) for net in new.supernets] == ["10.27.0.0/16", "100.64.0.0/10"]
    assert {str(s.prefix) for s in new.segments if s.name == "race"} == {"10.27.10.0/24"}
    assert new.title == "Tour de France 2027, stage 2: Cardiff → Swansea"


def test_every_stage_of_a_new_year_renders(stacks, race):
    """What was made has to come up, not only to load."""
    new_edition(stacks, "2027", None, race)
    names = [each.stack for each in list_stacks(stacks) if each.edition == 2027]
    assert names == ["2027-core", "2027-s01", "2027-s02", "2027-s03"]
    for name in names:
        everything = rendered(load_estate(name, root=stacks))
        assert json.dumps([everything.graph, everything.inventory])


def test_profiles_that_the_file_leaves_out_are_flat_or_against_the_clock(stacks, race):
    """A guess that is taken for knowledge: the command names these stages."""
    assert [stage.profile for stage in new_edition(stacks, "2027", None, race)] == ["time trial", "flat", "mountain"]


def test_a_year_without_stages_is_a_season_that_can_come_up(stacks):
    """Stages that nobody has published are not invented."""
    assert new_edition(stacks, "2027", None, None) == []
    assert load_estate("2027-core", root=stacks).edition == 2027


def test_a_new_year_can_change_what_it_inherits(stacks, race):
    """An edition that is only a copy of its parent's lines is edited at two places."""
    new_edition(stacks, "2027", "2018", race)
    head = stacks / "2027" / "edition.yaml"
    head.write_text(head.read_text(encoding="utf-8") + "parts: [cloud.yaml]\n", encoding="utf-8")
    (stacks / "2027" / "cloud.yaml").write_text("servers: [{role: archive, count: 9}]\n", encoding="utf-8")
    archives = [node for node in load_estate("2027-s02", root=stacks).nodes if node.role == "archive"]
    assert len(archives) == 9


@pytest.mark.parametrize(
    ("year", "source", "says"),
    [
        ("2017", None, "stacks/2017 is there already"),
        ("27", None, "'27' is no year from 2000 to 2100"),
        ("2101", None, "'2101' is no year from 2000 to 2100"),
        ("next", None, "'next' is no year"),
        ("2027", "2019", "there is no edition '2019' to inherit"),
        ("2028", None, "race.csv has no stage of 2028"),
    ],
)
def test_what_cannot_be_a_new_year_is_refused_and_nothing_is_made(stacks, race, year, source, says):
    """A folder that is half an edition refuses every command for all the others."""
    before = sorted(path.name for path in stacks.iterdir())
    with pytest.raises(Refusal, match=says):
        new_edition(stacks, year, source, race)
    assert sorted(path.name for path in stacks.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RACE.replace("2027-07-03", "2027-07-02"), "does not come after"),
        (RACE.replace("2027-07-03", "2026-07-03"), "is not in 2027"),
        (RACE.replace("181.5", "far"), r"race.csv: line 2.distance_km: Input should be a valid number"),
        (RACE.replace(",road,mountain", ",road,steep"), r"race.csv: line 4.profile: Input should be"),
        (RACE.replace("distance_km", "km"), "the columns are year,stage,date,start,finish,km,kind,profile"),
        ("", "the columns are "),
    ],
)
def test_wrong_stages_are_refused_by_line_and_field_and_nothing_is_made(stacks, race, text, says):
    """Twenty-one lines typed from a brochure hold a slip; it is told before there is an edition."""
    race.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal, match=says):
        new_edition(stacks, "2027", None, race)
    assert not (stacks / "2027").exists()


def test_a_file_that_is_no_table_is_refused(tmp_path):
    """A spreadsheet instead of a CSV file."""
    file = tmp_path / "race.xlsx"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(Refusal, match="cannot be read"):
        read_race_days(file)
