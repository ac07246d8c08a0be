"""The story of a race day as the feed has heard it: events, forecasts, race control's decisions, and who started."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tracking.briefing.history import Result
from tracking.briefing.roster import Entrant, Roster
from tracking.feeds.documents import (
    EventDocument,
    ForecastDocument,
    Jersey,
    StarterDocument,
    StartListDocument,
    ThresholdsDocument,
)
from tracking.feeds.snapshot import Beside, local_time
from tracking.race_control import JerseyWorn, Withdrawal, decision_of
from tracking.service import StageConfig, log
from tracking.time_trial import Trial
from tracking.transport.wire import StateFrame

MAX_EVENTS = 5000
MAX_FORECASTS = 5000
"""More than a day has; the oldest are forgotten."""


_EVENT = TypeAdapter(EventDocument)
_FORECAST = TypeAdapter(ForecastDocument)


class Story:
    """All that is told beside the states. What cannot be read is counted and stepped over."""

    def __init__(
        self,
        stage: StageConfig,
        roster: Roster,
        thresholds: ThresholdsDocument,
        results: Sequence[Result] = (),
        leader: int | None = None,
        trial: Trial | None = None,
    ) -> None:
        """`leader`: of the classification before the stage, who wears yellow until race control decides otherwise."""
        self.corrupt = 0
        self.forecasts: deque[ForecastDocument] = deque(maxlen=MAX_FORECASTS)
        """Newest first, as all here."""
        self.events: deque[EventDocument] = deque(maxlen=MAX_EVENTS)
        self.times: deque[EventDocument] = deque(maxlen=MAX_EVENTS)
        """Taken in a time trial; the best ones are events too."""
        self.trial = trial
        self._stage = stage
        self._roster = roster
        self._results = results
        self._thresholds = thresholds
        self._jerseys: dict[Jersey, int] = {} if leader is None else {"yellow": leader}
        self._withdrawn_ms: dict[int, int] = {}
        self._since_ms: dict[int, int] = {}
        self._run = 0

    def hear_event(self, data: bytes) -> None:
        """Take in what came over EVENTS."""
        try:
            event = _EVENT.validate_json(data)
        except ValidationError as error:
            self._step_over("event", str(error))
            return
        if event.get("elapsed_s") is not None:
            self.times.appendleft(event)
        if event["kind"] != "time_check":
            self.events.appendleft(event)

    def hear_forecast(self, data: bytes) -> None:
        """Take in what came over FORECASTS."""
        try:
            self.forecasts.appendleft(_FORECAST.validate_json(data))
        except ValidationError as error:
            self._step_over("forecast", str(error))

    def hear_decision(self, data: bytes) -> None:
        """Take in what came over CONTROL."""
        try:
            decision = decision_of(data)
        except ValueError as error:
            self._step_over("decision", str(error))
            return
        match decision:
            case JerseyWorn():
                self._jerseys[decision.jersey] = decision.rider
            case Withdrawal():
                self._withdrawn_ms[decision.rider] = decision.at_ms

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
        return Beside(
            tuple(self.events),
            forecast,
            self._thresholds,
            dict(self._jerseys),
            self._since_ms,
            trial=self.trial,
            times=tuple(self.times),
        )

    def start_list(self) -> StartListDocument:
        """Who started, and who is still in the race."""
        riders = [self._starter(entrant) for entrant in self._roster.entrants]
        return {"riders": riders, "teams": list(self._roster.teams)}

    def _starter(self, entrant: Entrant) -> StarterDocument:
        withdrawn_ms = self._withdrawn_ms.get(entrant.number)
        return {
            "rider": entrant.number,
            "name": entrant.name,
            "team": entrant.team,
            "nationality": entrant.nationality,
            "jerseys": [jersey for jersey, wearer in self._jerseys.items() if wearer == entrant.number],
            "results": [
                {"year": result.year, "stage": result.stage, "rank": result.rank, "behind_s": result.behind_s}
                for result in self._results
                if result.rider == entrant.number
            ],
            "withdrawn_at": None if withdrawn_ms is None else local_time(withdrawn_ms, self._stage),
        }

    def between(self, from_ms: int, to_ms: int) -> Sequence[EventDocument]:
        """Events of a time, oldest first."""
        return [event for event in reversed(self.events) if from_ms <= event["time_ms"] <= to_ms]

    def _step_over(self, what: str, reason: str) -> None:
        self.corrupt += 1
        log(f"corrupt-{what}", reason=reason)
