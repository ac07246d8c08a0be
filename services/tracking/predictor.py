"""The predictor: forecasts the rest of the race every ten seconds, and logs each forecast before its outcome.

The log is a stream of its own. A forecast is published once, under an id of its race and moment, and never again: a
predictor that starts anew reads back what forecasts remember, and goes on behind the last one that was logged. What it
could only say late, after an outage, it does not say: nobody could tell it from hindsight. Of a time trial it says
nothing: nobody is caught there, and the first across the line is not the winner.
"""

import asyncio
import json
import time

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from starlette.routing import BaseRoute

from tracking.briefing.stage import stage_course
from tracking.prediction.forecaster import Forecaster, why_silent
from tracking.prediction.model import ModelError, load_model
from tracking.service import Health, Mistakes, ServiceConfig, StageConfig, log, main, until
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.streams import (
    FORECASTS,
    MSG_ID,
    STATES,
    ensure_stream,
    forecasts_subject,
    read_on,
    states_subject,
)
from tracking.transport.wire import DecodeError, StateFrame, decode_states

RUN = "Etape-Run"
"""Header of a forecast: the run of the race that it is of."""
LOOK_BACK = 1500
"""State frames that are read again on a fresh connection: more than forecasts remember, and than may be late."""
LATE_NS = 30_000_000_000
"""A frame that was published longer ago than this is remembered, but nothing is forecast from it."""


class PredictorConfig(ServiceConfig):
    """predictor.json"""

    broker: BrokerConfig
    stage: StageConfig


class Predictor:
    """The forecasts of one race."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: PredictorConfig) -> None:
        """Raises `Mistakes` for a course or a fitted model that cannot be used."""
        self._course = stage_course(config.stage)
        try:
            self._model = load_model()
        except ModelError as error:
            raise Mistakes([str(error)]) from None
        self._silence = why_silent(self._course, config.stage.kind)
        self._config = config
        self._race: tuple[int, np.ndarray] | None = None
        self._forecaster = self._new_forecaster()
        self._logged = (0, 0)
        self._forecasts = self._late = self._corrupt = 0
        self._state = "compiling the forecasts"

    async def health(self) -> Health:
        """Healthy while the broker is there; before the race there is nothing to forecast."""
        counts = {
            "forecasts": self._forecasts,
            "late": self._late,
            "corrupt": self._corrupt,
            "clock_ms": self._logged[1] or None,
            "model": self._model.name,
        }
        return Health(bool(self._silence) or self._state == "forecasts are logged", self._state, counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Forecast until stopped."""
        if self._silence:
            self._state = f"nothing is forecast: {self._silence}"
            await stopping.wait()
            return
        await asyncio.to_thread(self._forecaster.rehearse)
        self._state = f"the broker at {self._config.broker.url} is away"
        await until(stopping, hold([self._config.broker], "predictor", self._follow))

    def _new_forecaster(self) -> Forecaster:
        return Forecaster(self._course, self._model, self._config.stage.start_ms)

    async def _follow(self, client: Client) -> None:
        js = client.jetstream()
        stream = await ensure_stream(js, STATES)
        await ensure_stream(js, FORECASTS)
        self._race = None
        self._logged = await self._last_logged(js)
        away, self._state = self._state, "forecasts are logged"
        try:
            async for messages in read_on(js, STATES, stream.state.last_seq - LOOK_BACK + 1):
                for message in messages:
                    await self._take(message, js)
        finally:
            self._state = away

    async def _last_logged(self, js: JetStreamContext) -> tuple[int, int]:
        """(run, clock) of the newest forecast of this race, whoever made it; (0, 0) where there is none."""
        try:
            last = await js.get_last_msg(FORECASTS, forecasts_subject(self._config.stack))
            return int((last.headers or {})[RUN]), int(json.loads(last.data or b"")["clock_ms"])
        except (NotFoundError, KeyError, ValueError):
            return 0, 0

    async def _take(self, message: Msg, js: JetStreamContext) -> None:
        if message.subject != states_subject(self._config.stack):  # amended later: nobody could know it at the time
            return
        try:
            frame = decode_states(message.data)
        except DecodeError as error:
            self._corrupt += 1
            log("corrupt-state", reason=str(error))
            return
        await self._forecast(frame, js)

    async def _forecast(self, frame: StateFrame, js: JetStreamContext) -> None:
        numbers = frame.riders["rider"]
        if self._race is None or frame.run != self._race[0] or not np.array_equal(numbers, self._race[1]):
            log("race", run=frame.run)
            self._race, self._forecaster = (frame.run, numbers), self._new_forecaster()
        if not self._forecaster.take(frame.riders, frame.clock_ms):
            return
        if (frame.run, frame.clock_ms) <= self._logged:
            return
        if time.time_ns() - frame.published_ns > LATE_NS:
            self._late += 1
            return
        document = self._forecaster.forecast(frame.clock_ms, numbers)
        if document is None:
            return
        headers = {MSG_ID: f"{frame.run}-{frame.clock_ms}", RUN: str(frame.run)}
        data = json.dumps(document, separators=(",", ":")).encode()
        await js.publish(forecasts_subject(self._config.stack), data, headers=headers)
        self._logged = (frame.run, frame.clock_ms)
        self._forecasts += 1


if __name__ == "__main__":
    main(PredictorConfig, Predictor)
