"""Courses of the estate: every format that says its official distance may stand in stages.csv."""

import shutil
from pathlib import Path

import pytest

from infra.estate.courses import finish_on
from infra.estate.load import STACKS, load_estate
from infra.estate.model import Finish
from tests.tracking.course_files import north, write


@pytest.mark.parametrize("kind", ["geojson", "gpx", "tcx"])
def test_a_stage_may_be_ridden_on_a_course_of_any_format(kind: str, tmp_path: Path) -> None:
    """Guards: a road book in GPX that the tracking reads and the estate says is not there."""
    stacks = tmp_path / "stacks"
    shutil.copytree(STACKS, stacks, ignore=shutil.ignore_patterns("Pulumi.*"))
    course = write(stacks / "courses", north(20.0, slope=0.06), kind)
    table = stacks / "2017" / "stages.csv"
    lines = table.read_text().splitlines()
    assert lines[9].startswith("9,")
    lines[9] = f"{lines[9].rpartition(',')[0]},{course.name}"
    table.write_text("\n".join(lines) + "\n")

    stage = load_estate("2017-s09", root=stacks).stage
    assert stage is not None
    assert stage.course == course.name
    assert finish_on(stacks / "courses", course.name) is Finish.SUMMIT
