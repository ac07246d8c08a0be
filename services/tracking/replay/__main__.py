"""Replays anyone's recording of a race: the state of every rider at every second, with gaps as passage times.

READINGS is Parquet or CSV with the columns rider, time_ms, lat, lon (WGS 84 degrees, Unix milliseconds), in any order,
sampled every 1 to 10 s, with whatever faults the radio left in it; or a folder of such Parquet files. STATES is Parquet
with a row for each rider and second; what each column means stands in its metadata.

Examples:
  scripts/replay stage.parquet --course stage.gpx --official-km 181.5 --out states.parquet
  scripts/replay stage.csv --course stage.geojson --out states.parquet --every 5 --start 2017-07-09T11:05+02:00
  scripts/replay prologue.csv --course prologue.gpx --out states.parquet --starts starts.csv
  scripts/replay stage.parquet --course stage.gpx --official-km 181.5 --out states.parquet --events events.jsonl
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracking.briefing.start_order import Starts
from tracking.briefing.start_table import read_starts
from tracking.command_line import described_parser
from tracking.course import Checkpoint, Course, CourseError, read_course
from tracking.replay.presence import off_course
from tracking.replay.recording import Recording, RecordingError, read_recording
from tracking.replay.ride import Ridden, ride
from tracking.replay.start import find_start
from tracking.service import Mistakes

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
    found = find_start(course, recording)
    recording = recording.set_right(found.ahead_ms)
    names = recording.riders.to_pylist()
    clocks = {str(names[device - 1]): ahead_ms / 1000 for device, ahead_ms in found.ahead_ms.items()}
    start_ms, starts = found.time_ms if options.start is None else options.start, None
    if options.starts is not None:
        try:
            start_ms, starts = _starts(options, recording)
        except Mistakes as wrong:
            return _refuse(wrong.sentences, options.json)
    try:
        ridden = ride(
            course,
            recording,
            start_ms,
            options.out,
            options.every,
            lambda share: line.show(f"replaying: {share:.0%}"),
            starts,
            options.events,
        )
    except OSError as error:
        line.clear()
        place = options.out if options.events is None else f"{options.out} or {options.events}"
        print(
            f"{place}: cannot be written ({error.strerror or error}). Make room or name another place.", file=sys.stderr
        )
        return FAILED
    line.clear()
    report = _report(options, course, recording, ridden, time.monotonic() - began)
    report["clocks_ahead_s"] = clocks
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
    mistakes.extend(_wrong_places(options))
    try:
        recording = read_recording(options.readings, lambda rows: line.show(f"reading: {rows:,} positions"))
    except RecordingError as error:
        mistakes.extend(error.mistakes)
    line.clear()
    if course is not None and recording is not None and not mistakes:
        mistakes.extend(off_course(options.readings, course, recording))
    return course, recording, mistakes


def _starts(options: argparse.Namespace, recording: Recording) -> tuple[int, Starts]:
    """(start of the race, starts of the riders) of a time trial; raises `Mistakes`."""
    riders = recording.riders.to_pylist()
    table = read_starts(options.starts, riders, options.start)
    return table.start_ms, table.by_teams(riders, (), options.counted) if any(table.teams) else table.individual()


def _wrong_places(options: argparse.Namespace) -> Iterator[str]:
    """What is wrong with where the states and the events are to be written."""
    places = [(path, what) for path, what in ((options.out, "states"), (options.events, "events")) if path is not None]
    for path, what in places:
        if not path.parent.is_dir():
            yield f"{path.parent}: is no folder. Make it, or name another place for the {what}."
        elif path.is_dir():
            yield f"{path}: is a folder. Name a file for the {what}."
        elif any(path.resolve() == given.resolve() for given in (options.readings, options.course)):
            yield f"{path}: is read by this replay. Name another file for the {what}."
        else:
            try:
                tempfile.TemporaryFile(dir=path.parent).close()
            except OSError as error:
                yield f"{path}: cannot be written ({error.strerror}). Name another place for the {what}."
    if options.out.suffix.lower() == ".csv":
        remedy = "Name it .parquet; scripts/replay export makes CSV of it"
        yield f"{options.out}: the states are written as Parquet, not as CSV. {remedy}."
    if len({path.resolve() for path, _ in places}) < len(places):
        yield f"{options.events}: is the file of the states. Name another one for the events."


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
        "events": ridden.events,
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
            *(f"  clock     of rider {rider} {_off(ahead)}" for rider, ahead in report["clocks_ahead_s"].items()),
        )
    )


def _off(ahead_s: float) -> str:
    return f"is {abs(ahead_s):,.0f} s {'ahead' if ahead_s > 0 else 'behind'}; set right"


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
    parser.add_argument("--events", type=Path, metavar="FILE", help="write what happened in the race, as JSON lines")
    parser.add_argument("--every", type=_whole, default=1, metavar="S", help="write every S-th second (default: 1)")
    parser.add_argument("--json", action="store_true", help="the report, or the mistakes, as JSON")
    return parser


def _time(text: str) -> int:
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time; write it as 2017-07-09T11:05+02:00") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} names no zone; write {text}+02:00")
    return round(moment.timestamp() * 1000)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
