"""Endpoints in the shapes that clients of this race read already: those of 2015 to 2018, and the 2020s' Race Center."""

from collections.abc import Callable
from typing import Any

from pydantic import Field

from tracking.feeds.api import Answer, Endpoint, Parameters, Teller
from tracking.feeds.documents import CourseDocument, StartListDocument
from tracking.feeds.gate import Refused
from tracking.feeds.moment import Moment
from tracking.feeds.race_2015 import (
    Leader2015,
    Race2015,
    RoutePoint2015,
    Stage2015,
    Starter2015,
    Status2015,
    leaders_2015,
    riders_2015,
    route_2015,
    stage_2015,
    status_2015,
)
from tracking.feeds.race_center import (
    Checkpoint,
    Competitor,
    Pack,
    StageEntry,
    Team,
    Telemetry,
    Update,
    checkpoints,
    competitors,
    pack,
    stage_entry,
    teams,
)
from tracking.service import StageConfig


class YearParameters(Parameters):
    """Which edition."""

    year: int = Field(ge=1903, le=2100)


class StageParameters(YearParameters):
    """Which stage of which edition."""

    stage: int = Field(ge=0, le=30)


class OldStageParameters(Parameters):
    """Which stage, as `StageId`."""

    stage: int = Field(ge=0, le=30)


class Compatible:
    """Both families of shapes, of one race."""

    def __init__(
        self,
        stage: StageConfig,
        course: CourseDocument,
        now: Callable[[], Moment],
        starters: Callable[[], StartListDocument],
        tell_live: Teller[Any],
    ) -> None:
        self._stage = stage
        self._course = course
        self._now = now
        self._starters = starters
        self._tell_live = tell_live
        self._route = Answer.of(route_2015(course))
        self._checkpoints = Answer.of(checkpoints(course))

    def endpoints(self) -> tuple[Endpoint[Any], ...]:
        """All of them, in the order of the documentation."""
        return (*self._of_2015(), *self._of_race_center())

    def _of_2015(self) -> tuple[Endpoint[Any], ...]:
        number = {"stage": self._stage.number}
        return (
            Endpoint("/race/", "2015: the race now", Race2015 | None, Parameters, lambda _: self._now().race_2015),
            Endpoint("/race", "2015: the race now", Race2015 | None, Parameters, lambda _: self._now().race_2015),
            Endpoint("/race/status", "2015: where the race is in its day", Status2015, Parameters, self._status),
            Endpoint("/race/stages", "2015: the stages told here", list[Stage2015], Parameters, self._stages),
            Endpoint("/race/stages/current", "2015: the stage", Stage2015, Parameters, self._current),
            Endpoint(
                "/race/stages/{stage}/route",
                "2015: the road",
                list[RoutePoint2015],
                OldStageParameters,
                self._old_route,
                example=number,
            ),
            Endpoint(
                "/race/stages/{stage}/riderclassification",
                "2015: who leads the classifications",
                list[Leader2015],
                OldStageParameters,
                self._leaders,
                example=number,
            ),
            Endpoint("/rider", "2015: the start list", list[Starter2015], Parameters, self._riders),
        )

    def _of_race_center(self) -> tuple[Endpoint[Any], ...]:
        year = {"year": self._stage.edition}
        both = {**year, "stage": self._stage.number}
        return (
            Endpoint(
                "/live-stream",
                "Race Center: riders and groups, each new second",
                Update,
                Parameters,
                tells=self._tell_live,
                events=("update",),
            ),
            Endpoint(
                "/api/telemetryCompetitor-{year}",
                "Race Center: the riders now",
                list[Telemetry],
                YearParameters,
                self._telemetry,
                example=year,
            ),
            *(
                Endpoint(
                    f"/api/{bind}-{{year}}-{{stage}}",
                    "Race Center: the groups now",
                    list[Pack],
                    StageParameters,
                    self._pack,
                    example=both,
                )
                for bind in ("pack", "telemetryPack")
            ),
            Endpoint(
                "/api/allCompetitors-{year}",
                "Race Center: the start list",
                list[Competitor],
                YearParameters,
                self._competitors,
                example=year,
            ),
            Endpoint(
                "/api/team-{year}", "Race Center: the teams", list[Team], YearParameters, self._teams, example=year
            ),
            Endpoint(
                "/api/stage-{year}",
                "Race Center: the stages told here",
                list[StageEntry],
                YearParameters,
                self._stage_list,
                example=year,
            ),
            Endpoint(
                "/api/stage-{year}/{stage}",
                "Race Center: the stage",
                list[StageEntry],
                StageParameters,
                self._stage_list,
                example=both,
            ),
            Endpoint(
                "/api/checkpointList-{year}-{stage}",
                "Race Center: the road",
                list[Checkpoint],
                StageParameters,
                lambda asked: self._of(asked, self._checkpoints),
                example=both,
            ),
        )

    def _status(self, asked: Parameters) -> Answer:
        return Answer.of(status_2015(self._now().document))

    def _stages(self, asked: Parameters) -> Answer:
        return Answer.of([stage_2015(self._now().document, self._course)])

    def _current(self, asked: Parameters) -> Answer:
        return Answer.of(stage_2015(self._now().document, self._course))

    def _old_route(self, asked: OldStageParameters) -> Answer:
        self._expect(self._stage.edition, asked.stage)
        return self._route

    def _leaders(self, asked: OldStageParameters) -> Answer:
        self._expect(self._stage.edition, asked.stage)
        return Answer.of(leaders_2015(self._now().beside.jerseys))

    def _riders(self, asked: Parameters) -> Answer:
        return Answer.of(riders_2015(self._starters(), self._now().document))

    def _telemetry(self, asked: YearParameters) -> Answer:
        return self._of(asked, self._now().telemetry)

    def _pack(self, asked: StageParameters) -> Answer:
        now = self._now()
        return self._of(asked, Answer.of([pack(now.document)] if now.frame else []))

    def _competitors(self, asked: YearParameters) -> Answer:
        return self._of(asked, Answer.of(competitors(self._starters(), asked.year)))

    def _teams(self, asked: YearParameters) -> Answer:
        return self._of(asked, Answer.of(teams(self._starters(), asked.year)))

    def _stage_list(self, asked: YearParameters) -> Answer:
        return self._of(asked, Answer.of([stage_entry(self._now().document, self._course)]))

    def _of(self, asked: YearParameters, answer: Answer) -> Answer:
        """The answer, if it was this race that was asked for."""
        self._expect(asked.year, asked.stage if isinstance(asked, StageParameters) else self._stage.number)
        return answer

    def _expect(self, year: int, stage: int) -> None:
        here = self._stage
        if (year, stage) != (here.edition, here.number):
            raise Refused(404, f"Only {here.edition} stage {here.number} is told here; ask for that.")
