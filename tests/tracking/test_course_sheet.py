"""The command that shows a course: what it prints, and how it fails."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.tracking.course_files import north, on_road, write

COURSES = Path(__file__).parents[2] / "stacks" / "courses"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracking.course", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_sheet_says_what_positioning_will_take_from_the_file() -> None:
    """Guards: finding out at the start that the laps or the length were read wrongly."""
    done = run(COURSES / "2022-21.geojson")
    assert done.returncode == 0
    assert "length    115.6 km; the trace measures 115.123 km, scale 1.00415" in done.stdout
    assert "laps      8 of 6.76 km from km 59.8" in done.stdout
    assert "ODbL" in done.stdout


def test_the_sheet_as_json_has_the_marks_and_the_neutral_zone(tmp_path: Path) -> None:
    """Guards: a program that has to read what was written for people."""
    drawn = replace(north(26), official_km=None, places=(on_road(north(1), 16_000, "sprint", "The bridge"),))
    path = write(tmp_path, drawn, "gpx")
    done = run(path, "--official-km", 20, "--neutral-km", 6, "--checkpoint", "11=5.1", "--json")
    sheet = json.loads(done.stdout)
    assert (sheet["official_km"], sheet["neutral_km"], sheet["scale"]) == (20, 6, 1)
    (sprint,) = sheet["sprints"]
    assert sprint["name"] == "The bridge"
    assert 10.0 < sprint["km"] < 10.1


def test_every_mistake_is_printed_and_the_status_is_two(tmp_path: Path) -> None:
    """Guards: a script that goes on with a course that cannot be used."""
    path = write(tmp_path, replace(north(26), official_km=None), "tcx")
    wrong = (path, "--checkpoint", "45.1,5.1=3", "--checkpoint", "45.1,5.2=4", "--official-km", 26)
    done = run(*wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("lies more than 100 m from the road") == 2
    done = run(*wrong, "--json")
    assert done.returncode == 2
    assert len(json.loads(done.stdout)["mistakes"]) == 2


def test_a_checkpoint_that_is_no_place_is_a_wrong_call() -> None:
    """Guards: a traceback for a slip on the command line."""
    done = run(COURSES / "2022-21.geojson", "--checkpoint", "here=3")
    assert done.returncode == 2
    assert "invalid _checkpoint value" not in done.stderr
    assert "argument --checkpoint" in done.stderr
    assert "Traceback" not in done.stderr
