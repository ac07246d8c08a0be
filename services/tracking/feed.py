"""The feed: the race as JSON, as server-sent events and over WebSocket, for pages and for whoever else watches."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import Field
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from tracking.briefing.briefing import BriefingConfig, read_briefing
from tracking.briefing.history import read_results
from tracking.feeds.api import Answer, Asked, Endpoint, Parameters, credentials, parsed
from tracking.feeds.channel import Channel
from tracking.feeds.compatible import Compatible
from tracking.feeds.deltas import DeltaDocument
from tracking.feeds.documents import (
    CourseDocument,
    EventsDocument,
    ForecastsDocument,
    SmallDocument,
    SnapshotDocument,
    StartListDocument,
    ThresholdsDocument,
    TimelineDocument,
)
from tracking.feeds.gate import Gate, GateConfig, Refused
from tracking.feeds.kept import KeptStates
from tracking.feeds.messages import Message
from tracking.feeds.moment import Moment
from tracking.feeds.moments import Moments, replayed
from tracking.feeds.openapi import openapi
from tracking.feeds.parameters import (
    LATEST_MS,
    EventsParameters,
    ForecastsParameters,
    MomentParameters,
    ReplayParameters,
    StreamParameters,
    TimelineParameters,
)
from tracking.feeds.snapshot import Beside, course_document
from tracking.feeds.story import Story
from tracking.feeds.streaming import tell_events, tell_socket
from tracking.feeds.views import VIEWS, View
from tracking.prediction.record import load_judged, load_record
from tracking.service import Health, ServiceConfig, StageConfig, log, main, together, until
from tracking.store.object_store import ObjectStoreConfig
from tracking.time_trial import trial_of
from tracking.transport.broker import BrokerConfig, hold
from tracking.transport.streams import CONTROL, EVENTS, FORECASTS, STATES, ensure_stream, read_on, states_subject
from tracking.transport.wire import DecodeError, StateFrame, decode_told
from tracking.weather import Temperature, TemperatureAlong

if TYPE_CHECKING:
    from tracking.replay.moments import ArchivedMoments

T = TypeVar("T")
VERSION = "1.1.0"
"""Of what is told; a change that a client can notice is a new one."""


class FeedConfig(ServiceConfig):
    """feed.json"""

    broker: BrokerConfig
    stage: StageConfig
    heartbeat_s: float = Field(default=10.0, gt=0)
    """A comment is sent to silent clients this often, so that they know the line is alive."""
    briefing: BriefingConfig = BriefingConfig()
    """As the processor's: names, rules and starts are shown, and the temperature along the road."""
    results: Path | None = None
    """Results of earlier stages on this node; the start list shows them."""
    judged: Path | None = None
    """Scores of forecasts of races that are over, on this node; shown beside those of simulated stages."""
    object_store: ObjectStoreConfig | None = None
    """The archive, for a past that the broker has forgotten; by default the past is what the broker keeps."""
    gate: GateConfig = GateConfig()
    replays: int = Field(default=50, ge=0)
    """Replays of the past that run at the same time; each is made for one reader."""


def _archived(config: FeedConfig) -> "ArchivedMoments":
    from tracking.replay.moments import ArchivedMoments
    from tracking.store.parts import PartStore  # pyarrow and boto3: most feeds do without

    assert config.object_store is not None
    stage = config.stage
    return ArchivedMoments(PartStore(config.object_store), stage.edition, stage.number, stage.start_ms)


class Feed:
    """The newest state of one race; its routes can be served beside a page's."""

    def __init__(self, config: FeedConfig, moments: Moments | None = None) -> None:
        """`moments`: where the past comes from, by default the broker. Raises `Mistakes` for a course or a briefing
        that cannot be used.
        """
        self._config = config
        stage, known = config.stage, read_briefing(config.stage, config.briefing)
        self._course = course_document(known.course, stage)
        self._temperature = TemperatureAlong(known.course, known.weather) if known.weather else None
        self._states_kept = KeptStates(config.stack)
        self._archived = _archived(config) if config.object_store else None
        self._moments: Moments = moments or self._archived or self._states_kept
        results = read_results(config.results) if config.results else ()
        thresholds = ThresholdsDocument(split_s=known.rules.split_s, join_s=known.rules.join_s)
        trial = trial_of(stage.kind, known.course, known.roster, known.starts, stage.start_ms)
        self._story = Story(stage, known.roster, thresholds, results, known.leader, trial)
        self._moment = Moment(None, stage, config.stack, self._story.beside())
        self._states, self._deltas, self._live = (Channel(config.heartbeat_s) for _ in range(3))
        self._views: dict[View, Channel] = {view: Channel(config.heartbeat_s) for view in VIEWS}
        self._record = load_record()
        if config.judged and (judged := load_judged(config.judged)):
            self._record = {**(self._record or {}), "judged": judged}
        self._gate = Gate(config.gate)
        self._heard: dict[str, tuple[object, int]] = {}
        self._connected = False
        self._corrupt = self._replays = 0
        self._over = asyncio.Event()
        compatible = Compatible(
            config.stage, self._course, lambda: self._moment, self._story.start_list, self._tell_live
        )
        self.endpoints = (*self._endpoints(), *compatible.endpoints())
        description = Answer.of(openapi(self.endpoints, VERSION))
        self.routes: tuple[BaseRoute, ...] = (
            *(endpoint.route(self._gate) for endpoint in self.endpoints),
            Endpoint("/api/openapi.json", "This", dict, Parameters, lambda _: description).route(self._gate),
            WebSocketRoute("/api/ws", self._tell_socket),
        )

    def course(self) -> CourseDocument:
        """What /api/course answers."""
        return self._course

    def snapshot(self) -> SnapshotDocument:
        """What /api/snapshot answers; its status is `waiting` until a state has come."""
        return self._moment.document

    def start_list(self) -> StartListDocument:
        """What /api/startlist answers."""
        return self._story.start_list()

    async def health(self) -> Health:
        """Healthy while the broker is there."""
        frame = self._moment.frame
        counts = {
            "clients": self._gate.streams,
            "corrupt": self._corrupt + self._story.corrupt,
            "clock_ms": frame.clock_ms if frame else None,
            "events": len(self._story.events),
            "forecasts": len(self._story.forecasts),
            **self._gate.counts(),
        }
        if not self._connected:
            return Health(False, f"the broker at {self._config.broker.url} is away", counts)
        return Health(True, self._gate.trouble or "states are served", counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the race until stopped; then every stream ends in order, and its client goes elsewhere."""
        following = hold([self._config.broker], "feed", self._follow)
        await until(stopping, together(following, *(channel.run() for channel in self._channels)))
        self._over.set()
        for channel in self._channels:
            channel.close()

    @property
    def _channels(self) -> tuple[Channel, ...]:
        return self._states, self._deltas, self._live, *self._views.values()

    async def _follow(self, client: Client) -> None:
        js = client.jetstream()
        await ensure_stream(js, STATES)
        subject = states_subject(self._config.stack)
        await client.subscribe(subject, cb=self._hear)
        try:
            last = await js.get_last_msg(STATES, subject)
            self._show(last.data or b"")
        except NotFoundError:
            log("no-state-yet", subject=subject)
        self._states_kept.connect(js)
        self._connected = True
        try:
            await together(
                self._listen(js, EVENTS, self._story.hear_event),
                self._listen(js, CONTROL, self._story.hear_decision),
                self._listen(js, FORECASTS, self._story.hear_forecast),
            )
        finally:
            self._connected = False
            self._states_kept.connect(None)

    async def _listen(self, js: JetStreamContext, stream: str, hear: Callable[[bytes], None]) -> None:
        """Take in all that a stream has for this race, from where an earlier connection was lost."""
        created = (await ensure_stream(js, stream)).created
        known, next_seq = self._heard.get(stream, (None, 1))
        async for messages in read_on(js, stream, next_seq if known == created else 1):
            for message in messages:
                self._heard[stream] = created, message.metadata.sequence.stream + 1
                if message.subject == f"{stream.lower()}.{self._config.stack}":
                    hear(message.data)

    async def _hear(self, message: Msg) -> None:
        self._show(message.data)

    def _show(self, data: bytes) -> None:
        try:
            frame = decode_told(data, self._config.stage.start_ms, time.time())
        except DecodeError as error:
            self._corrupt += 1
            log("corrupt-state", reason=str(error))
            return
        if self._archived:
            self._archived.note(frame)
        shown = self._moment.frame
        if shown and (frame.run, frame.clock_ms) <= (shown.run, shown.clock_ms):
            return
        self._story.see(frame)
        config = self._config
        beside = replace(self._story.beside(), temperature=self._temperature_at(frame))
        self._tell(Moment(frame, config.stage, config.stack, beside), frame)

    def _temperature_at(self, frame: StateFrame) -> Temperature | None:
        return self._temperature.at(frame.clock_ms) if self._temperature else None

    def _tell(self, moment: Moment, frame: StateFrame) -> None:
        before, self._moment = self._moment, moment
        ident = str(frame.clock_ms)
        if before.frame and before.frame.run != frame.run:
            for channel in self._channels:
                channel.forget()
        follows = before.frame is not None and before.frame.run == frame.run
        step = Message("delta", ident, lambda: (moment.delta_since(before),)) if follows else None
        self._states.publish(Message("state", ident, lambda: (moment.answer.body,)))
        self._live.publish(Message("update", ident, moment.updates))
        self._deltas.publish(Message("snapshot", ident, lambda: (moment.answer.body,)), step)
        for view, channel in self._views.items():
            whole = Message("snapshot", ident, partial(_small, moment, view))
            channel.publish(whole, Message("delta", ident, partial(_small, moment, view, before)) if follows else None)

    def _endpoints(self) -> tuple[Endpoint[Any], ...]:
        """All that is answered, in the order of the documentation."""
        moment = {"time_ms": self._config.stage.start_ms}
        replay = {"from_ms": moment["time_ms"], "speed": 60}
        course = Answer.of(self._course)
        return (
            Endpoint("/api/course", "The road of the stage", CourseDocument, Parameters, lambda _: course),
            Endpoint("/api/snapshot", "The race now", SnapshotDocument, Parameters, lambda _: self._moment.answer),
            Endpoint(
                "/api/stream",
                "The race from now on, each new second as an event",
                SnapshotDocument | SmallDocument | DeltaDocument,
                StreamParameters,
                tells=self._tell_stream,
                events=("state", "snapshot", "delta"),
            ),
            Endpoint("/api/startlist", "Who started", StartListDocument, Parameters, self._start_list),
            Endpoint("/api/events", "What happened, newest first", EventsDocument, EventsParameters, self._events),
            Endpoint(
                "/api/forecasts",
                "What was foretold, newest first",
                ForecastsDocument,
                ForecastsParameters,
                self._forecasts,
            ),
            Endpoint("/api/timeline", "What a scrubber shows", TimelineDocument, TimelineParameters, self._timeline),
            Endpoint(
                "/api/moments/{time_ms}",
                "The race at a moment of the past",
                SnapshotDocument,
                MomentParameters,
                self._at,
                example=moment,
            ),
            Endpoint(
                "/api/replay",
                "The race from a moment of the past on, as /api/stream tells it",
                SnapshotDocument,
                ReplayParameters,
                tells=self._tell_replay,
                events=("state",),
                example=replay,
            ),
        )

    def _start_list(self, asked: Parameters) -> Answer:
        return Answer.of(self.start_list())

    def _events(self, asked: EventsParameters) -> Answer:
        return Answer.of(EventsDocument(events=list(self._story.events)[: asked.limit]))

    def _forecasts(self, asked: ForecastsParameters) -> Answer:
        return Answer.of(ForecastsDocument(forecasts=list(self._story.forecasts)[: asked.limit], record=self._record))

    async def _timeline(self, asked: TimelineParameters) -> Answer:
        span = await self._span()
        from_ms = asked.from_ms if asked.from_ms is not None else span[0]
        to_ms = asked.to_ms if asked.to_ms is not None else span[1]
        events = list(self._story.between(from_ms or 0, to_ms or LATEST_MS))
        return Answer.of(TimelineDocument(from_ms=from_ms, to_ms=to_ms, events=events))

    async def _span(self) -> tuple[int | None, int | None]:
        """From when to when there is something to show."""
        kept = None
        with contextlib.suppress(Refused):  # what is known now is better than nothing
            kept = await _of_the_past(self._moments.span())
        frame = self._moment.frame
        first_ms = kept[0] if kept else self._config.stage.start_ms if frame else None
        return first_ms, frame.clock_ms if frame else kept[1] if kept else None

    async def _at(self, asked: MomentParameters) -> Answer:
        frame = await _of_the_past(self._moments.at(asked.time_ms))
        if frame is None:
            raise Refused(404, f"Nothing is kept of {asked.time_ms}; /api/timeline says from when to when there is.")
        return self._past(frame).answer

    def _past(self, frame: StateFrame) -> Moment:
        events = tuple(reversed(self._story.between(0, frame.clock_ms)))
        forecast = next((told for told in self._story.forecasts if told["clock_ms"] <= frame.clock_ms), None)
        times = tuple(time for time in self._story.times if time["time_ms"] <= frame.clock_ms)
        now = self._moment.beside
        beside = Beside(
            events,
            forecast,
            now.thresholds,
            now.jerseys,
            temperature=self._temperature_at(frame),
            replay=True,
            trial=self._story.trial,
            times=times,
        )
        return Moment(frame, self._config.stage, self._config.stack, beside)

    async def _tell_stream(self, asked: Asked[StreamParameters]) -> None:
        await tell_events(asked, self._channel_of(asked.parameters), self._config.door.patience_s)

    def _channel_of(self, asked: StreamParameters) -> Channel:
        if asked.view is not None:
            return self._views[asked.view]
        return self._deltas if asked.deltas else self._states

    async def _tell_live(self, asked: Asked[Parameters]) -> None:
        await tell_events(asked, self._live, self._config.door.patience_s)

    async def _tell_replay(self, asked: Asked[ReplayParameters]) -> None:
        if self._replays >= self._config.replays:
            raise Refused(429, "Too many replays run already; come back later.", {"retry-after": "30"})
        channel = Channel(self._config.heartbeat_s)
        self._replays += 1
        try:
            playing = asyncio.ensure_future(together(channel.run(), self._play(channel, asked.parameters)))
            try:
                await tell_events(asked, channel, self._config.door.patience_s)
            finally:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
        finally:
            self._replays -= 1

    async def _play(self, channel: Channel, asked: ReplayParameters) -> None:
        """Publish what was, until it is over or the feed is stopped; then the stream ends."""
        over = asyncio.ensure_future(self._over.wait())
        try:
            async with contextlib.aclosing(replayed(self._moments, asked.from_ms, asked.speed)) as frames:
                async for frame in frames:
                    document = self._past(frame).answer.body
                    channel.publish(Message("state", str(frame.clock_ms), partial(_alone, document)))
                    if over.done():
                        break
        except Exception as error:  # whatever keeps the past must not end the live race
            log("replay-ended", reason=f"{type(error).__name__}: {error}")
        finally:
            over.cancel()
            channel.close()

    async def _tell_socket(self, socket: WebSocket) -> None:
        try:
            caller = self._gate.admit(*credentials(socket))
            asked = parsed(StreamParameters, socket)
            with self._gate.streaming(caller):
                await socket.accept()
                patience_s = self._config.door.patience_s
                await tell_socket(socket.receive, socket.send, self._channel_of(asked), asked.last_event_id, patience_s)
        except Refused as refused:
            await socket.close(1008, refused.sentence[:120])


async def _of_the_past(asked: Awaitable[T]) -> T:
    """What is kept of the past; `Refused` (503) where that cannot be reached, whatever keeps it."""
    try:
        return await asked
    except Refused:
        raise
    except Exception as error:
        log("past-away", reason=f"{type(error).__name__}: {error}")
        raise Refused(503, "What is kept of the past is away; come back later.", {"retry-after": "5"}) from None


def _alone(document: bytes) -> tuple[bytes]:
    return (document,)


def _small(moment: Moment, view: View, before: Moment | None = None) -> tuple[bytes]:
    """A view of a moment; since another one, where there is one before."""
    return (moment.small_delta_since(before, view) if before else orjson.dumps(moment.small(view)),)


if __name__ == "__main__":
    main(FeedConfig, Feed)
