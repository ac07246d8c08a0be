"""The study itself, on so few stages that its figures mean nothing."""

import ast
import json
from pathlib import Path

import pytest
import tracking.prediction
from tracking.prediction.model import from_json, to_json
from tracking.prediction.study.record import record_document, score
from tracking.prediction.study.stages import ride_stage
from tracking.prediction.study.work import StudyStage, fit, kept, ridden

from tests.prediction.moments import course

PACKAGE = Path(tracking.prediction.__file__).parent
SEEDS = range(1000, 1010)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> list[StudyStage]:
    folder = tmp_path_factory.mktemp("stages")
    for seed in SEEDS:
        ride_stage(course(), seed).save(kept(folder, "2022-01", seed))
    return list(ridden("2022-01", course(), SEEDS, folder))


def test_a_fit_can_be_kept_and_used(stages: list[StudyStage]) -> None:
    """Guards: a study that fails only after hours, when it writes down what it has found."""
    model = fit(stages)
    assert to_json(from_json(to_json(model), "fitted.json")) == to_json(model)
    record = record_document(score([case for cases, _ in stages[7:] for case in cases], model))
    read = json.loads(json.dumps(record, allow_nan=False))
    for kind in ("catch", "winner", "finish"):
        assert read[kind]["overall"]["stages"] <= 3
        assert read[kind]["by_course"][0] == {"course": "2022-01", **read[kind]["overall"]}


def test_the_same_stages_give_the_same_model(stages: list[StudyStage]) -> None:
    """Guards: a fit that nobody can repeat, and one name for two models."""
    assert fit(stages).name == fit(stages).name != fit(stages[1:]).name


def test_what_runs_in_a_race_knows_nothing_of_the_simulator() -> None:
    """Guards: forecasts that know the laws or the draws of the races they are tested on."""
    strangers = {
        f"{file.name} imports {node.module}"
        for file in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
        and str(node.module).startswith(("tracking.simul", "tracking.race", "tracking.prediction.study"))
    }
    assert strangers == set()


def test_a_case_is_taken_once_the_first_rider_has_so_far_to_go(stages: list[StudyStage]) -> None:
    """Guards: cases of other moments than their kilometres say, in the record's rows."""
    cases, _ = stages[0]
    assert [case.at_km for case in cases] == sorted((case.at_km for case in cases), reverse=True)
    for case in cases:
        assert case.at_km - 0.3 < case.to_go_km <= case.at_km
        assert case.finish_in_s > 0
