"""Keeps the judgement current and gives it to every page that is open."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tracking.service import log

from manage_centre.day import DayEvent
from manage_centre.estate import Estate
from manage_centre.graph import StackGraph
from manage_centre.history import NOTHING, advance
from manage_centre.hub import Heard
from manage_centre.incidents import find_incidents
from manage_centre.journal import Journal
from manage_centre.report import Facts
from manage_centre.state import judge
from manage_centre.view import render_snapshot

_LOG_SHOWN = 200
_EVERY_S = 1.0
"""Staleness needs no message, so the estate is judged again each second."""
_SOON_S = 0.1
_HEARTBEAT_S = 5.0


class Centre:
    """Hears the hub, judges once a second, and wakes the streams when something is new."""

    def __init__(self, core: str, state_dir: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.estate = Estate(core, now())
        self.journal = Journal(state_dir / "log.jsonl")
        self.journal.open()
        self.hub_since: datetime | None = None
        """Since when the hub is there; None while it is away."""
        self.snapshot: dict[str, Any] = {}
        self._event = ""
        self._history = NOTHING
        self._shown: Any = None
        self._sent_at = now()
        self._version = asyncio.Condition()
        self._dirty = asyncio.Event()
        self.judge_now()

    def hub_is(self, present: bool) -> None:
        """The hub has come or gone."""
        if present != (self.hub_since is not None):
            log("hub", present=present)
            self.estate.watching_since = self._now()
        self.hub_since = self._now() if present else None
        self._dirty.set()

    def hear(self, heard: Heard) -> None:
        """Take a message; one that cannot be read is told once and left out."""
        try:
            if heard.kind == "facts":
                self._hear_facts(Facts.model_validate_json(heard.payload))
                return
            if heard.kind == "estate":
                self.estate.hear_graph(heard.sequence, StackGraph.model_validate_json(heard.payload))
            else:
                self.estate.hear_day(heard.sequence, heard.stack, DayEvent.model_validate_json(heard.payload))
        except ValidationError as error:
            log("not-understood", kind=heard.kind, stack=heard.stack, why=str(error.errors()[0]["msg"]))
        self._dirty.set()

    def _hear_facts(self, facts: Facts) -> None:
        """A heartbeat that says what the one before said can wait for the next second."""
        before = self.estate.reports.get(facts.node)
        self.journal.add(self.estate.hear_facts(facts, self._now()))
        if before is None or (before.facts.ports, before.facts.units) != (facts.ports, facts.units):
            self._dirty.set()

    async def run(self) -> None:
        """Judge soon after something was heard, and tell the pages not more than once a second, until cancelled."""
        while True:
            told = self.judge_now()
            if told:
                async with self._version:
                    self._version.notify_all()
            await asyncio.sleep(_EVERY_S if told else _SOON_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._dirty.wait(), _EVERY_S)
            self._dirty.clear()

    def judge_now(self) -> bool:
        """Judge; True where pages should hear of it: something changed, or the heartbeat is due."""
        now = self._now()
        scene = self.estate.scene(now)
        judgement = judge(scene)
        incidents = find_incidents(scene, judgement)
        self._history, entries = advance(self._history, judgement, incidents, now)
        self.journal.add(entries)
        shown = (judgement, incidents, scene.day, scene.graph.stacks, self.journal.added, self.hub_since)
        due = shown != self._shown or (now - self._sent_at).total_seconds() >= _HEARTBEAT_S
        if due:
            self._shown, self._sent_at = shown, now
            log_lines = self.estate.log(self.journal.entries, _LOG_SHOWN)
            self.snapshot = render_snapshot(scene, judgement, self._history, log_lines)
            self.snapshot["hub"] = {"present": self.hub_since is not None}
            self._event = f"event: snapshot\ndata: {json.dumps(self.snapshot, separators=(',', ':'))}\n\n"
        return due

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events: the snapshot now, then each new one."""
        while True:
            yield self._event
            async with self._version:
                await self._version.wait()
