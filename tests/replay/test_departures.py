"""Devices that go on in a car once their riders have given up, against a race whose truth is known."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from tracking.course import read_course
from tracking.replay.__main__ import main

from tests.replay import rides

COURSE = Path(__file__).parents[2] / "stacks" / "courses" / "2023-09.geojson"
SECONDS, RIDERS = 1400, 80
STANDS, CHASES_MS, GIVES_UP, DRIVES_MS = (160, 290), 17.0, (800, 930), 19.0
"""The rider of the car stands twice, seconds of the recording: the first time the field is caught again."""
IN_CAR = 7


@cache
def truth() -> rides.Ride:
    """A field that stays together, and one who goes past it in a car."""
    ride = rides.race(read_course(COURSE), SECONDS, RIDERS, seed=3)
    field = np.median(ride.distance, axis=1, keepdims=True)
    together = field + 0.2 * (ride.distance - field)
    for t in range(STANDS[0], SECONDS):
        here, place = together[t - 1, IN_CAR - 1], together[t, IN_CAR - 1]
        if t < STANDS[1] or GIVES_UP[0] <= t < GIVES_UP[1]:
            together[t, IN_CAR - 1] = here
        else:
            together[t, IN_CAR - 1] = here + DRIVES_MS if t >= GIVES_UP[1] else min(here + CHASES_MS, place)
    return replace(ride, distance=together)


def replayed(folder: Path) -> pl.DataFrame:
    pq.write_table(rides.record(read_course(COURSE), truth(), 5, faults=False), folder / "r.parquet")
    out = folder / "states.parquet"
    assert main([str(folder / "r.parquet"), "--course", str(COURSE), "--out", str(out)]) == 0
    second = (pl.col("time_ms") - truth().first_ms) // 1000
    return pl.read_parquet(out).with_columns(pl.col("quality").cast(pl.String), second=second)


def test_a_device_in_a_car_is_lost_from_when_its_rider_gave_up_and_leads_nobody(tmp_path: Path) -> None:
    """Guards: a rider who has left the race and leads it, until the live watch finds him out minutes later."""
    states = replayed(tmp_path)
    device = states.filter(pl.col("rider") == IN_CAR)
    left = device.filter(pl.col("second") > GIVES_UP[0] + 20)
    assert left["quality"].unique().to_list() == ["lost"]
    assert (left["group"] == 0).all()
    assert (left["position"] == RIDERS).all()
    back = device.filter(pl.col("second").is_between(STANDS[1] + 300, GIVES_UP[0] - 20))
    assert (back["quality"] == "fresh").mean() > 0.95
    others = states.filter((pl.col("rider") != IN_CAR) & (pl.col("second") > GIVES_UP[0]))
    assert others["gap_s"].max() < 30.0
