"""The processor's desk for words: hears race control's decisions, and tells what happens in the race.

Events are told by whoever publishes the frames. Each carries an identity that follows from the race alone, so that
another processor, or the same one after a restart, can tell it again without harm.
"""

import json
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from tracking.race_control import Decision, JerseyWorn, Withdrawal, decision_of
from tracking.race_events import RaceEvent, RaceEvents
from tracking.service import log
from tracking.time_trial import Trial, TrialEvents
from tracking.transport.streams import DEDUPLICATION_S, EVENTS, MSG_ID, ensure_stream, events_subject

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

    def memory(self) -> dict[str, Any]:
        """What a processor that goes on from here must know, ready for JSON."""
        return {
            "run": self._run,
            "events": self._events.memory(),
            "decisions": [decision.model_dump() for decision in self.decisions],
            "refused": self.refused,
        }

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Go on where another processor's `memory` ends; where it is none, events are followed from now on."""
        try:
            self.decisions = [decision_of(json.dumps(said).encode()) for said in memory["decisions"]]
            self.refused = int(memory["refused"])
            self._events, self._run = self._followed(memory["events"]), int(memory["run"])
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            log("events-forgotten", reason=str(error))

    def see(self, run: int, states: np.ndarray, noticed: Iterable[RaceEvent] = ()) -> None:
        """Take in the RIDER_STATE (n,) of the next second of a race, and what was noticed in its readings."""
        if run != self._run:
            self._events, self._run = self._followed(), run
        self._clock_ms = int(states["time_ms"].max(initial=0))
        self._to_go_km = round(float(states["to_go_m"].min(initial=0)) / 1000, 1)
        for event in (*noticed, *self._events.follow(states)):
            self._untold.append((f"{run}-{event.identity}", event))

    def _followed(self, memory: Mapping[str, Any] | None = None) -> RaceEvents | TrialEvents:
        """The race from now on, or from where a `memory` ends."""
        if self._trial is not None:
            return TrialEvents(self._trial, memory)
        return RaceEvents() if memory is None else RaceEvents.remembering(memory)

    def forget(self) -> None:
        """The stream begins anew, and with it the decisions."""
        self.decisions.clear()
        self.refused = 0

    def hear(self, message: Msg) -> Decision | None:
        """What race control decided, in its place between the readings; None, counted, for what is no decision."""
        try:
            decision = decision_of(message.data)
        except ValueError as error:
            self.refused += 1
            log("decision-refused", number=message.metadata.sequence.stream, reason=str(error))
            return None
        self.decisions.append(decision)
        log("decision", **decision.model_dump())
        event = event_of(decision, self._clock_ms, self._to_go_km)
        if event is not None and time.time() - message.metadata.timestamp.timestamp() < TOLD_FOR_S:
            self._untold.append((decision.identity, event))
        return decision

    async def tell(self, js: JetStreamContext) -> None:
        """Publish the events that this process has not yet told; one of `tracking.transport.broker.TROUBLE`."""
        while self._untold:
            identity, event = self._untold[0]
            if self._clock_ms - event.time_ms < self._told_for_ms:
                await js.publish(events_subject(self._stack), event.as_json(), headers={MSG_ID: identity})
            self._untold.popleft()

    async def open(self, js: JetStreamContext) -> None:
        """Make the stream where it is missing."""
        await ensure_stream(js, EVENTS)


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
