"""Replays anyone's recording of a race: the state of every rider at every second, with gaps as passage times.

READINGS is Parquet or CSV with the columns rider, time_ms, lat, lon (WGS 84 degrees, Unix milliseconds), in any order,
sampled every 1 to 10 s, with whatever faults the radio left in it; or a folder of such Parquet files. STATES is Parquet
with a row for each rider and second; what each column means stands in its metadata.

Examples:
  scripts/replay stage.parquet --course stage.gpx --official-km 181.5 --out states.parquet
  scripts/replay stage.csv --course stage.geojson --out states.parquet --every 5 --start 2017-07-09T11:05+02:00
  scripts/replay prologue.csv --course prologue.gpx --out states.parquet --starts starts.csv
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracking.command_line import described_parser
from tracking.course import Checkpoint, Course, CourseError, read_course
from tracking.replay.recording import Recording, RecordingError, read_recording
from tracking.replay.ride import Ridden, ride
from tracking.replay.start import infer_start
from tracking.service import Mistakes
from tracking.start_order import Starts
from tracking.start_table import read_starts

UNUSABLE, FAILED = 2, 1
SHOW_EVERY_S = 0.5


class Line:
    """One line of progress on a terminal; nothing where nobody watches."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._next = 0.0

    def show(self, text: str) -> None:
        if self._watched and time.monotonic() >= self._next:
            self._next = time.monotonic() + SHOW_EVERY_S
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._watched:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """0 when STATES is there; 2 with every mistake of what was given, 1 where the machine failed."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    line = Line()
    course, recording, mistakes = _read(options, line)
    if course is None or recording is None or mistakes:
        return _refuse(mistakes, options.json)
    start_ms, starts = options.start, None
    if options.starts is not None:
        try:
            start_ms, starts = _starts(options, recording)
        except Mistakes as found:
            return _refuse(found.sentences, options.json)
    elif start_ms is None:
        start_ms = infer_start(course, recording)
    try:
        ridden = ride(
            course,
            recording,
            start_ms,
            options.out,
            options.every,
            lambda share: line.show(f"replaying: {share:.0%}"),
            starts,
        )
    except OSError as error:
        line.clear()
        print(
            f"{options.out}: cannot be written ({error.strerror or error}). Make room or name another place.",
            file=sys.stderr,
        )
        return FAILED
    line.clear()
    report = _report(options, course, recording, ridden, time.monotonic() - began)
    print(json.dumps(report, indent=1, ensure_ascii=False) if options.json else _sentences(report))
    return 0


def _read(options: argparse.Namespace, line: Line) -> tuple[Course | None, Recording | None, list[str]]:
    """Course, recording, and everything that is wrong with either of them or with the place for STATES."""
    course, recording, mistakes = None, None, []
    checkpoints: list[Checkpoint] = []
    if options.checkpoints is not None:
        try:
            checkpoints = read_checkpoints(options.checkpoints)
        except ValueError as error:
            mistakes.append(str(error))
    try:
        course = read_course(options.course, options.official_km, checkpoints)
    except CourseError as error:
        mistakes.extend(map(str, error.mistakes))
    if not options.out.parent.is_dir():
        mistakes.append(f"{options.out.parent}: is no folder. Make it, or name another place for the states.")
    elif options.out.is_dir():
        mistakes.append(f"{options.out}: is a folder. Name a file for the states.")
    try:
        recording = read_recording(options.readings, lambda rows: line.show(f"reading: {rows:,} positions"))
    except RecordingError as error:
        mistakes.extend(error.mistakes)
    line.clear()
    return course, recording, mistakes


def _starts(options: argparse.Namespace, recording: Recording) -> tuple[int, Starts]:
    """(start of the race, starts of the riders) of a time trial; raises `Mistakes`."""
    riders = recording.riders.to_pylist()
    table = read_starts(options.starts, riders, options.start)
    return table.start_ms, table.by_teams(riders, (), options.counted) if any(table.teams) else table.individual()


def _refuse(mistakes: Sequence[str], as_json: bool) -> int:
    if as_json:
        print(json.dumps({"mistakes": list(mistakes)}, indent=1, ensure_ascii=False))
    else:
        print("\n".join(mistakes), file=sys.stderr)
    return UNUSABLE


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """Places of known official distance from JSON: [{"km", "lat", "lon"} or {"km", "trace_km"}]; ValueError."""
    remedy = 'Give a list of {"km": …, "lat": …, "lon": …} or {"km": …, "trace_km": …}'
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [
            (float(row["trace_km"]) if "trace_km" in row else (float(row["lat"]), float(row["lon"])), float(row["km"]))
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: holds no checkpoints ({type(error).__name__}: {error}). {remedy}.") from None


def _report(
    options: argparse.Namespace, course: Course, recording: Recording, ridden: Ridden, seconds: float
) -> dict[str, Any]:
    return {
        "states": str(options.out),
        "course": course.name,
        "official_km": course.official_km,
        "riders": len(recording.riders),
        "start": _iso(ridden.start_ms),
        "start_inferred": options.start is None and options.starts is None,
        "from": _iso(ridden.first_ms),
        "to": _iso(ridden.last_ms),
        "frames": ridden.frames,
        "rows": ridden.rows,
        "readings": recording.rows,
        "refused": dict(recording.refused),
        "kernel": asdict(ridden.counts),
        "seconds": round(seconds, 2),
    }


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")


def _sentences(report: dict[str, Any]) -> str:
    kernel = report["kernel"]
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in report["refused"].items()) or "none"
    inferred = " (inferred)" if report["start_inferred"] else ""
    return "\n".join(
        (
            f"{report['states']}: {report['rows']:,} states of {report['riders']} riders in {report['seconds']:g} s",
            f"  course    {report['course']}, {report['official_km']:g} km; start {report['start']}{inferred}",
            f"  readings  {report['readings']:,}, from {report['from']} to {report['to']}; left out: {left_out}",
            f"  of these  {kernel['duplicates']:,} repeated, {kernel['frozen']:,} frozen,"
            f" {kernel['outliers']:,} not believed",
        )
    )


def _parser() -> argparse.ArgumentParser:
    exports = "\nexports of an archive or of STATES: scripts/replay export --help"
    parser = described_parser("scripts/replay", __doc__, exports)
    parser.add_argument("readings", type=Path, metavar="READINGS", help="the recording")
    parser.add_argument("--course", type=Path, required=True, help="the course in GeoJSON, GPX, TCX or FIT")
    parser.add_argument("--out", type=Path, required=True, metavar="STATES", help="the Parquet file to write")
    parser.add_argument("--official-km", type=float, metavar="KM", help="the official distance; goes before the file's")
    parser.add_argument("--checkpoints", type=Path, metavar="FILE", help="JSON: places of known official distance")
    parser.add_argument(
        "--start", type=_time, metavar="TIME", help="of the race, ISO 8601 with zone, or Unix milliseconds"
    )
    parser.add_argument(
        "--starts",
        type=Path,
        metavar="FILE",
        help="of a time trial: a table with rider, starts_at or offset_s, and team where teams ride",
    )
    parser.add_argument(
        "--counted", type=_whole, default=4, metavar="N", help="a team has the time of its N-th rider (default: 4)"
    )
    parser.add_argument("--every", type=_whole, default=1, metavar="S", help="write every S-th second (default: 1)")
    parser.add_argument("--json", action="store_true", help="the report, or the mistakes, as JSON")
    return parser


def _time(text: str) -> int:
    if text.isdecimal():
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} names no zone; write {text}+02:00")
    return round(moment.timestamp() * 1000)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
