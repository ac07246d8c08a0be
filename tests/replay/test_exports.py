"""States for others: what each format says, and that it can be read back."""

import csv
import json
import struct
from pathlib import Path

import gpxpy
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tracking.exports.__main__ import main
from tracking.exports.source import from_archive
from tracking.replay.recording import read_recording
from tracking.replay.sheet import table_of
from tracking.store.parts import PartStore

from tests.replay.archives import SHELF, START_MS, states

LOST, FINISHED = 2, 3


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Three riders for four seconds: rider 2 is lost in the third, rider 3 was never found, rider 1 finishes last."""
    rows = states(0, 4, riders=3)
    rows["quality"][(rows["rider"] == 2) & (rows["time_ms"] == START_MS + 2000)] = LOST
    rows["quality"][rows["rider"] == 3], rows["seen_ms"][rows["rider"] == 3] = LOST, 0
    rows["quality"][(rows["rider"] == 1) & (rows["time_ms"] == START_MS + 3000)] = FINISHED
    file = tmp_path / "states.parquet"
    pq.write_table(table_of(rows), file)
    return file


def exported(told: Path, kind: str, *more: str) -> Path:
    out = told.with_name(f"out.{kind}")
    assert main([str(told), "--format", kind, "--out", str(out), *more]) == 0
    assert sorted(path.name for path in told.parent.iterdir()) == sorted({told.name, out.name})
    return out


def test_geoparquet_has_its_metadata_and_points_that_others_can_read(told: Path) -> None:
    """Guards: a file that a GIS does not open, or shows in Somalia: latitude first."""
    table = pq.read_table(exported(told, "geoparquet"))
    geo = json.loads(table.schema.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Point"])
    west, south, east, north = column["bbox"]
    assert (west, east) == (6.0, 6.0)
    assert 44.99 < south < north < 45.01
    points = {(row["rider"], row["time_ms"]): row["geometry"] for row in table.to_pylist()}
    order, kind, lon, lat = struct.unpack("<BIdd", points[1, START_MS + 1000])
    assert (order, kind, lon) == (1, 1, 6.0)
    assert lat == 45 + 9 / 111_195
    assert points[3, START_MS] is None


def test_csv_is_a_recording_again(told: Path) -> None:
    """Guards: an export that our own command does not take."""
    out = exported(told, "csv")
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert rows[1]["quality"] == "fresh"
    assert (rows[2]["rider"], rows[2]["lat"], rows[2]["km_to_go"]) == ("3", "", "")
    recording = read_recording(out)
    assert recording.riders.to_pylist() == [1, 2, 3]
    assert recording.refused == {"position not on Earth": 4}


def test_gpx_has_a_track_for_each_rider_that_was_seen(told: Path) -> None:
    """Guards: places that are only thought, drawn as a ride."""
    gpx = gpxpy.parse(exported(told, "gpx").read_text())
    assert {track.name: track.get_points_no() for track in gpx.tracks} == {"1": 3, "2": 3}
    first = gpx.tracks[0].segments[0].points[0]
    assert first.time.timestamp() * 1000 == START_MS
    assert (round(first.latitude, 5), first.longitude) == (round(45 - 1 / 111_195, 5), 6.0)


def test_a_track_is_interrupted_where_nothing_is_known(tmp_path: Path) -> None:
    """Guards: a straight line across the country for a rider who was away."""
    file = tmp_path / "states.parquet"
    pq.write_table(table_of(np.concatenate((states(0, 5, riders=1), states(100, 5, riders=1)))), file)
    track = gpxpy.parse(exported(file, "gpx").read_text()).tracks[0]
    assert [len(segment.points) for segment in track.segments] == [5, 5]


def test_moving_features_tell_places_and_speeds_of_the_same_moments(told: Path) -> None:
    """Guards: arrays of two lengths, or latitude first, which MF-JSON readers refuse."""
    document = json.loads(exported(told, "mf-json").read_text())
    assert document["type"] == "FeatureCollection"
    first = document["features"][0]
    assert first["temporalGeometry"] == {
        "type": "MovingPoint",
        "datetimes": ["2017-07-09T09:00:00.000Z", "2017-07-09T09:00:01.000Z", "2017-07-09T09:00:02.000Z"],
        "coordinates": [[6.0, 44.999991], [6.0, 45.0000809], [6.0, 45.0001709]],
        "interpolation": "Linear",
    }
    assert first["temporalProperties"] == [
        {
            "datetimes": first["temporalGeometry"]["datetimes"],
            "speed": {"type": "Measure", "form": "KMH", "values": [36.0, 36.0, 36.0], "interpolation": "Linear"},
        }
    ]


def test_riders_and_seconds_can_be_chosen(told: Path) -> None:
    """Guards: a whole stage where one rider was asked for."""
    table = pq.read_table(exported(told, "geoparquet", "--rider", "2", "--every", "2"))
    assert table["rider"].to_pylist() == [2, 2]


def test_the_archive_gives_each_second_in_its_last_revision(store: PartStore) -> None:
    """Guards: a second that is exported twice, as it was first told and amended."""
    store.put(SHELF, "1-000000000001", states(0, 10))
    store.put(SHELF, "1-000000000002", states(4, 2, revision=1))
    told = pa.concat_tables(from_archive(store, SHELF)).sort_by([("time_ms", "ascending")])
    assert told.num_rows == 50
    assert set(told["revision"].to_pylist()[20:30]) == {1}
    assert set(told["revision"].to_pylist()[:20] + told["revision"].to_pylist()[30:]) == {0}


@pytest.mark.parametrize("broken", ["absent", "cut", "other"])
def test_states_that_cannot_be_used_are_refused_in_words(tmp_path: Path, broken: str, capsys) -> None:
    """Guards: a traceback, or half an export that takes the place of a good one."""
    file, out = tmp_path / "states.parquet", tmp_path / "out.gpx"
    out.write_text("before")
    if broken == "cut":
        pq.write_table(table_of(states(0, 100)), file)
        file.write_bytes(file.read_bytes()[:-300])
    if broken == "other":
        pq.write_table(pa.table({"a": [1]}), file)
    assert main([str(file), "--format", "gpx", "--out", str(out)]) == 2
    assert str(file) in capsys.readouterr().err
    assert out.read_text() == "before"
    assert main([str(file), "--config", str(file), "--format", "gpx", "--out", str(out)]) == 2
