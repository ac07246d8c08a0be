"""What a user reads when the data are wrong: the exact sentences, all of them, and nothing that merely follows.

The wrong estates and the sentences are in estates.yaml.
"""

import shutil
from pathlib import Path

import pytest
import yaml

from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.mistakes import EstateError

CASES = yaml.safe_load((Path(__file__).parent / "estates.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def stacks(tmp_path) -> Path:
    """A copy of stacks/ to spoil; courses are linked, so that each is examined once for all tests."""
    stacks = tmp_path / "stacks"
    for folder in ("2017", "common"):
        shutil.copytree(STACKS / folder, stacks / folder)
    (stacks / "courses").mkdir()
    for course in (STACKS / "courses").glob("*.geojson"):
        (stacks / "courses" / course.name).symlink_to(course)
    return stacks


def spoil(stacks: Path, edit: dict) -> None:
    path = stacks / edit["file"]
    before = path.read_text(encoding="utf-8")
    path.unlink()
    if "by" in edit:
        text = edit.get("text", before)
        assert before.count(text) == 1, f"the edit of {edit['file']} no longer meets its text"
        path.write_text(before.replace(text, edit["by"]), encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_wrong_estate_is_refused_in_these_words(case, stacks):
    """A mistake that slips through is found at five in the morning in a field; one told twice hides the next."""
    for edit in case["edits"]:
        spoil(stacks, edit)
    with pytest.raises(EstateError) as caught:
        load_estate("2017-s09", root=stacks)
    assert str(caught.value).splitlines() == case["says"]


def test_mistakes_anywhere_in_the_edition_refuse_each_of_its_stacks(stacks):
    """A core that comes up from files with mistakes cannot take the stage that they describe."""
    spoil(stacks, {"file": "2017/cloud.yaml", "text": "count: 12", "by": "count: -1"})
    for stack in ("2017-core", "2017-s01"):
        with pytest.raises(EstateError, match="-1 servers cannot be"):
            load_estate(stack, root=stacks)


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        ("2017-s22", "stacks: stack: there is no stack '2017-s22'. Did you mean 2017-s21 or 2017-s20 or 2017-s12?"),
        ("2017-s9", "stacks: stack: there is no stack '2017-s9'. Did you mean 2017-s09?"),
        ("prod", "stacks: stack: there is no stack 'prod'. `scripts/stage list` names all of them."),
    ],
)
def test_unknown_stack_names_those_that_come_close(stack, says):
    """`2017-s9` would otherwise be a stack of its own in the engine's state."""
    with pytest.raises(EstateError) as caught:
        load_estate(stack)
    assert str(caught.value) == says


def test_unknown_scale_is_refused():
    """A slip in --scale would bring up eighty machines where six were meant."""
    with pytest.raises(EstateError, match="'tiny' is not a scale. Use one of full, small"):
        load_estate("2017-s09", "tiny")


def test_list_of_stacks_tells_unreadable_stages(stacks):
    """`stage list` may not show twenty stages and be silent about the one that it could not read."""
    spoil(stacks, {"file": "2017/stages.csv", "text": "9,2017-07-09,", "by": "9,9 July,"})
    with pytest.raises(EstateError, match=r"stages.csv: line 10.date"):
        list_stacks(stacks)
