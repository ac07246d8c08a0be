"""Courses: what is read, what is refused, and how the road is laid out in official metres."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tracking.course import CourseError, read_course
from tracking.course.file import segment_lengths

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
ALL = sorted(COURSES.glob("*.geojson"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_real_course_measures_its_official_distance(path: Path) -> None:
    """Guards: kilometres on the page that differ from the road book's."""
    course = read_course(path)
    assert course.distance[0] == 0
    assert course.distance[-1] == pytest.approx(course.official_km * 1000)
    assert np.allclose(np.diff(course.distance), course.step_m)
    assert course.step_m == pytest.approx(5.0, abs=0.01)
    assert abs(course.traced_km / course.official_km - 1) < 0.01


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_the_resampled_road_is_the_traced_road(path: Path) -> None:
    """Guards: corners cut or latitude and longitude mixed up while resampling."""
    course = read_course(path)
    resampled_km = segment_lengths(course.lon, course.lat).sum() / 1000
    assert resampled_km == pytest.approx(course.traced_km, rel=0.01)
    flat_km = np.hypot(np.diff(course.x), np.diff(course.y)).sum() / 1000
    assert flat_km == pytest.approx(resampled_km, rel=0.01)


def test_gradient_follows_the_profile() -> None:
    """Guards: a gradient with the wrong sign, or the noise of whole-metre elevations."""
    course = read_course(COURSES / "2023-09.geojson")
    summit = slice(-int(4000 / course.step_m), None)
    rise = course.elevation[-1] - course.elevation[summit][0]
    assert course.gradient[summit].mean() == pytest.approx(rise / 4000, rel=0.03)
    assert 0.1 < course.gradient[summit].mean() < 0.13


def test_the_climbs_that_everyone_knows_are_found() -> None:
    """Guards: a mountain stage without its mountains, or a climb that begins kilometres too early."""
    galibier, *_, alpe = read_course(COURSES / "2022-12.geojson").climbs
    assert galibier.category == "HC"
    assert alpe.category == "HC"
    assert alpe.to_m - alpe.from_m == pytest.approx(13_000, abs=1500)
    assert alpe.mean_gradient == pytest.approx(0.081, abs=0.01)
    assert not read_course(COURSES / "2022-01.geojson").climbs


def test_a_course_carries_its_source() -> None:
    """Guards: showing a course without the attribution that its licence asks for."""
    assert "ODbL" in read_course(COURSES / "2023-09.geojson").attribution


def straight(points: int = 200, official_km: float | None = None) -> dict:
    """A course of 100 m steps to the north."""
    line = [[5.0, 45.0 + i * 100 / 111_195, 300.0 + i % 7] for i in range(points)]
    properties = {"start": "A", "finish": "B", "official_km": official_km or (points - 1) / 10}
    geometry = {"type": "LineString", "coordinates": line}
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    return {"type": "FeatureCollection", "features": [feature]}


def change(edit: Callable[[dict, list], object]) -> str:
    """The straight course with its feature and its points edited in place."""
    document = straight()
    edit(document["features"][0], document["features"][0]["geometry"]["coordinates"])
    return json.dumps(document)


def set_point(feature: dict, points: list, index: int, value: list) -> None:
    points[index] = value


BAD = {
    "not json": ("{", "line 1: is not JSON"),
    "a list": ("[]", "features: is not a FeatureCollection"),
    "a polygon": (change(lambda f, p: f["geometry"].update(type="Polygon")), "geometry.type: is 'Polygon'"),
    "few points": (change(lambda f, p: p.__delitem__(slice(20, None))), "has 20 points, too few for a course"),
    "words": (change(lambda f, p: set_point(f, p, 3, ["a", "b", 1])), "coordinates[3]: 1 points are not [longitude"),
    "no elevation": (change(lambda f, p: [point.pop() for point in p]), "coordinates[0]: 200 points have no elevation"),
    "nan": (change(lambda f, p: set_point(f, p, 7, [float("nan"), 45, 3])), "coordinates[7]: is not a number"),
    "swapped": (change(lambda f, p: [point.insert(0, point.pop(1)) for point in p]), "latitude are swapped"),
    "off the earth": (change(lambda f, p: set_point(f, p, 9, [5, 95, 3])), "coordinates[9]: 1 points lie outside"),
    "in the sky": (change(lambda f, p: set_point(f, p, 9, [5.0, 45.008, 9999])), "elevation 9999 m is on no road"),
    "a hole": (change(lambda f, p: p.__delitem__(slice(50, 75))), "coordinates[49]: the next point is 2.6 km away"),
    "another stage": (change(lambda f, p: f["properties"].update(official_km=25)), "the trace measures 19.9 km, -20%"),
    "no distance": (change(lambda f, p: f["properties"].pop("official_km")), "properties.official_km: is missing"),
    "no start": (change(lambda f, p: f["properties"].pop("start")), "properties.start: is missing"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_course_is_refused_with_its_reason(tmp_path: Path, text: str, sentence: str) -> None:
    """Guards: a traceback, a silent wrong road, or a reason that does not lead to the fault."""
    path = tmp_path / "bad.geojson"
    path.write_text(text)
    with pytest.raises(CourseError) as caught:
        read_course(path)
    assert f"bad.geojson: {sentence}" in str(caught.value) or sentence in str(caught.value)
    assert all(m.file == "bad.geojson" and m.field and m.reason and m.remedy for m in caught.value.mistakes)


def test_a_missing_course_is_a_sentence(tmp_path: Path) -> None:
    """Guards: FileNotFoundError reaching the user."""
    with pytest.raises(CourseError, match="none.geojson: file: cannot be read"):
        read_course(tmp_path / "none.geojson")


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    """Guards: mending a file one error at a time."""
    document = straight()
    document["features"][0]["properties"] = {"official_km": "far"}
    document["features"][0]["geometry"]["type"] = "Point"
    path = tmp_path / "bad.geojson"
    path.write_text(json.dumps(document))
    with pytest.raises(CourseError) as caught:
        read_course(path)
    assert [m.field for m in caught.value.mistakes] == [
        "properties.start",
        "properties.finish",
        "properties.official_km",
        "geometry.type",
    ]


def test_length_is_accepted_up_to_the_tolerance(tmp_path: Path) -> None:
    """Guards: refusing a course for the usual small difference between trace and road book."""
    path = tmp_path / "near.geojson"
    path.write_text(json.dumps(straight(official_km=19.9 / 1.07)))
    assert read_course(path).length_m == pytest.approx(19_900 / 1.07)
    path.write_text(json.dumps(straight(official_km=19.9 / 1.09)))
    with pytest.raises(CourseError, match="more than 8% off"):
        read_course(path)
