"""The story of a race day as the feed has heard it: events, forecasts, race control's decisions, and who started."""

from collections import deque
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from tracking.feeds.documents import EventDocument, ForecastDocument, Jersey, StarterDocument, StartListDocument
from tracking.riders import start_list
from tracking.service import StageConfig, log
from tracking.snapshot import Beside, local_time
from tracking.wire import StateFrame

MAX_EVENTS = 5000
MAX_FORECASTS = 5000
"""More than a day has; the oldest are forgotten."""


class Withdrawal(TypedDict):
    """A rider is out of the race."""

    kind: Literal["withdrawal"]
    rider: int
    at_ms: int


class Jerseyed(TypedDict):
    """A rider wears a jersey from now on."""

    kind: Literal["jersey"]
    jersey: Jersey
    rider: int


class BikeChange(TypedDict):
    """A device rides with another rider; nothing that is told here changes."""

    kind: Literal["bike_change"]
    device: int
    rider: int
    from_ms: int


_EVENT = TypeAdapter(EventDocument)
_FORECAST = TypeAdapter(ForecastDocument)
_DECISION: TypeAdapter[Withdrawal | Jerseyed | BikeChange] = TypeAdapter(Withdrawal | Jerseyed | BikeChange)


class Story:
    """All that is told beside the states. What cannot be read is counted and stepped over."""

    def __init__(self, stage: StageConfig) -> None:
        self.corrupt = 0
        self.forecasts: deque[ForecastDocument] = deque(maxlen=MAX_FORECASTS)
        """Newest first, as all here."""
        self.events: deque[EventDocument] = deque(maxlen=MAX_EVENTS)
        self._stage = stage
        self._jerseys: dict[Jersey, int] = {}
        self._withdrawn_ms: dict[int, int] = {}
        self._since_ms: dict[int, int] = {}
        self._run = 0

    def hear_event(self, data: bytes) -> None:
        """Take in what came over EVENTS."""
        try:
            self.events.appendleft(_EVENT.validate_json(data))
        except ValidationError as error:
            self._step_over("event", error)

    def hear_forecast(self, data: bytes) -> None:
        """Take in what came over FORECASTS."""
        try:
            self.forecasts.appendleft(_FORECAST.validate_json(data))
        except ValidationError as error:
            self._step_over("forecast", error)

    def hear_decision(self, data: bytes) -> None:
        """Take in what came over CONTROL."""
        try:
            decision = _DECISION.validate_json(data)
        except ValidationError as error:
            self._step_over("decision", error)
            return
        if decision["kind"] == "jersey":
            self._jerseys[decision["jersey"]] = decision["rider"]
        elif decision["kind"] == "withdrawal":
            self._withdrawn_ms[decision["rider"]] = decision["at_ms"]

    def see(self, frame: StateFrame) -> None:
        """Note since when each group rides."""
        if frame.run != self._run:
            self._run = frame.run
            self._since_ms.clear()
        here = np.unique(frame.riders["group_id"]).tolist()
        self._since_ms = {group: self._since_ms.get(group, frame.clock_ms) for group in here if group}

    def beside(self) -> Beside:
        """What a snapshot tells beside the states."""
        forecast = self.forecasts[0] if self.forecasts else None
        return Beside(tuple(self.events), forecast, jerseys=dict(self._jerseys), since_ms=self._since_ms)

    def start_list(self) -> StartListDocument:
        """Who started, and who is still in the race."""
        return {"riders": [self._starter(rider) for rider in start_list().tolist()], "teams": []}

    def _starter(self, rider: int) -> StarterDocument:
        withdrawn_ms = self._withdrawn_ms.get(rider)
        return {
            "rider": rider,
            "name": None,
            "team": None,
            "nationality": None,
            "jerseys": self.jerseys_of(rider),
            "withdrawn_at": None if withdrawn_ms is None else local_time(withdrawn_ms, self._stage),
        }

    def jerseys_of(self, rider: int) -> list[Jersey]:
        """What a rider wears."""
        return [jersey for jersey, wearer in self._jerseys.items() if wearer == rider]

    def between(self, from_ms: int, to_ms: int) -> Sequence[EventDocument]:
        """Events of a time, oldest first."""
        return [event for event in reversed(self.events) if from_ms <= event["time_ms"] <= to_ms]

    def _step_over(self, what: str, error: ValidationError) -> None:
        self.corrupt += 1
        log(f"corrupt-{what}", reason=error.errors(include_url=False, include_input=False)[0]["msg"])
