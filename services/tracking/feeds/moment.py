"""The race at one second in every shape in which it is told; each is made when it is first asked for."""

from functools import cached_property

import orjson

from tracking.feeds.api import Answer
from tracking.feeds.deltas import delta_of
from tracking.feeds.documents import SmallDocument, SnapshotDocument
from tracking.feeds.race_2015 import race_2015
from tracking.feeds.race_center import telemetry, updates
from tracking.feeds.snapshot import Beside, snapshot_document
from tracking.feeds.views import View, small
from tracking.service import StageConfig
from tracking.transport.wire import StateFrame


class Moment:
    """A state frame and what was known beside it; without a frame, a race that nobody has seen."""

    def __init__(self, frame: StateFrame | None, stage: StageConfig, stack: str, beside: Beside) -> None:
        self.frame = frame
        self.beside = beside
        self._stage = stage
        self._stack = stack
        self._small: dict[View, SmallDocument] = {}

    @cached_property
    def document(self) -> SnapshotDocument:
        """The snapshot."""
        return snapshot_document(self.frame, self._stage, self._stack, self.beside)

    @cached_property
    def answer(self) -> Answer:
        """The snapshot as JSON."""
        return Answer.of(self.document)

    @cached_property
    def race_2015(self) -> Answer:
        """As clients of 2015 read it."""
        return Answer.of(race_2015(self.document, self.beside.jerseys))

    @cached_property
    def telemetry(self) -> Answer:
        """The riders as the Race Center's clients ask for them."""
        riders = telemetry(self.document, self.beside.jerseys)
        return Answer.of([] if riders is None else [riders])

    def updates(self) -> tuple[bytes, ...]:
        """What the Race Center's clients are sent, as JSON."""
        return tuple(orjson.dumps(update) for update in updates(self.document, self.beside.jerseys))

    def delta_since(self, before: "Moment") -> bytes:
        """What changed, as JSON."""
        return orjson.dumps(delta_of(before.document, self.document))

    def small(self, view: View) -> SmallDocument:
        """As a small page sees it."""
        if view not in self._small:
            self._small[view] = small(self.document, view)
        return self._small[view]

    def small_delta_since(self, before: "Moment", view: View) -> bytes:
        """What changed of a view, as JSON."""
        return orjson.dumps(delta_of(before.small(view), self.small(view)))
