"""The command that replays anyone's recording: what it writes, and what it refuses."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tracking.course import Course, read_course
from tracking.replay.__main__ import main
from tracking.replay.recording import RecordingError, read_recording
from tracking.replay.start import find_start

from tests.replay import rides

COURSE = Path(__file__).parents[2] / "stacks" / "courses" / "2022-12.geojson"
SECONDS, RIDERS = 900, 30


@cache
def road() -> Course:
    return read_course(COURSE)


@cache
def truth() -> rides.Ride:
    return rides.race(road(), SECONDS, RIDERS, seed=2)


def replayed(recording: Path, *more: str) -> pl.DataFrame:
    out = recording.with_name("states.parquet")
    assert main([str(recording), "--course", str(COURSE), "--out", str(out), *more]) == 0
    return pl.read_parquet(out)


def errors(states: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(metres, seconds of gap) by which the states of riders known to be on the road differ from the truth."""
    known = states.filter(pl.col("quality").cast(pl.String).is_in(["fresh", "predicted"]))
    second = (known["time_ms"].to_numpy() - truth().first_ms) // 1000
    known, second = known.filter(second > 180), second[second > 180]
    rider = known["rider"].to_numpy() - 1
    metres = road().length_m - known["km_to_go"].to_numpy() * 1000 - truth().distance[second, rider]
    gaps = known["gap_s"].to_numpy() - truth().passage_gap(road().length_m)[second, rider]
    return np.abs(metres), np.abs(gaps)


@pytest.mark.parametrize("every_s", [1, 2, 5, 10])
def test_gaps_are_right_to_a_second_however_the_recording_was_sampled(tmp_path: Path, every_s: int) -> None:
    """Guards: sparse recordings, and real faults in any order, that make a passage time wrong."""
    pq.write_table(rides.record(road(), truth(), 1, every_s), tmp_path / "r.parquet")
    metres, gaps = errors(replayed(tmp_path / "r.parquet"))
    assert np.median(metres) < 8.0
    assert np.median(gaps) < 1.0
    assert np.quantile(gaps, 0.95) < 4.0


def test_a_leader_who_is_not_heard_does_not_spoil_the_gaps_of_those_behind(tmp_path: Path) -> None:
    """Guards: the place where a silent leader is thought to be, noted as a passage that never was."""
    table = rides.record(road(), truth(), 1, faults=False)
    head = int(truth().distance[400].argmax()) + 1
    second = (table["time_ms"].to_numpy() - truth().first_ms) // 1000
    silent = (table["rider"].to_numpy() == head) & (second > 400) & (second < 450)
    pq.write_table(table.filter(~silent), tmp_path / "r.parquet")
    states = replayed(tmp_path / "r.parquet").filter(pl.col("rider") != head)
    assert errors(states)[1].max() < 6.0


def test_a_row_is_written_for_each_rider_and_second(tmp_path: Path) -> None:
    """Guards: consumers that join on (rider, second) and find holes or doubles."""
    pq.write_table(rides.record(road(), truth(), 1), tmp_path / "r.parquet")
    states = replayed(tmp_path / "r.parquet")
    assert states.select("time_ms", "rider").is_unique().all()
    assert len(states) == RIDERS * SECONDS
    wanted = {"km_to_go", "gap_s", "gap_m", "speed_kmh", "gradient", "group", "position", "quality"}
    assert wanted <= set(states.columns)
    schema = pq.read_schema(tmp_path / "states.parquet")
    assert schema.metadata[b"etape.quality"] == b"fresh, predicted, lost, finished, interpolated"
    assert all(schema.field(name).metadata[b"meaning"] for name in schema.names)


@pytest.mark.parametrize(
    ("name", "kind"), [(lambda i: i * 70_001, pa.int64()), (lambda i: f"FRA-{i:03}", pa.string()), (str, pa.int64())]
)
def test_riders_keep_the_names_that_the_recording_gives_them(tmp_path: Path, name, kind: pa.DataType) -> None:
    """Guards: numbers beyond 16 bits, or with gaps, or text, that come out as somebody else's."""
    table = rides.record(road(), truth(), 1)
    names = [name(rider) for rider in table["rider"].to_pylist()]
    pq.write_table(table.set_column(0, "rider", pa.array(names)), tmp_path / "r.parquet")
    states = replayed(tmp_path / "r.parquet")
    assert pq.read_schema(tmp_path / "states.parquet").field("rider").type == kind
    assert set(map(str, states["rider"].unique())) == set(map(str, names))
    plain = tmp_path / "plain.parquet"
    pq.write_table(table, plain)
    by_number = replayed(plain).filter(pl.col("rider") == 7).drop("rider")
    assert states.filter(pl.col("rider").cast(pl.String) == str(name(7))).drop("rider").equals(by_number)


def test_csv_gives_the_same_states_as_parquet(tmp_path: Path) -> None:
    """Guards: two readers of one recording that disagree."""
    table = rides.record(road(), truth(), 1, 5)
    pq.write_table(table, tmp_path / "r.parquet")
    pl.DataFrame(pl.from_arrow(table)).write_csv(tmp_path / "r.csv")
    assert replayed(tmp_path / "r.csv").equals(replayed(tmp_path / "r.parquet"))


def test_bad_rows_are_left_out_and_counted_by_reason(tmp_path: Path) -> None:
    """Guards: one bad row that spoils a recording, or that vanishes unseen."""
    good = "".join(f"{i % 9 + 1},{rides.START_MS + i * 100},45.1,6.1\n" for i in range(2000))
    at = rides.START_MS
    bad = f"1,{at},NaN,6.1\n1,{at},,6.1\n2,{at},91,6\n,{at},45,6\n3,0,45,6\n"
    far = f"4,{rides.START_MS + 400 * 86_400_000},45,6\nbroken\n"
    (tmp_path / "r.csv").write_text(f"rider,time_ms,lat,lon\n{good}{bad}{far}")
    recording = read_recording(tmp_path / "r.csv")
    assert recording.refused == {
        "position not on Earth": 3,
        "no rider": 1,
        "time of another century": 1,
        "clock far from the others": 1,
    }
    assert recording.last_ms - recording.first_ms == 200_000


def test_what_does_not_fit_in_memory_gives_the_same_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards: rows that wait on disk and come back in another order, or twice."""
    pq.write_table(rides.record(road(), truth(), 1), tmp_path / "r.parquet")
    whole = np.concatenate(list(read_recording(tmp_path / "r.parquet").in_order()))
    monkeypatch.setattr("tracking.replay.recording.IN_MEMORY_ROWS", 1000)
    monkeypatch.setattr("tracking.replay.recording.BATCH_ROWS", 5000)
    monkeypatch.setattr("tracking.replay.recording.SLICE_ROWS", 3000)
    stretches = list(read_recording(tmp_path / "r.parquet").in_order())
    assert len(stretches) > 5
    assert np.array_equal(np.concatenate(stretches), whole)


def test_the_start_is_found_where_nobody_says_it() -> None:
    """Guards: devices that wait at the start for minutes, taken for a race."""
    for lead_in_s in (30, 300):
        ride = rides.race(road(), 900, RIDERS, seed=4, lead_in_s=lead_in_s)
        table = rides.record(road(), ride, 1)
        readings = _recording(table)
        assert abs(find_start(road(), readings).time_ms - ride.start_ms) < 10_000


def _recording(table: pa.Table):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(table, Path(folder) / "r.parquet")
        return read_recording(Path(folder) / "r.parquet")


def _cut_short(path: Path) -> None:
    pq.write_table(
        pa.table({"rider": [1] * 9000, "time_ms": range(9000), "lat": [1.0] * 9000, "lon": [1.0] * 9000}), path
    )
    path.write_bytes(path.read_bytes()[:2000])


BAD = {
    "cut.parquet": (_cut_short, "no whole Parquet file"),
    "empty.csv": (lambda path: path.write_bytes(b""), "is empty"),
    "headed.csv": (lambda path: path.write_text("rider,time_ms,lat,lon\n"), "holds no position"),
    "missing.csv": (lambda path: path.write_text("rider,time_ms,lat\n1,2,3\n"), "column lon is missing"),
    "typed.parquet": (
        lambda path: pq.write_table(pa.table({"rider": [1], "time_ms": [1], "lat": [[1.0]], "lon": [1.0]}), path),
        "column lat holds list",
    ),
    "absent.parquet": (lambda path: None, "is not there"),
    "noise.bin": (lambda path: path.write_bytes(b"\x00\x01" * 500), "neither Parquet nor CSV"),
    "noise.csv": (lambda path: path.write_bytes(bytes(range(256)) * 50), "not text in UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_recording_that_cannot_be_used_is_refused_in_words(tmp_path: Path, name: str, capsys) -> None:
    """Guards: a traceback, an exit code of success, or half a file of states, for a bad recording."""
    make, words = BAD[name]
    make(tmp_path / name)
    out = tmp_path / "states.parquet"
    out.write_bytes(b"what was there before")
    assert main([str(tmp_path / name), "--course", str(COURSE), "--out", str(out)]) == 2
    assert words in capsys.readouterr().err
    assert out.read_bytes() == b"what was there before"
    assert {path.name for path in tmp_path.iterdir()} <= {name, "states.parquet"}


def test_all_mistakes_are_told_at_once(tmp_path: Path, capsys) -> None:
    """Guards: one run for each mistake."""
    (tmp_path / "r.csv").write_text("rider,when,lat\n")
    options = ["--course", str(tmp_path / "no.gpx"), "--out", str(tmp_path / "no" / "states.parquet"), "--json"]
    assert main([str(tmp_path / "r.csv"), *options, "--checkpoints", str(tmp_path / "no.json")]) == 2
    mistakes = json.loads(capsys.readouterr().out)["mistakes"]
    told = " ".join(mistakes)
    assert all(words in told for words in ("no.json", "no.gpx", "is no folder", "column time_ms", "column lon"))


def test_a_disk_that_does_not_take_the_states_is_a_failure_in_words(tmp_path: Path) -> None:
    """Guards: a full disk that looks like a mistake of the user, or leaves half a file."""
    pq.write_table(rides.record(road(), truth(), 1, 10), tmp_path / "r.parquet")
    full = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        "runpy.run_module('tracking.replay', run_name='__main__')"
    )
    options = [str(tmp_path / "r.parquet"), "--course", str(COURSE), "--out", str(tmp_path / "states.parquet")]
    done = subprocess.run([sys.executable, "-c", full, *options], capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["r.parquet"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "/proc/states.parquet"], "cannot be written"),
        (["--out", "states.csv"], "not as CSV"),
        (["--out", "."], "is a folder"),
        (["--out", "r.parquet"], "is read by this replay"),
        (["--out", "states.parquet", "--events", "states.parquet"], "is the file of the states"),
        (["--out", "states.parquet", "--events", "no/events.jsonl"], "is no folder"),
    ],
)
def test_a_place_that_cannot_take_the_states_is_said_before_anything_is_read(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    """Guards: minutes of work for nothing, and a recording that its own states replace."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(rides.record(road(), truth(), 1, 10), tmp_path / "r.parquet")
    assert main(["r.parquet", "--course", str(COURSE), *options]) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["r.parquet"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.set_column(2, "lat", pc.add(table["lat"], 1.0)), "Give the course of this stage"),
        (lambda table: table.rename_columns(["rider", "time_ms", "lon", "lat"]), "lat and lon are swapped"),
        (
            lambda table: table.set_column(1, "time_ms", pc.divide(table["time_ms"], 1000)),
            "times in Unix milliseconds",
        ),
    ],
)
def test_a_recording_of_another_road_is_refused(tmp_path: Path, capsys, change, words: str) -> None:
    """Guards: hours of states of riders who were never on the road."""
    pq.write_table(change(rides.record(road(), truth(), 1, faults=False)), tmp_path / "r.parquet")
    out = tmp_path / "states.parquet"
    assert main([str(tmp_path / "r.parquet"), "--course", str(COURSE), "--out", str(out)]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("separator", "mark", "comma"), [(",", "\ufeff", "."), (";", "\ufeff", ","), ("\t", "", ".")])
def test_csv_of_any_program_gives_the_same_states(tmp_path: Path, separator: str, mark: str, comma: str) -> None:
    """Guards: separators, byte order marks, decimal commas and blanks that make a recording unreadable."""
    table = pl.DataFrame(pl.from_arrow(rides.record(road(), truth(), 1, 10)))
    pq.write_table(table.to_arrow(), tmp_path / "r.parquet")
    text = table.write_csv(separator=separator).replace(".", comma).replace("lat", " Lat", 1)
    (tmp_path / "r.csv").write_text(mark + text)
    assert replayed(tmp_path / "r.csv").equals(replayed(tmp_path / "r.parquet"))


def test_a_recording_without_riders_says_so(tmp_path: Path) -> None:
    """Guards: a replay of nobody."""
    pq.write_table(
        pa.table({"rider": pa.nulls(5, pa.int64()), "time_ms": [1] * 5, "lat": [1.0] * 5, "lon": [1.0] * 5}),
        tmp_path / "r.parquet",
    )
    with pytest.raises(RecordingError, match="no rider"):
        read_recording(tmp_path / "r.parquet")
