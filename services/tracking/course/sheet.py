"""The sheet of a course: what positioning takes from a file, or every mistake in it."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracking.course import Course, CourseError, read_course
from tracking.course.file import Checkpoint

UNUSABLE = 2
"""Exit status for a file that is no course."""


def main(about: str | None) -> int:
    """Prints the sheet of the file on the command line; `about` explains the command, with examples after its head."""
    options = _parser(about or "").parse_args()
    try:
        course = read_course(options.file, options.official_km, options.checkpoint, options.neutral_km)
    except CourseError as error:
        if options.json:
            print(json.dumps({"mistakes": [asdict(mistake) for mistake in error.mistakes]}, indent=1))
        else:
            print(error, file=sys.stderr)
        return UNUSABLE
    print(json.dumps(sheet(course), indent=1, ensure_ascii=False) if options.json else "\n".join(_lines(course)))
    return 0


def sheet(course: Course) -> dict[str, Any]:
    """What there is to know of a course, JSON-ready; distances in official kilometres, rounded to metres."""
    return {
        "name": course.name,
        "kind": course.kind,
        "official_km": course.official_km,
        "traced_km": _km(course.traced_km * 1000),
        "scale": round(course.official_km / course.traced_km, 5),
        "neutral_km": _km(course.neutral_m),
        "lowest_m": round(float(course.elevation.min())),
        "highest_m": round(float(course.elevation.max())),
        "steepest": round(float(course.gradient.max()), 3),
        "climbs": [
            {
                "name": climb.name or None,
                "category": climb.category,
                "from_km": _km(climb.from_m),
                "to_km": _km(climb.to_m),
                "gain_m": round(climb.gain_m),
                "mean_gradient": round(climb.mean_gradient, 3),
            }
            for climb in course.climbs
        ],
        "sprints": [{"name": sprint.name or None, "km": _km(sprint.at_m)} for sprint in course.sprints],
        "laps": [
            {"from_km": _km(laps.from_m), "length_km": _km(laps.length_m), "count": laps.count} for laps in course.laps
        ],
        "attribution": course.attribution,
    }


def _km(metres: float) -> float:
    return round(metres / 1000, 3)


def _lines(course: Course) -> Iterator[str]:
    shown = sheet(course)
    yield f"{shown['name']} ({shown['kind']})"
    scale = f"the trace measures {shown['traced_km']:.3f} km, scale {shown['scale']:.5f}"
    yield f"  length    {shown['official_km']:g} km; {scale}"
    yield f"  neutral   {shown['neutral_km']:g} km before the official start"
    yield f"  heights   {shown['lowest_m']} to {shown['highest_m']} m, steepest {shown['steepest']:.1%}"
    for climb in shown["climbs"]:
        length = climb["to_km"] - climb["from_km"]
        slope = f"{length:.1f} km at {climb['mean_gradient']:.1%}, {climb['gain_m']} m"
        name = climb["name"] or "(not named)"
        yield f"  climb     km {climb['from_km']:.1f} to {climb['to_km']:.1f}  {climb['category']:>2}  {name}: {slope}"
    for sprint in shown["sprints"]:
        yield f"  sprint    km {sprint['km']:.1f}  {sprint['name'] or '(not named)'}"
    for laps in shown["laps"]:
        yield f"  laps      {laps['count']} of {laps['length_km']:.2f} km from km {laps['from_km']:.1f}"
    if shown["attribution"]:
        yield f"  {shown['attribution']}"


def _parser(about: str) -> argparse.ArgumentParser:
    head, _, examples = about.partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m tracking.course",
        description=head,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="a course in GeoJSON, GPX, TCX or FIT")
    parser.add_argument("--official-km", type=float, metavar="KM", help="the official distance; goes before the file's")
    parser.add_argument("--neutral-km", type=float, metavar="KM", help="the neutral zone before the official start")
    parser.add_argument(
        "--checkpoint",
        type=checkpoint,
        action="append",
        metavar="PLACE=KM",
        help="a place of known official distance: LATITUDE,LONGITUDE=KM, or kilometres along the trace=KM; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="the sheet, or the mistakes, as JSON")
    return parser


def checkpoint(text: str) -> Checkpoint:
    """PLACE=KM; ValueError where it is none."""
    place, _, km = text.partition("=")
    numbers = [float(number) for number in place.split(",")]
    if len(numbers) > 2:
        raise ValueError(text)
    return (numbers[0], numbers[1]) if len(numbers) == 2 else numbers[0], float(km)
