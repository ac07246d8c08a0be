"""The shapes of what the feeds tell, as types: the code that builds them is checked, and OpenAPI is made from them.

Distances are kilometres or metres, times Unix milliseconds or ISO 8601, as each name says; what is not known is null.
"""

import math
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator
from typing_extensions import TypedDict

from tracking.briefing.start_order import Kind


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


Known = Annotated[float | None, AfterValidator(_known)]
"""A figure of another service, which writes NaN for what it does not know."""
Jersey = Literal["yellow", "green", "polka_dot", "white"]
Status = Literal["waiting", "live", "finished"]


class CoursePoint(TypedDict):
    """A place on the road."""

    km: float | None
    lat: float | None
    lon: float | None
    ele: float | None
    gradient: float | None


class CourseClimb(TypedDict):
    """A climb that counts."""

    name: str | None
    category: str
    from_km: float
    to_km: float
    gain_m: int
    mean_gradient: float


class CourseSprint(TypedDict):
    """An intermediate sprint."""

    name: str | None
    km: float


class CourseDocument(TypedDict):
    """The road, and whose stage it stands in for."""

    name: str
    stands_in_for: str
    attribution: str
    official_km: float
    points: list[CoursePoint]
    climbs: list[CourseClimb]
    sprints: list[CourseSprint]


class RaceDocument(TypedDict):
    """The race as a whole."""

    stack: str
    edition: int
    stage: int
    start: str
    finish: str
    race_start: str
    clock: str | None
    clock_ms: int | None
    speed_factor: float
    status: Status
    km_done: float
    simulated: bool
    kind: Kind


class GroupDocument(TypedDict):
    """A group on the road; gaps are passage times in seconds."""

    id: int
    """Ordinal on the road, from 1 at the head."""
    group_id: int | None
    """The same as long as the group lives."""
    since: str | None
    name: str
    size: int
    riders: list[int]
    jerseys: list[Jersey]
    km: float | None
    to_go_km: float | None
    gap_s: float | None
    gap_m: float | None
    gap_to_previous_s: float | None
    """From the head of the group in front to the head of this one."""
    tail_gap_s: float | None
    """From the last rider of the group in front to the first of this one."""
    length_s: float | None
    """From the first rider of this group to its last."""
    speed_kmh: float | None


class RiderDocument(TypedDict):
    """A rider at one second."""

    rider: int
    km: float | None
    to_go_km: float | None
    lat: float | None
    lon: float | None
    elevation_m: float | None
    heading_deg: float | None
    gradient: float | None
    speed_kmh: float | None
    speed_10s_kmh: float | None
    speed_average_kmh: float | None
    acceleration_ms2: float | None
    power_w: float | None
    """Estimated, never measured."""
    head_wind_kmh: float | None
    """Against the rider above 0."""
    cross_wind_kmh: float | None
    """From the rider's left above 0."""
    temperature_c: float | None
    """Of the air on this part of the road."""
    position: int
    group: int
    group_id: int | None
    position_in_group: int | None
    gap_s: float | None
    gap_m: float | None
    gap_previous_s: float | None
    gap_previous_m: float | None
    gap_yellow_s: float | None
    """Below 0 in front of the yellow jersey."""
    gap_yellow_m: float | None
    virtual_rank: int | None
    virtual_gap_s: float | None
    seen_ms: int
    unseen_s: float | None
    quality: int
    """0 fresh, 1 predicted, 2 lost, 3 finished."""
    revision: int
    """0 as first told, 1 and more where late readings have amended it."""


class FlowDocument(TypedDict):
    """How well the readings flow, and when what is told here was known."""

    readings: int
    per_second: float
    duplicates: int
    late: int
    lag_ms: float | None
    """From the relay to the published state."""
    fix_ms: int | None
    """Race clock of the newest fix that was believed."""
    ingest_ms: float | None
    """Wall clock at which the newest batch left the relay."""
    published_ms: float | None
    """Wall clock at which the state was published."""


class EventDocument(TypedDict):
    """Something that happened in the race."""

    time_ms: int
    kind: Literal[
        "split",
        "merge",
        "attack",
        "catch",
        "finish",
        "withdrawal",
        "jersey",
        "bike_change",
        "time_check",
        "best_time",
        "caught",
    ]
    group_id: int | None
    other_group_id: int | None
    riders: list[int]
    km_to_go: Known
    text: str
    km: NotRequired[Known]
    """Of a time that was taken in a time trial: where ..."""
    elapsed_s: NotRequired[Known]
    """... and how long after the own start."""


class BaselineDocument(TypedDict):
    """What simple rules say of the same question."""

    base_rate: Known
    chapatte: Known


class CatchDocument(TypedDict):
    """Whether the peloton catches the head of the race."""

    probability: float
    at_km_to_go: Known
    in_s: Known
    baselines: BaselineDocument


class WinnerDocument(TypedDict):
    """How likely a rider wins the stage."""

    rider: int
    probability: float


class FinishDocument(TypedDict):
    """When the first rider is expected at the line."""

    median_ms: int
    p10_ms: int
    p90_ms: int


class ForecastDocument(TypedDict):
    """A forecast as it was logged, before anybody knew."""

    clock_ms: int
    km_to_go: float
    catch: CatchDocument | None
    winner: list[WinnerDocument]
    finish: FinishDocument | None
    model: str
    simulated: bool


class ThresholdsDocument(TypedDict):
    """Gaps at which a group splits and two groups join, in seconds."""

    split_s: float
    join_s: float


class TimeDocument(TypedDict):
    """A time that was taken, of a rider or a team."""

    place: int
    name: str
    riders: list[int]
    elapsed_s: float
    gap_s: float


class TimeCheckDocument(TypedDict):
    """A place where times are taken, and the best ones so far."""

    name: str
    km: float
    passed: int
    """How many have a time here."""
    times: list[TimeDocument]


class OnCourseDocument(TypedDict):
    """A rider or a team on the road."""

    name: str
    riders: list[int]
    started_at: str
    km: float | None
    gap_s: float | None
    """Against the best time at this very place; below 0 ahead of it."""
    check: str | None
    """The last time check that was passed, ..."""
    check_place: int | None
    check_gap_s: float | None
    """... and the gap to the best time there, as it is now."""


class StartDocument(TypedDict):
    """Who starts when."""

    name: str
    riders: list[int]
    starts_at: str
    in_s: float


class TimeTrialDocument(TypedDict):
    """What broadcasters show of a time trial."""

    counted: int
    """At which rider a team's time is taken; 1 in an individual time trial."""
    checks: list[TimeCheckDocument]
    """In the order of the road, the finish last."""
    on_course: list[OnCourseDocument]
    """Who started first comes first."""
    next: list[StartDocument]


class SnapshotDocument(TypedDict):
    """The race at one second."""

    race: RaceDocument
    time_trial: TimeTrialDocument | None
    """None where all start together."""
    groups: list[GroupDocument]
    riders: list[RiderDocument]
    events: list[EventDocument]
    forecast: ForecastDocument | None
    thresholds: ThresholdsDocument
    health: FlowDocument
    replay: bool
    """Whether this is the past, told again."""


class SmallRaceDocument(TypedDict):
    """Of the race as a whole, what a small page shows."""

    edition: int
    stage: int
    start: str
    finish: str
    race_start: str
    clock_ms: int | None
    speed_factor: float
    status: Status
    simulated: bool


class SmallGroupDocument(TypedDict):
    """Of a group, what a small page shows: tenths of a kilometre, whole seconds."""

    id: int
    group_id: int | None
    name: str
    size: int
    km: float | None
    to_go_km: float | None
    gap_s: float | None


class SmallRiderDocument(TypedDict):
    """Of a rider, what a small page shows."""

    rider: int
    position: int
    gap_s: float | None
    to_go_km: float | None


class SmallDocument(TypedDict):
    """The race at one second for a small page."""

    race: SmallRaceDocument
    groups: list[SmallGroupDocument]
    riders: list[SmallRiderDocument]


class ResultDocument(TypedDict):
    """How a rider did in an earlier stage."""

    year: int
    stage: int
    rank: int
    behind_s: float | None


class StarterDocument(TypedDict):
    """A rider on the start list."""

    rider: int
    name: str | None
    team: str | None
    nationality: str | None
    jerseys: list[Jersey]
    results: list[ResultDocument]
    """In the order of their file."""
    withdrawn_at: str | None


class StartListDocument(TypedDict):
    """Who started, and who is still in the race."""

    riders: list[StarterDocument]
    teams: list[str]


class EventsDocument(TypedDict):
    """What happened, newest first."""

    events: list[EventDocument]


class TimelineDocument(TypedDict):
    """What a scrubber shows: from when to when, and what happened, oldest first."""

    from_ms: int | None
    to_ms: int | None
    events: list[EventDocument]


class ForecastsDocument(TypedDict):
    """The forecasts of the day, newest first, and how such forecasts have done."""

    forecasts: list[ForecastDocument]
    record: dict[str, Any] | None
    """Scores over simulated stages, beside those of the baselines; it says itself what it holds."""


class Refusal(TypedDict):
    """Why there is no answer, and what to do."""

    detail: str
