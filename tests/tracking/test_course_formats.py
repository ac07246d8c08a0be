"""Courses in GeoJSON, GPX, TCX and FIT: one course whatever the format, and a sentence for what is none."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tracking.course import CourseError, read_course
from tracking.course.file import read_trace
from tracking.course.formats import MOST_BYTES

from tests.tracking.course_files import WRITERS, Drawn, Place, fit, geojson, gpx, north, on_road, tcx, write

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
FORMATS = list(WRITERS)


def refused(path: Path, official_km: float | None = None) -> str:
    """The sentences that a file is refused with."""
    with pytest.raises(CourseError) as caught:
        read_course(path, official_km)
    assert all(m.file == path.name and m.field and m.reason and m.remedy for m in caught.value.mistakes)
    return str(caught.value)


@pytest.fixture(scope="module")
def alpe() -> Drawn:
    """A real mountain stage, with a sprint, a named climb and a checkpoint."""
    trace = read_trace(COURSES / "2022-12.geojson")
    course = read_course(COURSES / "2022-12.geojson")

    def place(kind: str, name: str, km: float, category: str = "") -> Place:
        at = int(km * 1000 / course.step_m)
        return Place(kind, name, float(course.lat[at]), float(course.lon[at]), km, category)

    places = (place("checkpoint", "", 60.0), place("sprint", "", 74.0), place("climb", "", 163.5, "HC"))
    points = np.column_stack((trace.lon, trace.lat, trace.elevation))
    return Drawn(points, trace.official_km, "Briançon → Alpe d'Huez", places)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_course_is_the_same_in_every_format(tmp_path: Path, alpe: Drawn, kind: str) -> None:
    """Guards: a road, a profile or a distance that depends on the program that exported it."""
    course = read_course(write(tmp_path, alpe, kind), official_km=165.1)
    real = read_course(COURSES / "2022-12.geojson")
    assert (course.start, course.finish, course.length_m) == ("Briançon", "Alpe d'Huez", real.length_m)
    assert np.abs(course.x - real.x).max() < 15
    assert np.abs(course.elevation - real.elevation).max() < 3
    assert len(course.climbs) == len(real.climbs)
    assert [round(sprint.at_m) for sprint in course.sprints] == [74_000]
    assert course.climbs[-1].category == "HC"


@pytest.mark.parametrize("kind", ["gpx", "tcx"])
def test_what_the_file_says_needs_no_argument(tmp_path: Path, alpe: Drawn, kind: str) -> None:
    """Guards: an official distance in the file that is asked for again."""
    assert read_course(write(tmp_path, alpe, kind)).official_km == 165.1


@pytest.mark.parametrize("kind", FORMATS)
def test_an_argument_goes_before_what_the_file_says(tmp_path: Path, kind: str) -> None:
    """Guards: a corrected distance that the file overrules."""
    assert read_course(write(tmp_path, north(20), kind), official_km=20.4).length_m == pytest.approx(20_400)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_course_without_its_official_distance_says_how_to_give_it(tmp_path: Path, kind: str) -> None:
    """Guards: the trace's own length taken for the official one in silence."""
    path = write(tmp_path, replace(north(20), official_km=None), kind)
    assert "official_km: is missing. Give the official distance there, or with --official-km" in refused(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_another_stages_distance_is_refused_in_every_format(tmp_path: Path, kind: str) -> None:
    """Guards: the check against mislabelled traces holding for one format only."""
    assert "official_km: says 25 km but the trace measures 20.0 km, -20%" in refused(
        write(tmp_path, north(20), kind), official_km=25
    )


def swapped(points: np.ndarray) -> np.ndarray:
    return points[:, [1, 0, 2]]


def with_a_hole(points: np.ndarray) -> np.ndarray:
    return np.delete(points, slice(50, 75), axis=0)


def off_the_earth(points: np.ndarray) -> np.ndarray:
    points[9, 1] = 95
    return points


def with_a_cliff(points: np.ndarray) -> np.ndarray:
    points[70:, 2] += 800
    return points


BROKEN = {
    swapped: "longitude and latitude are swapped",
    with_a_hole: "[49]: the next point is 2.6 km away: a part of the course is missing",
    off_the_earth: "[9]: 1 points lie outside of -180..180, -90..90 degrees",
    with_a_cliff: "[69]: elevation changes by 800 m in 100 m of road (1 such places)",
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("spoil", "sentence"), BROKEN.items())
def test_what_is_no_road_is_refused_in_every_format(tmp_path: Path, kind: str, spoil, sentence: str) -> None:
    """Guards: a check that one reader goes around."""
    points = spoil(north(20).points)
    assert sentence in refused(write(tmp_path, Drawn(points, 20.0), kind), official_km=20)


@pytest.mark.parametrize("kind", ["geojson", "gpx", "tcx"])
@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_a_place_that_is_no_number_is_refused(tmp_path: Path, kind: str, number: str) -> None:
    """Guards: one NaN that spreads over the whole road."""
    path = tmp_path / f"course.{kind}"
    path.write_bytes(re.sub(rb"45\.000899\d*", number.encode(), WRITERS[kind](north(20)), count=1))
    assert "[1]: is not a number (NaN or infinite)" in refused(path)


@pytest.mark.parametrize(("kind", "text"), [("gpx", b"ele"), ("tcx", b"AltitudeMeters")])
def test_points_without_elevation_are_refused_with_a_remedy(tmp_path: Path, kind: str, text: bytes) -> None:
    """Guards: a flat stage where the planner left the mountains out."""
    path = tmp_path / f"flat.{kind}"
    path.write_bytes(WRITERS[kind](north(20)).replace(text, b"x"))
    assert "[0]: 201 points have no elevation. Have a route planner add the elevation" in refused(path)


def test_a_recording_may_begin_before_there_is_a_position(tmp_path: Path) -> None:
    """Guards: refusing every recorded ride, because receivers need a minute under the sky."""
    path = tmp_path / "ride.tcx"
    point = b"<Trackpoint><Time>2022-07-14T11:00:00Z</Time></Trackpoint>"
    path.write_bytes(tcx(north(20)).replace(b"<Track>", b"<Track>" + point, 1))
    assert read_course(path).official_km == 20


def test_an_activity_is_a_course_too(tmp_path: Path) -> None:
    """Guards: only planned courses being read, when most files are recorded rides."""
    text = tcx(north(20)).replace(b"Courses>", b"Activities>").replace(b"<Track>", b"<Lap><Track>")
    text = text.replace(b"</Track>", b"</Track></Lap>").replace(b"<Course>", b'<Activity Sport="Biking">')
    path = tmp_path / "ride.tcx"
    path.write_bytes(text.replace(b"</Course>", b"</Activity>"))
    assert read_course(path).official_km == 20


def test_a_route_is_a_course_where_there_is_no_track(tmp_path: Path) -> None:
    """Guards: a planner's GPX refused as empty."""
    text = gpx(north(20)).replace(b"<trkseg>", b"").replace(b"</trkseg>", b"")
    path = tmp_path / "route.gpx"
    path.write_bytes(text.replace(b"trkpt", b"rtept").replace(b"trk>", b"rte>"))
    assert read_course(path).official_km == 20


def test_waypoints_with_their_kilometre_in_words_are_checkpoints(tmp_path: Path) -> None:
    """Guards: warping only for those who can write extensions into a GPX."""
    place = on_road(north(20), 10_000, name="The bridge")
    text = gpx(replace(north(20), places=(place,))).replace(b"<type>checkpoint", b"<desc>km 10.3</desc><type>")
    path = tmp_path / "course.gpx"
    path.write_bytes(text)
    assert read_trace(path).knots[1] == pytest.approx((10_000, 10_300), abs=1)


def single_feature(document: dict) -> dict:
    return document["features"][0]


def in_parts(document: dict) -> dict:
    points = document["features"][0]["geometry"]["coordinates"]
    parts = [points[:80], points[80:81], points[80:]]
    document["features"][0]["geometry"] = {"type": "MultiLineString", "coordinates": parts}
    return document


@pytest.mark.parametrize("change", [single_feature, in_parts])
def test_geojson_may_be_one_feature_or_a_line_in_parts(tmp_path: Path, change) -> None:
    """Guards: refusing what other programs write for the same road."""
    path = tmp_path / "course.geojson"
    path.write_text(json.dumps(change(json.loads(geojson(north(20))))))
    course = read_course(path)
    assert course.traced_km == pytest.approx(20, abs=0.001)


def test_parts_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    """Guards: a straight line through the fields between two parts in the wrong order."""
    document = json.loads(geojson(north(20)))
    points = document["features"][0]["geometry"]["coordinates"]
    document["features"][0]["geometry"] = {"type": "MultiLineString", "coordinates": [points[100:], points[:100]]}
    path = tmp_path / "course.geojson"
    path.write_text(json.dumps(document))
    assert "coordinates[101]: a part of the line begins 20.0 km from where the part before it ends" in refused(path)


def with_feature(feature: object) -> str:
    document = json.loads(geojson(north(20)))
    document["features"].append(feature)
    return json.dumps(document)


def point(coordinates: object, **said: object) -> dict:
    return {"type": "Feature", "properties": said, "geometry": {"type": "Point", "coordinates": coordinates}}


def with_properties(**said: object) -> str:
    document = json.loads(geojson(north(20)))
    document["features"][0]["properties"].update(said)
    return json.dumps(document)


BAD_GEOJSON = {
    "two lines": (with_feature(json.loads(geojson(north(20)))["features"][0]), "exactly one line but with 2"),
    "a polygon beside": (
        with_feature({"type": "Feature", "geometry": {"type": "Polygon"}}),
        "features[1]: is neither the course nor a Point",
    ),
    "a number for a feature": (with_feature(7), "features: is not a FeatureCollection"),
    "an unknown mark": (with_feature(point([5, 45.1], type="feed")), "features[1].properties.type: is 'feed'"),
    "an odd category": (with_feature(point([5, 45.1], type="climb", category="5")), "is '5', not a category"),
    "a checkpoint of no distance": (with_feature(point([5, 45.1])), "the checkpoint has no official distance"),
    "a distance in words": (with_feature(point([5, 45.1], official_km="far")), "is 'far', not a distance"),
    "a mark off the earth": (with_feature(point([5, 95], official_km=3)), "is no place on the earth"),
    "a mark in the fields": (with_feature(point([5.1, 45.1], official_km=11)), "lies more than 100 m from the road"),
    "a sprint in the fields": (with_feature(point([5.1, 45.1], type="sprint")), "is not on the raced road"),
    "a sprint that is no list": (with_properties(sprints=3), "properties.sprints: is not a list"),
    "a sprint of no place": (
        with_properties(sprints=[{"name": "S"}]),
        "sprints[0]: the sprint has no place",
    ),
    "a sprint too far": (with_properties(sprints=[{"km": 30}]), "the sprint is not on the raced road"),
    "half a letter": (with_properties(start="\ud800"), "properties.start: is missing"),
    "a number of a town": (with_properties(kind=3), "properties.kind: is not text"),
    "a huge number": (with_properties(year=10**30), "properties.year: is 1000"),
    "a neutral zone of words": (with_properties(neutral_km="long"), "neutral_km: is 'long', not a distance"),
    "a neutral zone too long": (with_properties(neutral_km=19), "official_km: says 20 km but the trace measures 1.0"),
    "nested too deeply": ("[" * 200_000, "file: is nested too deeply"),
    "a number of many digits": ("[" + "9" * 5000 + "]", "thousands of digits"),
    "no geometry": (json.dumps({"type": "Feature", "properties": {}, "geometry": {}}), "geometry.type: is None"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_GEOJSON.values(), ids=BAD_GEOJSON.keys())
def test_what_stands_beside_the_line_is_checked_too(tmp_path: Path, text: str, sentence: str) -> None:
    """Guards: a mark that is dropped in silence, or a traceback for it."""
    path = tmp_path / "bad.geojson"
    path.write_text(text)
    assert sentence in refused(path)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE gpx SYSTEM "file:///etc/passwd">"""


@pytest.mark.parametrize("head", [BOMB, OUTSIDE])
@pytest.mark.parametrize("kind", ["gpx", "tcx"])
def test_entities_are_never_expanded(tmp_path: Path, kind: str, head: bytes) -> None:
    """Guards: a small file that fills the memory, or that reads another file of the machine."""
    body = WRITERS[kind](north(20)).partition(b"?>")[2]
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(head + body.replace(b"A ", b"&b;", 1))
    assert "file: declares a document type or entities" in refused(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_cut_short_is_refused(tmp_path: Path, kind: str) -> None:
    """Guards: half a stage read as a whole one."""
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(WRITERS[kind](north(20))[:-400])
    assert "cut." in refused(path, official_km=20)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_a_file_holds_must_agree_with_its_name(tmp_path: Path, kind: str) -> None:
    """Guards: an error about JSON for a file that never was JSON."""
    other = "gpx" if kind != "gpx" else "fit"
    path = tmp_path / f"renamed.{other}"
    path.write_bytes(WRITERS[kind](north(20)))
    names = {"geojson": "GeoJSON", "gpx": "GPX", "tcx": "TCX", "fit": "FIT"}
    assert f"file: is called .{other} but holds {names[kind]}. Rename it" in refused(path)


def test_a_name_that_says_no_format_is_refused(tmp_path: Path) -> None:
    """Guards: guessing."""
    path = tmp_path / "course.kml"
    path.write_text("<kml/>")
    assert "ends in '.kml', not in one of .geojson, .json, .gpx, .tcx, .fit" in refused(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path, kind: str) -> None:
    """Guards: a service that dies of one upload."""
    path = tmp_path / f"huge.{kind}"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert f"file: is larger than {MOST_BYTES // 2**20} MB" in refused(path)


@pytest.mark.parametrize("kind", ["gpx", "tcx"])
def test_many_declarations_of_namespaces_are_refused_at_once(tmp_path: Path, kind: str) -> None:
    """Guards: a library's search that takes hours on a file made for it."""
    path = tmp_path / f"slow.{kind}"
    path.write_bytes(WRITERS[kind](north(20)).replace(b"A ", b" xmlns" * 500_000, 1))
    assert "declares more than 64 namespaces" in refused(path)


@pytest.mark.parametrize("kind", ["gpx", "tcx"])
def test_deeply_nested_elements_are_no_crash(tmp_path: Path, kind: str) -> None:
    """Guards: the interpreter's stack."""
    path = tmp_path / f"deep.{kind}"
    deep = b"<x>" * 50_000 + b"</x>" * 50_000
    path.write_bytes(WRITERS[kind](north(20)).replace(b"</official_km>", b"</official_km>" + deep, 1))
    assert read_course(path).official_km == 20


def test_a_damaged_fit_file_is_told_by_its_checksum(tmp_path: Path) -> None:
    """Guards: a flipped bit that moves a mountain."""
    content = bytearray(fit(north(20)))
    content[len(content) // 2] ^= 0x10
    path = tmp_path / "damaged.fit"
    path.write_bytes(content)
    assert "file: is damaged" in refused(path, official_km=20)
