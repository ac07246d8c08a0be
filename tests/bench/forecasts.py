"""How good the forecasts are on simulated stages that no study has seen, and what one costs.

Every course but those of time trials is ridden with seeds of its own, tracked with all faults of the radio, and
forecast from what the tracker saw at 50, 30, 20, 10 and 5 km to go by the model that comes with the package. The peers
are what anybody could say: the base rate, Chapatte's rule, an even chance for everybody in front, the mean speed so
far. All of it is simulated; of real races it says nothing. So few stages leave wide margins: record.json of the package
holds the larger study.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from tracking.course import read_course
from tracking.prediction.forecast import forecast
from tracking.prediction.forecaster import why_silent
from tracking.prediction.model import load_model
from tracking.prediction.pace import profile_of
from tracking.prediction.study.cases import Case, cases_of
from tracking.prediction.study.record import SCORED_KM, catch_scores, finish_scores, score, winner_scores
from tracking.prediction.study.stages import ride_stage

from tests.bench.figure import Figure

COURSES = Path(__file__).parents[2] / "stacks" / "courses"
SEEDS = range(500_000, 500_006)
GOAL_MS = 50.0
COVERED = 0.8


def figures() -> Iterator[Figure]:
    """Scores of the forecasts of a catch, the winner and the finish, each beside its peer in the same unit."""
    model = load_model()
    cases: list[Case] = []
    for file in sorted(COURSES.glob("*.geojson")):
        course = read_course(file)
        if why_silent(course):
            continue
        for seed in SEEDS:
            cases += cases_of(ride_stage(course, seed), file.stem, seed, profile_of(course), SCORED_KM)
    scored = score(cases, model)
    began = time.process_time()
    for case in cases:
        forecast(case.window, model, case.profile)
    each_ms = (time.process_time() - began) / len(cases) * 1000
    catch = catch_scores([one for one in scored if one.forecast.catch is not None])
    winner, finish = winner_scores(scored), finish_scores(scored)
    yield Figure("forecasts.simulated_stages", len({(case.course, case.seed) for case in cases}), "stages")
    yield Figure("forecasts.update", round(each_ms, 2), "ms", goal=GOAL_MS)
    yield _beside("forecasts.catch_brier", catch["brier"], "Brier", catch["brier_base_rate"], "base rate")
    yield _beside("forecasts.catch_brier_rule", catch["brier"], "Brier", catch["brier_chapatte"], "Chapatte's rule")
    yield _beside("forecasts.catch_log_loss", catch["log_loss"], "nats", catch["log_loss_base_rate"], "base rate")
    yield _beside("forecasts.winner_log_loss", winner["log_loss"], "nats", winner["log_loss_even"], "even chance")
    yield _beside(
        "forecasts.winner_log_loss_front", winner["log_loss"], "nats", winner["log_loss_front"], "even in front"
    )
    yield _beside("forecasts.winner_brier", winner["brier"], "Brier", winner["brier_even"], "even chance")
    yield _beside(
        "forecasts.finish_error", finish["error_s"], "s", finish["error_at_mean_speed_s"], "mean speed so far"
    )
    yield Figure("forecasts.finish_coverage", finish["coverage_of_80_percent"], "share", goal=COVERED, higher=True)


def _beside(name: str, value: float, unit: str, peer: float, peer_name: str) -> Figure:
    """The goal is to be better than the peer."""
    return Figure(name, value, unit, goal=peer, peer=peer, peer_name=peer_name)
