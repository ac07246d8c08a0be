"""Course files that were damaged or made to do harm: a course or a sentence comes out, and nothing else."""

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from garmin_fit_sdk import CrcCalculator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking.course import CourseError, read_course

from tests.tracking.course_files import WRITERS, Drawn, geojson, north, on_road

FUZZED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TOKENS = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b'"',
    b"<",
    b"]]>",
    b"&a;",
    b"<!DOCTYPE gpx>",
    b"[[[[",
    b"null",
    b"-1",
    b"km 5",
    b"climb HC",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "name", "km"]), inner),
    max_leaves=8,
)


def drawn() -> Drawn:
    """A short course with one of each mark."""
    road = north(3, 50)
    places = (
        on_road(road, 1000, km=1.01),
        on_road(road, 1500, "sprint", "S"),
        on_road(road, 2000, "climb", "C", km=2.0, category="HC"),
    )
    return Drawn(road.points, 3.0, places=places)


@cache
def written(kind: str) -> bytes:
    return WRITERS[kind](drawn())


def judged(path: Path, *told: Any) -> None:
    """Read as anybody's file would be, with what is told beside it."""
    read, mistakes = [], ()
    try:
        read.append(read_course(path, 3.0, *told))
    except CourseError as error:
        mistakes = error.mistakes
        str(error).encode()
    assert read or mistakes
    assert all(m.file == path.name and m.field and m.reason and m.remedy for m in mistakes)
    for course in read:
        assert (np.diff(course.distance) > 0).all()
        for column in (course.lat, course.lon, course.elevation, course.gradient, course.x, course.y):
            assert np.isfinite(column).all()


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[float, float, bytes]]:
    """(from, length, instead), the first two as shares of the file."""
    change = st.tuples(st.floats(0, 1), st.floats(0, 0.02), st.sampled_from(TOKENS) | st.binary(max_size=4))
    return draw(st.lists(change, max_size=6))


def damaged(content: bytes, changes: list[tuple[float, float, bytes]]) -> bytes:
    for at, length, instead in changes:
        first = int(at * len(content))
        content = content[:first] + instead + content[first + int(length * len(content)) :]
    return content


@pytest.mark.parametrize("kind", sorted(WRITERS))
@FUZZED
@given(changes=damages(), cut=st.floats(0, 2))
def test_a_damaged_file_gives_a_course_or_a_sentence(
    tmp_path: Path, kind: str, changes: list[tuple[float, float, bytes]], cut: float
) -> None:
    """Guards: a traceback, or a road of no numbers, out of a file that was cut short or changed on its way."""
    content = damaged(written(kind), changes)
    path = tmp_path / f"course.{kind}"
    path.write_bytes(content[: int(cut * len(content))])
    judged(path)


@FUZZED
@given(changes=damages())
def test_a_fit_file_that_was_made_to_do_harm_has_a_right_checksum(
    tmp_path: Path, changes: list[tuple[float, float, bytes]]
) -> None:
    """Guards: a fuzz that never comes past the checksum."""
    body = damaged(written("fit")[14:-2], changes)
    header = written("fit")[:4] + struct.pack("<I", len(body)) + b".FIT"
    header += struct.pack("<H", CrcCalculator.calculate_crc(header, 0, len(header)))
    content = header + body
    path = tmp_path / "course.fit"
    path.write_bytes(content + struct.pack("<H", CrcCalculator.calculate_crc(content, 0, len(content))))
    judged(path)


@FUZZED
@given(steps=st.lists(st.integers(0, 200), min_size=1, max_size=6), value=json_values)
def test_any_value_in_any_place_of_a_geojson_is_judged(tmp_path: Path, steps: list[int], value: Any) -> None:
    """Guards: a field of another kind than everybody else's."""
    document = json.loads(geojson(drawn()))
    at: Any = document
    for i, step in enumerate(steps):
        key = list(at)[step % len(at)] if isinstance(at, dict) else step % len(at)
        if i == len(steps) - 1 or not isinstance(at[key], dict | list) or not at[key]:
            at[key] = value
            break
        at = at[key]
    path = tmp_path / "course.geojson"
    path.write_text(json.dumps(document))
    judged(path)


@FUZZED
@given(
    checkpoints=st.lists(
        st.tuples(st.floats() | st.tuples(st.floats(), st.floats()) | st.floats(0, 3), st.floats() | st.floats(0, 3)),
        max_size=5,
    ),
    neutral_km=st.none() | st.floats(),
)
def test_any_road_book_is_judged(tmp_path: Path, checkpoints: list, neutral_km: float | None) -> None:
    """Guards: arguments that go past the checks which the same words in a file would meet."""
    path = tmp_path / "course.gpx"
    path.write_bytes(written("gpx"))
    judged(path, checkpoints, neutral_km)
