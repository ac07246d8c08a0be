"""Simulates many stages, fits the model to some of them, and writes down how its forecasts do on the others.

Writes fitted.json and record.json into the package. Stages that --keep holds are not simulated again.

Example:
  python -m tracking.prediction.study --courses stacks/courses --seeds 60 --keep ~/stages
"""

import argparse
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tracking.course import Course, read_course
from tracking.prediction.model import Model, to_json
from tracking.prediction.pace import profile_of
from tracking.prediction.record import FITTED, RECORD
from tracking.prediction.study.cases import Case, cases_of, rides_of
from tracking.prediction.study.fitting import Rides, fit_model, fit_paces, simulate
from tracking.prediction.study.record import RULES, record_document, score
from tracking.prediction.study.stages import Stage, ride_stage

FIRST_SEED = 1000
TENTHS = {"fit": range(5), "held_out": range(5, 7), "test": range(7, 10)}
"""Which stages serve what, by the last figure of their seed."""
TRIAL = "individual time trials are ridden as mass starts"

StudyStage = tuple[list[Case], Rides]


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m tracking.prediction.study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--courses", type=Path, required=True, help="folder of the courses that are ridden")
    parser.add_argument("--seeds", type=int, default=60, help="stages on each course; at least 10")
    parser.add_argument(
        "--keep", type=Path, help="folder of simulated stages; empty it when the simulator or tracker changes"
    )
    options = parser.parse_args()
    if options.seeds < 10:
        parser.error("--seeds: at least 10, or there is nothing to test on")
    courses = {file.stem: read_course(file) for file in sorted(options.courses.glob("*.geojson"))}
    if len(courses) < 2:
        parser.error(f"--courses: {options.courses} holds fewer than two courses; one must be left out in turn")
    stages: list[StudyStage] = []
    for name, course in courses.items():
        stages += ridden(name, course, range(FIRST_SEED, FIRST_SEED + options.seeds), options.keep)
        print(f"{name}: {options.seeds} stages", flush=True)
    model = fit(stages)
    record = study(stages, model)
    record["courses"] = {name: course.name for name, course in courses.items()}
    FITTED.write_text(json.dumps(to_json(model), indent=1) + "\n")
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record["catch"]["overall"], indent=1))
    return 0


def ridden(name: str, course: Course, seeds: Sequence[int], keep: Path | None) -> Iterator[StudyStage]:
    """The cases and rides of simulated stages."""
    profile = profile_of(course)
    for seed in seeds:
        stage = _stage(course, seed, keep / f"{name}-{seed}.npz" if keep else None)
        yield list(cases_of(stage, name, seed, profile)), rides_of(stage, profile)


def _stage(course: Course, seed: int, kept: Path | None) -> Stage:
    if kept is not None and kept.exists():
        return Stage.load(kept)
    stage = ride_stage(course, seed)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        stage.save(kept)
    return stage


def fit(stages: Sequence[StudyStage]) -> Model:
    """The model of these stages, named by its content."""
    fitted, held_out = _of(stages, "fit"), _of(stages, "held_out")
    pairs = [(case, rides) for cases, rides in fitted for case in cases]
    paces = fit_paces([rides for _, rides in fitted], pairs)
    model = fit_model("", paces, simulate(_cases(fitted), paces), simulate(_cases(held_out), paces))
    content = json.dumps(to_json(model), sort_keys=True).encode()
    return replace(model, name=f"pursuit+logistic {zlib.crc32(content):08x}")


def study(stages: Sequence[StudyStage], model: Model) -> dict[str, Any]:
    """The record of a model, and under `unseen_course` that of models that never saw the course they are tested on."""
    test = _cases(_of(stages, "test"))
    courses = sorted({case.course for case in test})
    unseen = []
    for course in courses:
        others = [stage for stage in stages if stage[0] and stage[0][0].course != course]
        unseen += score([case for case in test if case.course == course], fit(others))
        print(f"fitted without {course}", flush=True)
    return {
        "simulated": True,
        "model": model.name,
        "note": f"All stages are simulated on real courses, and forecasts made from what the tracker saw; {TRIAL}.",
        "baselines": RULES,
        "stages": {part: len(_of(stages, part)) for part in TENTHS},
        **record_document(score(test, model)),
        "unseen_course": record_document(unseen),
    }


def _of(stages: Sequence[StudyStage], part: str) -> list[StudyStage]:
    return [stage for stage in stages if stage[0] and stage[0][0].seed % 10 in TENTHS[part]]


def _cases(stages: Sequence[StudyStage]) -> list[Case]:
    return [case for cases, _ in stages for case in cases]


if __name__ == "__main__":
    sys.exit(main())
