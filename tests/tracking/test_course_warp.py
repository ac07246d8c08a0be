"""Official kilometres: through checkpoints, behind a neutral start, on laps; and laws that hold for any course."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking.course import Course, CourseError, build_course, read_course
from tracking.course.file import Checkpoint, Trace, read_trace
from tracking.course.geometry import EARTH_RADIUS_M, segment_lengths

from tests.tracking.course_files import WRITERS, Drawn, Place, north, on_road, write
from tests.tracking.rides import course

COURSES = Path(__file__).parents[2] / "stacks" / "courses"


def refused(path: Path, *arguments: object) -> str:
    with pytest.raises(CourseError) as caught:
        read_trace(path, *arguments)
    return str(caught.value)


def place_at(road: Course, km: float) -> tuple[float, float]:
    """(latitude, longitude) at an official distance of a course."""
    return tuple(float(np.interp(km * 1000, road.distance, column)) for column in (road.lat, road.lon))


def test_a_checkpoint_is_at_its_official_kilometre(tmp_path: Path) -> None:
    """Guards: a banner of 10 km to go that stands where the page says 10.3."""
    drawn = north(20)
    drawn = replace(drawn, places=(on_road(drawn, 8_000, km=8.3), on_road(drawn, 15_000, km=15.1)))
    road = read_course(write(tmp_path, drawn, "geojson"))
    for traced_m, official_m in ((0, 0), (8_000, 8_300), (15_000, 15_100), (20_000, 20_000)):
        lat = 45 + np.degrees(traced_m / EARTH_RADIUS_M)
        assert np.interp(lat, road.lat, road.distance) == pytest.approx(official_m, abs=0.5)


def test_checkpoints_may_be_given_by_place_or_by_kilometre_along_the_trace(tmp_path: Path) -> None:
    """Guards: needing to edit a file for a road book that came later."""
    drawn = north(20)
    place = on_road(drawn, 15_000)
    given: list[Checkpoint] = [((place.lat, place.lon), 15.1), (8.0, 8.3)]
    trace = read_trace(write(tmp_path, drawn, "gpx"), None, given)
    assert np.array(trace.knots) == pytest.approx(
        np.array([(0, 0), (8000, 8300), (15000, 15100), (20000, 20000)]), abs=1
    )


WRONG: dict[str, tuple[list[Checkpoint], str]] = {
    "off the road": ([((45.05, 5.01), 5.5)], "checkpoints[0]: the checkpoint lies more than 100 m from the road"),
    "beyond the trace": ([(25.0, 15.0)], "checkpoints[0]: the checkpoint is 25 km along a trace of 20.0 km"),
    "beyond the finish": ([(15.0, 25.0)], "checkpoints[0]: the checkpoint has the official distance 25 km, beyond"),
    "not rising": ([(12.0, 8.0), (8.0, 12.0)], "checkpoints[1]: the checkpoint lies before the checkpoint on the road"),
    "at the finish too early": ([(20.0, 15.0)], "checkpoints[0]: the checkpoint lies at or behind the finish"),
    "at the start too late": ([(0.0, 5.0)], "checkpoints[0]: the checkpoint lies before the start on the road"),
    "twice at one distance": ([(8.0, 8.0), (12.0, 8.0)], "have the same official distance but are 4.0 km apart"),
    "far from the scale": (
        [(8.0, 10.0)],
        "from the start to the checkpoint are 10.00 official km, but the trace measures",
    ),
    "not a number": ([(float("nan"), 8.0)], "checkpoints[0]: nan is no distance along the trace"),
    "not a distance": ([(8.0, float("inf"))], "checkpoints[0].official_km: is inf, not a distance"),
}


@pytest.mark.parametrize(("checkpoints", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_a_checkpoint_that_cannot_be_is_refused(tmp_path: Path, checkpoints: list, sentence: str) -> None:
    """Guards: a road that is stretched, folded or run backwards by one wrong line of a road book."""
    assert sentence in refused(write(tmp_path, north(20), "gpx"), None, checkpoints)


def test_every_wrong_checkpoint_is_told(tmp_path: Path) -> None:
    """Guards: mending a road book one line at a time."""
    path = write(tmp_path, north(20), "gpx")
    said = refused(path, None, [((45.05, 5.01), 5.5), (25.0, 15.0), (3.0, 30.0)])
    assert said.count("checkpoints[") == 3


@pytest.mark.parametrize("lap", range(1, 8))
def test_a_place_on_a_circuit_is_taken_on_its_own_lap(lap: int) -> None:
    """Guards: laps of no length and one of fifty kilometres, because all passages of the line lie at one place."""
    circuit = course("2022-21")
    (laps,) = circuit.laps
    kms = [(laps.from_m + 1000 + i * laps.length_m) / 1000 for i in range(lap)]
    given: list[Checkpoint] = [(place_at(circuit, km), km + 0.05) for km in kms]
    trace = read_trace(COURSES / "2022-21.geojson", None, given)
    scale = circuit.traced_km / circuit.official_km
    assert [traced for traced, _ in trace.knots[1:-1]] == pytest.approx([km * 1000 * scale for km in kms], abs=60)


def test_an_out_and_back_road_is_taken_on_its_own_leg(tmp_path: Path) -> None:
    """Guards: the way back taken for the way out."""
    out = north(10).points
    drawn = Drawn(np.concatenate((out, out[::-1])), 20.0)
    place = on_road(drawn, 8_000)
    for km, traced_m in ((8.1, 8_000), (12.1, 12_000)):
        trace = read_trace(write(tmp_path, drawn, "gpx"), None, [((place.lat, place.lon), km)])
        assert trace.knots[1] == pytest.approx((traced_m, km * 1000), abs=1)


def test_the_official_start_is_where_the_neutral_zone_ends(tmp_path: Path) -> None:
    """Guards: riders who are six kilometres into the race while they still roll through the town."""
    drawn = replace(north(26), official_km=20)
    with_place = replace(drawn, places=(on_road(drawn, 6_000, km=0.0),))
    for path, neutral_km in (
        (write(tmp_path, drawn, "gpx"), 6.0),
        (write(tmp_path, with_place, "geojson"), None),
        (write(tmp_path, with_place, "tcx"), None),
    ):
        road = read_course(path, None, None, neutral_km)
        assert road.neutral_m == pytest.approx(6_000, abs=1)
        assert (road.distance[0], road.length_m) == (0, pytest.approx(20_000))
        assert road.lat[0] == pytest.approx(45 + np.degrees(6_000 / EARTH_RADIUS_M), abs=1e-5)
        assert road.traced_km == pytest.approx(20, abs=0.001)
        assert (road.neutral_lat[0], road.neutral_lat[-1]) == (pytest.approx(45), road.lat[0])
        assert segment_lengths(road.neutral_lon, road.neutral_lat).max() < 6


def test_a_neutral_zone_counts_for_no_part_of_the_official_distance(tmp_path: Path) -> None:
    """Guards: refusing a right trace for being as much too long as its neutral zone."""
    path = write(tmp_path, replace(north(26), official_km=20), "gpx")
    assert "the trace measures 26.0 km, +30%" in refused(path)
    assert read_trace(path, None, None, 6.0).official_km == 20


def test_a_course_without_neutral_zone_has_none() -> None:
    """Guards: a road of no points that somebody draws."""
    road = course("2023-09")
    assert (road.neutral_m, len(road.neutral_lat), len(road.neutral_lon)) == (0, 0, 0)


def test_laps_are_found_where_there_are_some_and_nowhere_else() -> None:
    """Guards: a mountain road with hairpins that is ridden in laps, and the Champs-Élysées that are ridden once."""
    (laps,) = course("2022-21").laps
    assert laps.count == 8
    assert laps.length_m == pytest.approx(6_760, abs=30)
    assert laps.from_m + laps.count * laps.length_m < course("2022-21").length_m
    for stem in ("2022-01", "2022-04", "2022-12", "2023-09"):
        assert course(stem).laps == ()


@pytest.mark.parametrize(("metres", "rounds", "whole"), [(900, 12, 12), (3000, 2.5, 2), (5000, 1.4, 0), (4000, 1.0, 0)])
def test_whole_laps_are_counted(metres: float, rounds: float, whole: int) -> None:
    """Guards: half a lap that counts, and a finish that comes by the start once."""
    road = build_course(circle(metres, rounds))
    assert [laps.count for laps in road.laps] == ([whole] if whole else [])
    assert all(laps.length_m == pytest.approx(metres, rel=0.02) for laps in road.laps)


def circle(metres: float, rounds: float) -> Trace:
    """A round circuit, ridden so often."""
    angle = np.linspace(0, 2 * np.pi * rounds, round(rounds * metres / 20) + 1)
    reach = np.degrees(metres / (2 * np.pi) / EARTH_RADIUS_M)
    lat = 45 + reach * np.sin(angle)
    lon = 5 + reach * np.cos(angle) / np.cos(np.radians(45))
    return trace_of(np.column_stack((lon, lat, np.zeros(len(lat)))), rounds * metres / 1000)


def trace_of(points: np.ndarray, official_km: float) -> Trace:
    return Trace("A", "B", "road", 0, 0, official_km, "", *points.T)


def test_the_legs_of_hairpins_and_of_an_avenue_are_told() -> None:
    """Guards: tests of positioning that never come to a place where two roads lie side by side."""
    alpe = [each for each in course("2022-12").beside if each.from_m > 151_000]
    assert alpe
    assert all(each.opposite for each in alpe)
    avenue = course("2022-21")
    for each in avenue.beside:
        here, there = (np.searchsorted(avenue.distance, m) for m in (each.from_m, each.again_m))
        assert np.hypot(avenue.x[here] - avenue.x[there], avenue.y[here] - avenue.y[there]) < 80


def test_a_named_climb_keeps_its_profile_and_gets_its_name_and_category(tmp_path: Path) -> None:
    """Guards: two climbs for one mountain, or the organiser's category lost."""
    alpe = course("2022-12")
    trace = read_trace(COURSES / "2022-12.geojson")
    points = np.column_stack((trace.lon, trace.lat, trace.elevation))
    lat, lon = place_at(alpe, 85.2)
    drawn = Drawn(points, 165.1, places=(Place("climb", "Lacets", lat, lon, 85.2, "1"),))
    named = read_course(write(tmp_path, drawn, "geojson"))
    assert len(named.climbs) == len(alpe.climbs)
    (climb,) = (climb for climb in named.climbs if climb.name)
    assert (climb.name, climb.category, climb.gain_m) == ("Lacets", "1", alpe.climbs[2].gain_m)
    assert climb.to_m == pytest.approx(alpe.climbs[2].to_m, abs=5)


def test_a_summit_within_a_longer_climb_is_a_climb_of_its_own(tmp_path: Path) -> None:
    """Guards: the col on the way to the Galibier that takes its name, or that is lost in it."""
    alpe, trace = course("2022-12"), read_trace(COURSES / "2022-12.geojson")
    lat, lon = place_at(alpe, 25.0)
    points = np.column_stack((trace.lon, trace.lat, trace.elevation))
    col = Place("climb", "Col", lat, lon, 25.0, "2")
    climbs = read_course(write(tmp_path, Drawn(points, 165.1, places=(col,)), "gpx")).climbs
    assert len(climbs) == len(alpe.climbs) + 1
    (climb,) = (each for each in climbs if each.name)
    assert (climb.to_m, climb.category) == (pytest.approx(25_000), "2")
    assert alpe.climbs[0].from_m <= climb.from_m < 24_000


def test_a_named_climb_that_the_profile_hardly_shows_is_one_all_the_same(tmp_path: Path) -> None:
    """Guards: points for the mountains' jersey on a hill that the page does not know."""
    metres = np.arange(0, 20_001, 100.0)
    points = north(20).points
    points[:, 2] = 100 + 60 * np.exp(-(((metres - 12_000) / 800) ** 2))
    drawn = Drawn(points, 20)
    hill = on_road(drawn, 12_000, "climb", "Côte", category="4")
    (climb,) = read_course(write(tmp_path, replace(drawn, places=(hill,)), "gpx")).climbs
    assert (climb.name, climb.category) == ("Côte", "4")
    assert climb.to_m == pytest.approx(12_000, abs=1)
    assert 10_000 < climb.from_m < 11_800
    assert 0.02 < climb.mean_gradient < 0.07


climbing = st.floats(-0.2, 0.2)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """A road that turns at every point, of uneven spacing, and an official distance a little off."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    step = chance.uniform(10, draw(st.floats(11, 150)), draw(st.integers(60, 300)))
    heading = np.cumsum(chance.uniform(-1, 1, len(step)) * draw(st.floats(0, 0.8)))
    north_m = np.concatenate(([0.0], np.cumsum(step * np.cos(heading))))
    east_m = np.concatenate(([0.0], np.cumsum(step * np.sin(heading))))
    lat = 45 + np.degrees(north_m / EARTH_RADIUS_M)
    lon = 5 + np.degrees(east_m / EARTH_RADIUS_M) / np.cos(np.radians(45))
    up = np.concatenate(([200.0], 200 + np.cumsum(step * draw(climbing))))
    official_km = float(segment_lengths(lon, lat).sum()) / 1000 * draw(st.floats(0.95, 1.05))
    return trace_of(np.column_stack((lon, lat, up)), official_km)


@settings(deadline=None)
@given(trace=traces())
def test_a_resampled_road_keeps_its_ends_and_its_even_steps(trace: Trace) -> None:
    """Guards: a start or a finish that is lost between two steps."""
    road = build_course(trace)
    for ours, drawn in ((road.lat, trace.lat), (road.lon, trace.lon), (road.elevation, trace.elevation)):
        assert (ours[0], ours[-1]) == (pytest.approx(drawn[0]), pytest.approx(drawn[-1]))
    assert (road.distance[0], road.distance[-1]) == (0, pytest.approx(trace.official_km * 1000))
    assert np.allclose(np.diff(road.distance), road.step_m)
    assert road.step_m == pytest.approx(5, rel=0.01)
    for column in ("lat", "lon", "elevation", "gradient", "x", "y"):
        assert np.isfinite(getattr(road, column)).all()
        assert len(getattr(road, column)) == len(road.distance)


@settings(deadline=None)
@given(trace=traces(), at=st.lists(st.floats(0.01, 0.99), max_size=6, unique=True), off=st.floats(-0.3, 0.3))
def test_a_warp_rises_and_passes_through_its_checkpoints(trace: Trace, at: list[float], off: float) -> None:
    """Guards: a rider who goes backwards in official kilometres while riding on."""
    whole = float(segment_lengths(trace.lon, trace.lat).sum())
    traced = np.array([0.0, *sorted(share * whole for share in at), whole])
    official = np.interp(
        traced, [0, whole / 2, whole], [0, (0.5 + off) * 1000 * trace.official_km, trace.official_km * 1000]
    )
    knots = tuple(zip(traced.tolist(), official.tolist(), strict=True))
    warped, plain = build_course(replace(trace, knots=knots)), build_course(replace(trace, official_km=whole / 1000))
    for traced_m, official_m in knots:
        here = [np.interp(official_m, warped.distance, column) for column in (warped.lat, warped.lon)]
        there = [np.interp(traced_m, plain.distance, column) for column in (plain.lat, plain.lon)]
        assert np.hypot(*(np.subtract(here, there) * EARTH_RADIUS_M * np.pi / 180)) < 15


@settings(deadline=None)
@given(slope=climbing, km=st.floats(1, 30), step_m=st.floats(5, 100))
def test_the_gradient_of_a_constant_slope_is_exact(slope: float, km: float, step_m: float) -> None:
    """Guards: smoothing that bends what is straight, most of all at both ends."""
    points = north(max(km, step_m * 50 / 1000), step_m).points
    along = np.concatenate(([0.0], np.cumsum(segment_lengths(points[:, 0], points[:, 1]))))
    points[:, 2] = 1000 + slope * along
    road = build_course(trace_of(points, along[-1] / 1000))
    assert np.abs(road.gradient - slope).max() < 1e-6


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trace=traces(), kind=st.sampled_from(sorted(WRITERS)))
def test_any_course_survives_any_format(tmp_path: Path, trace: Trace, kind: str) -> None:
    """Guards: a writer's rounding, or a reader's, that moves the road."""
    points = np.column_stack((trace.lon, trace.lat, trace.elevation.clip(-400, 5000)))
    path = write(tmp_path, Drawn(points, trace.official_km), kind)
    read, made = read_course(path, trace.official_km), build_course(trace_of(points, trace.official_km))
    assert np.abs(read.x - made.x).max() < 0.2
    assert np.abs(read.y - made.y).max() < 0.2
    assert np.abs(read.elevation - made.elevation).max() < 0.25
