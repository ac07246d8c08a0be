"""The processor's desk for words: hears race control's decisions, and tells what happens in the race.

Events are told by whoever publishes the frames. Each carries an identity that follows from the race alone, so that
another processor, or the same one after a restart, can tell it again without harm.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from nats.js import JetStreamContext

from tracking.race_control import Decision, JerseyWorn, Withdrawal, decision_of
from tracking.race_events import RaceEvent, RaceEvents
from tracking.service import log
from tracking.streams import (
    CONTROL,
    DEDUPLICATION_S,
    EVENTS,
    MSG_ID,
    control_subject,
    ensure_stream,
    events_subject,
    read_on,
)
from tracking.time_trial import Trial, TrialEvents

TOLD_FOR_S = DEDUPLICATION_S / 2
"""Older events are not told again: the broker may not know them any more."""


class RaceDesk:
    """One race day's."""

    def __init__(self, stack: str, speed: float = 1.0, trial: Trial | None = None) -> None:
        """`speed`: race seconds in a second. `trial`: where the stage is a time trial."""
        self.decisions: list[Decision] = []
        """All so far, in the order in which they were made."""
        self.refused = 0
        """Messages of race control that are no decision."""
        self._stack = stack
        self._told_for_ms = 1000 * TOLD_FOR_S * speed
        self._trial = trial
        self._events = self._followed()
        self._run = 0
        self._clock_ms = 0
        self._to_go_km = 0.0
        self._untold: deque[tuple[str, RaceEvent]] = deque()
        self._heard: tuple[object, int] = (None, 0)

    def memory(self) -> dict[str, Any]:
        """What a processor that goes on from here must know, ready for JSON."""
        return {"run": self._run, "events": self._events.memory()}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Go on where another processor's `memory` ends; where it is none, events are followed from now on."""
        try:
            self._events, self._run = self._followed(memory["events"]), int(memory["run"])
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            log("events-forgotten", reason=str(error))

    def see(self, run: int, states: np.ndarray) -> None:
        """Take in the RIDER_STATE (n,) of the next second of a race."""
        if run != self._run:
            self._events, self._run = self._followed(), run
        self._clock_ms = int(states["time_ms"].max(initial=0))
        self._to_go_km = round(float(states["to_go_m"].min(initial=0)) / 1000, 1)
        for event in self._events.follow(states):
            self._untold.append((f"{run}-{event.identity}", event))

    def _followed(self, memory: Mapping[str, Any] | None = None) -> RaceEvents | TrialEvents:
        """The race from now on, or from where a `memory` ends."""
        if self._trial is not None:
            return TrialEvents(self._trial, memory)
        return RaceEvents() if memory is None else RaceEvents.remembering(memory)

    async def listen(self, js: JetStreamContext, take_effect: Callable[[Decision], None]) -> None:
        """Hear every decision of this race once, from the first one on, over all connections."""
        created = (await ensure_stream(js, CONTROL)).created
        if self._heard[0] != created:
            self._heard = created, 0
            self.decisions.clear()
        async for messages in read_on(js, CONTROL, self._heard[1] + 1):
            for message in messages:
                self._heard = created, message.metadata.sequence.stream
                if message.subject == control_subject(self._stack):
                    age_s = time.time() - message.metadata.timestamp.timestamp()
                    self._hear(message.data, message.metadata.sequence.stream, age_s, take_effect)

    def _hear(self, data: bytes, number: int, age_s: float, take_effect: Callable[[Decision], None]) -> None:
        try:
            decision = decision_of(data)
        except ValueError as error:
            self.refused += 1
            log("decision-refused", number=number, reason=str(error))
            return
        self.decisions.append(decision)
        take_effect(decision)
        log("decision", **decision.model_dump())
        event = event_of(decision, self._clock_ms, self._to_go_km)
        if event is not None and age_s < TOLD_FOR_S:
            self._untold.append((f"control-{number}", event))

    async def tell(self, js: JetStreamContext) -> None:
        """Publish the events that this process has not yet told; one of `tracking.broker.TROUBLE`."""
        while self._untold:
            identity, event = self._untold[0]
            if self._clock_ms - event.time_ms < self._told_for_ms:
                await js.publish(events_subject(self._stack), event.as_json(), headers={MSG_ID: identity})
            self._untold.popleft()

    async def open(self, js: JetStreamContext) -> None:
        """Make the streams where they are missing."""
        for name in (CONTROL, EVENTS):
            await ensure_stream(js, name)


def event_of(decision: Decision, clock_ms: int, to_go_km: float) -> RaceEvent | None:
    """How a decision is told in the race; None for one that only concerns devices."""
    match decision:
        case Withdrawal(rider=rider, at_ms=at_ms):
            return RaceEvent(at_ms, "withdrawal", 0, None, (rider,), to_go_km, f"Rider {rider} has withdrawn.")
        case JerseyWorn(rider=rider, jersey=jersey):
            text = f"Rider {rider} wears the {jersey.replace('_', '-')} jersey."
            return RaceEvent(clock_ms, "jersey", 0, None, (rider,), to_go_km, text)
        case _:
            return None
