"""The work of a study, over several processes: stages are ridden, models fitted to some and tested on others."""

import json
import multiprocessing
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from tracking.course import Course
from tracking.prediction.model import Model, to_json
from tracking.prediction.pace import profile_of
from tracking.prediction.study.cases import Case, cases_of, rides_of
from tracking.prediction.study.fitting import Foreign, Rides, calibrated, fit_model, fit_paces, simulate
from tracking.prediction.study.record import RULES, Scored, record_document, score
from tracking.prediction.study.stages import Stage, ride_stage

TENTHS = {"fit": range(5), "held_out": range(5, 7), "test": range(7, 10)}
"""Which stages serve what, by the last figure of their seed."""
NOTE = "All stages are simulated on real courses, and forecasts made from what the tracker saw."

StudyStage = tuple[list[Case], Rides]
Tested = tuple[Model, list[Scored]]
"""A model, and its forecasts of the test stages."""


def studied(courses: Mapping[str, Course], seeds: Sequence[int], keep: Path, jobs: int) -> tuple[Model, dict[str, Any]]:
    """The model of all courses, and its record with those of models that never saw the course they are tested on."""
    began = time.monotonic()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        missing = [(name, seed) for seed in seeds for name in courses if not kept(keep, name, seed).exists()]
        rides = [pool.submit(_ride, courses[name], seed, kept(keep, name, seed)) for name, seed in missing]
        for done, ride in enumerate(as_completed(rides), start=1):
            ride.result()
            left_s = (time.monotonic() - began) / done * (len(rides) - done)
            print(f"{done} of {len(rides)} stages ridden, about {left_s / 60:.0f} min left", flush=True)
        tests = {left: pool.submit(_tested, courses, seeds, keep, left) for left in (None, *courses)}
        for left, test in tests.items():
            test.result()
            print(f"fitted without {left}" if left else "fitted to all courses", flush=True)
    model, scored = tests[None].result()
    unseen = [one for left in courses for one in tests[left].result()[1]]
    parts = {part: sum(seed % 10 in tenths for seed in seeds) * len(courses) for part, tenths in TENTHS.items()}
    return model, {
        "simulated": True,
        "model": model.name,
        "note": NOTE,
        "baselines": RULES,
        "stages": parts,
        **record_document(scored),
        "unseen_course": record_document(unseen),
    }


def kept(folder: Path, name: str, seed: int) -> Path:
    """Where a stage is kept."""
    return folder / f"{name}-{seed}.npz"


def _ride(course: Course, seed: int, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    ride_stage(course, seed).save(file)


def _tested(courses: Mapping[str, Course], seeds: Sequence[int], keep: Path, left: str | None) -> Tested:
    """The model of all courses but the one that is left out, tested on that one; of all, on all, where none is."""
    stages = [stage for name, course in courses.items() for stage in ridden(name, course, seeds, keep)]
    model = fit([stage for stage in stages if _course_of(stage) != left])
    tested = _of([stage for stage in stages if left in (None, _course_of(stage))], "test")
    return model, score(_cases(tested), model)


def ridden(name: str, course: Course, seeds: Sequence[int], keep: Path) -> Iterator[StudyStage]:
    """The cases and rides of stages that are kept."""
    profile = profile_of(course)
    for seed in seeds:
        stage = Stage.load(kept(keep, name, seed))
        if cases := list(cases_of(stage, name, seed, profile)):
            yield cases, rides_of(stage, profile)


def fit(stages: Sequence[StudyStage]) -> Model:
    """The model of these stages, named by its content; of one course only, calibrated on what was held out."""
    fitted, held_out = _of(stages, "fit"), _of(stages, "held_out")
    model = _fitted(fitted)
    names = sorted({_course_of(stage) for stage in stages})
    if len(names) == 1:
        foreign = [_foreign(model, held_out)]
    else:
        foreign = [
            _foreign(
                _fitted([stage for stage in fitted if _course_of(stage) != left]),
                [stage for stage in (*fitted, *held_out) if _course_of(stage) == left],
            )
            for left in names
        ]
    model = calibrated(model, foreign)
    content = json.dumps(to_json(model), sort_keys=True).encode()
    return replace(model, name=f"pursuit+logistic {zlib.crc32(content):08x}")


def _fitted(stages: Sequence[StudyStage]) -> Model:
    paces = fit_paces([rides for _, rides in stages], [(case, rides) for cases, rides in stages for case in cases])
    return fit_model(paces, simulate(_cases(stages), paces))


def _foreign(model: Model, stages: Sequence[StudyStage]) -> Foreign:
    return Foreign(simulate(_cases(stages), model.paces), model)


def _course_of(stage: StudyStage) -> str:
    return stage[0][0].course


def _of(stages: Sequence[StudyStage], part: str) -> list[StudyStage]:
    return [stage for stage in stages if stage[0][0].seed % 10 in TENTHS[part]]


def _cases(stages: Sequence[StudyStage]) -> list[Case]:
    return [case for cases, _ in stages for case in cases]
