"""The predictor on a real broker: every forecast once, none twice, none changed, whatever happens to the process."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import numpy as np
import pytest
from tracking.course import read_course
from tracking.prediction.forecaster import Forecaster
from tracking.prediction.observation import EVERY_S
from tracking.transport.streams import FORECASTS, STATES, ensure_stream, states_subject
from tracking.transport.wire import RaceStatus, StateFrame, encode_states

from tests.prediction.moments import COURSES, model
from tests.prediction.test_forecast import states
from tests.tracking_transport.harness import PASSWORD, STACK, Broker, Service, eventually

RACE_START_MS = 1_499_598_900_000
STAGE = {
    "edition": 2017,
    "number": 9,
    "start": "Nantua",
    "finish": "Chambéry",
    "race_start": "2017-07-09T13:15:00+02:00",
    "official_km": 181.5,
    "course": str(COURSES / "2022-21.geojson"),
}
"""Long enough to be forecast on; what is seen of it are the first minutes of another stage."""
RUN = 1_499_590_000
MOMENTS = 40
NUMBERS = np.arange(1, 199, dtype=np.uint16)


class Cloud:
    """A broker and its predictor, and a processor that this test plays."""

    def __init__(self, folder: Path, stage: dict[str, Any]) -> None:
        self.broker = Broker(folder, "cloud")
        self.predictor = Service(folder, "predictor", {"broker": self.broker.config(), "stage": stage})

    def publish(self, first: int, last: int, age_s: float = 0.0) -> None:
        """The states of these moments of the simulated stage, as if published `age_s` ago."""
        asyncio.run(self._publish(range(first, last), age_s))

    def forecasts(self) -> list[dict[str, Any]]:
        """Everything that was ever logged, in order."""
        return asyncio.run(self._forecasts())

    def has(self, count: int) -> bool:
        return len(self.forecasts()) >= count

    async def _connect(self) -> nats.NATS:
        return await nats.connect(f"nats://127.0.0.1:{self.broker.port}", user="etape", password=PASSWORD)

    async def _publish(self, moments: range, age_s: float) -> None:
        client = await self._connect()
        js = client.jetstream()
        await ensure_stream(js, STATES)
        for index in moments:
            await js.publish(states_subject(STACK), encode_states(frame(index, age_s)))
        await client.close()

    async def _forecasts(self) -> list[dict[str, Any]]:
        client = await self._connect()
        js = client.jetstream()
        await ensure_stream(js, FORECASTS)
        last = (await js.stream_info(FORECASTS)).state.last_seq
        logged = [json.loads((await js.get_msg(FORECASTS, seq)).data or b"") for seq in range(1, last + 1)]
        await client.close()
        return logged


def frame(index: int, age_s: float) -> StateFrame:
    """The state frame of a moment of the simulated stage."""
    riders = states(index)
    riders["rider"] = NUMBERS
    return StateFrame(
        run=RUN,
        clock_ms=clock_of(index),
        ingest_ns=0,
        published_ns=time.time_ns() - round(age_s * 1e9),
        status=RaceStatus.LIVE,
        speed_factor=1.0,
        per_second=0.0,
        readings=0,
        duplicates=0,
        late=0,
        riders=riders,
    )


def clock_of(index: int) -> int:
    return RACE_START_MS + (index + 1) * EVERY_S * 1000


def expected(first: int, last: int) -> list[dict[str, Any]]:
    """What a forecaster says that nothing has happened to."""
    forecaster = Forecaster(read_course(COURSES / "2022-21.geojson"), model(), RACE_START_MS)
    said = []
    for index in range(last):
        forecaster.take(states(index), clock_of(index))
        document = forecaster.forecast(clock_of(index), NUMBERS)
        if index >= first and document is not None:
            said.append(document)
    return said


@pytest.fixture
def cloud(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cloud]:
    made = Cloud(tmp_path, STAGE | getattr(request, "param", {}))
    made.broker.start()
    made.predictor.start()
    try:
        eventually("the predictor is healthy", made.predictor.healthy, within=180)
        yield made
    finally:
        made.predictor.kill()
        made.broker.kill()


def test_a_killed_predictor_goes_on_where_it_was_and_says_nothing_twice(cloud: Cloud) -> None:
    """Guards: a record in which a forecast is doubled, missing, or another one than was first said."""
    cloud.publish(0, MOMENTS // 2)
    first = len(expected(0, MOMENTS // 2))
    eventually("half of the forecasts are logged", lambda: cloud.has(first))
    before = cloud.forecasts()
    cloud.predictor.kill()
    cloud.publish(MOMENTS // 2, MOMENTS)
    cloud.predictor.start()
    eventually("the predictor is healthy again", cloud.predictor.healthy, within=180)
    eventually("all forecasts are logged", lambda: cloud.has(len(expected(0, MOMENTS))))
    logged = cloud.forecasts()
    assert logged[:first] == before
    assert logged == expected(0, MOMENTS)
    assert cloud.predictor.get()["forecasts"] == len(logged) - first


def test_what_can_only_be_said_late_is_not_said(cloud: Cloud) -> None:
    """Guards: forecasts logged after an outage, when the outcome could be known; they are still remembered from."""
    cloud.publish(0, 20, age_s=600.0)
    cloud.publish(20, 22)
    eventually("the present is forecast", lambda: cloud.has(2))
    assert cloud.forecasts() == expected(20, 22)
    assert cloud.predictor.get()["late"] > 0


def test_the_same_states_again_are_not_forecast_again(cloud: Cloud) -> None:
    """Guards: a processor that repeats its last frames, and a record with each of them twice."""
    cloud.publish(0, 12)
    count = len(expected(0, 12))
    eventually("the forecasts are logged", lambda: cloud.has(count))
    cloud.publish(8, 13)
    eventually("the next one is logged", lambda: cloud.has(count + 1))
    assert cloud.forecasts() == expected(0, 13)


def test_without_a_broker_the_predictor_says_who_is_away(cloud: Cloud) -> None:
    """Guards: a service that is well although it does nothing."""
    cloud.broker.kill()
    eventually("it is failing", lambda: not cloud.predictor.healthy())
    assert f"nats://127.0.0.1:{cloud.broker.port} is away" in cloud.predictor.get()["detail"]


@pytest.mark.parametrize("cloud", [{"course": str(COURSES / "2022-01.geojson")}], indirect=True)
def test_on_a_time_trial_s_course_nothing_is_forecast_and_it_says_why(cloud: Cloud) -> None:
    """Guards: a breakaway, a peloton and a winner told of riders who are on the road one by one."""
    cloud.publish(0, 12)
    assert "nothing is forecast: 13 km are less than any stage" in cloud.predictor.get()["detail"]
    assert cloud.predictor.healthy()
    assert cloud.forecasts() == []
