"""The shapes of the race's live API of 2015 to 2018, which clients of that time still read.

What such clients do, and so need: they take `/race/` every few seconds and stop where it is `null`; they expect the
first group to be the head of the race with at least one rider; they subtract and format distances (km), speeds (km/h)
and `GapToLeadingGroupT` (s, 0 for the head) without asking whether they are there; they compare `TimeStampEpochInt`
(s) with their own clock and give up after some minutes; they look riders up in `/rider` by `Id`, the number on the
back, and split `GeneralClassification` at ", " into a rank and hh:mm:ss. A rider of whom nothing is known is left out.
"""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from tracking.feeds.documents import (
    CourseDocument,
    GroupDocument,
    Jersey,
    RiderDocument,
    SnapshotDocument,
    StarterDocument,
    StartListDocument,
)
from tracking.feeds.trial_view import groups_for_clients

DAY_MS = 86_400_000
GONE = 2
"""Quality of riders who are not known to be anywhere."""
USUAL_SPEED_MS = 11.0
LEADERS: Mapping[Jersey, Literal["General", "Sprint", "Mountain", "Youth"]] = {
    "yellow": "General",
    "green": "Sprint",
    "polka_dot": "Mountain",
    "white": "Youth",
}


class Rider2015(TypedDict):
    """A rider in a group."""

    Id: int
    Bib: int
    Latitude: float
    Longitude: float
    Altitude: float
    Gradient: float
    CurrentSpeed: float
    AverageSpeedR: float
    DistanceToFinish: float
    DistanceFromStart: float
    GapToFirstRiderT: float
    GapToPreviousRiderT: float
    HasYellowJersey: bool
    PositionInTheGroup: int
    PositionInTheRace: int


class Group2015(TypedDict):
    """A group on the road."""

    GroupId: int
    GroupName: str
    GroupNameKey: str
    GroupSize: int
    GroupSpeed: float
    GroupAverageSpeed: float
    GroupLatitude: float
    GroupLongitude: float
    Slope: float
    GroupDistanceToFinish: float
    GroupDistanceFromStart: float
    GapToLeadingGroupT: float
    GapToLeadingGroupD: float
    GapToPreviousGroupT: float
    HasGeneralClassificationJersey: bool
    HasSprintJersey: bool
    HasMountainJersey: bool
    HasYouthJersey: bool
    Riders: list[Rider2015]


class Race2015(TypedDict):
    """The race now."""

    StageId: int
    TimeStampEpoch: int
    TimeStampEpochInt: int
    RaceSpeed: float
    RaceMaxSpeed: float
    RaceDistanceToFinish: float
    RaceDistanceFromStart: float
    Groups: list[Group2015]


class Status2015(TypedDict):
    """Where the race is in its day."""

    StageId: int
    Status: Literal["waiting", "live", "finished"]
    IsLive: bool
    TimeStampEpochInt: int | None


class Stage2015(TypedDict):
    """The stage; no other is told here."""

    StageId: int
    StageName: str
    Start: str
    Finish: str
    Distance: float
    StartTime: str
    GeneralClassificationTimeAllStages: str
    YoungClassificationTimeAllStages: str


class RoutePoint2015(TypedDict):
    """A place on the road."""

    Latitude: float
    Longitude: float
    Altitude: float
    DistanceFromStart: float
    DistanceToFinish: float


class Leader2015(TypedDict):
    """Who leads a classification."""

    Classification: Literal["General", "Sprint", "Mountain", "Youth"]
    Id: int


class Starter2015(TypedDict):
    """A rider of the start list."""

    Id: int
    FirstName: str
    LastName: str
    Nationality: str
    TeamName: str
    IsWithdrawn: bool
    GeneralClassification: str
    YoungClassification: str
    SprintClassification: str
    MountainClassification: str


def race_2015(snapshot: SnapshotDocument, jerseys: Mapping[Jersey, int]) -> Race2015 | None:
    """What /race/ answers; None while there is no race to tell."""
    time_s = told_at_s(snapshot)
    riders = {rider["rider"]: rider for rider in snapshot["riders"] if rider["quality"] < GONE}
    groups = [_group(group, riders, jerseys.get("yellow")) for group in groups_for_clients(snapshot)]
    groups = [group for group in groups if group["Riders"]]
    if time_s is None or not groups:
        return None
    head = groups[0]
    return {
        "StageId": snapshot["race"]["stage"],
        "TimeStampEpoch": time_s,
        "TimeStampEpochInt": time_s,
        "RaceSpeed": head["GroupSpeed"],
        "RaceMaxSpeed": max(rider["CurrentSpeed"] for group in groups for rider in group["Riders"]),
        "RaceDistanceToFinish": head["GroupDistanceToFinish"],
        "RaceDistanceFromStart": head["GroupDistanceFromStart"],
        "Groups": groups,
    }


def told_at_s(snapshot: SnapshotDocument) -> int | None:
    """When this was so, Unix seconds: by the race's clock, or by the wall's where the race is not of today."""
    clock_ms, published_ms = snapshot["race"]["clock_ms"], snapshot["health"]["published_ms"]
    if clock_ms is None or published_ms is None:
        return None
    return int((clock_ms if abs(clock_ms - published_ms) < DAY_MS else published_ms) // 1000)


def status_2015(snapshot: SnapshotDocument) -> Status2015:
    """What /race/status answers."""
    status = snapshot["race"]["status"]
    return {
        "StageId": snapshot["race"]["stage"],
        "Status": status,
        "IsLive": status == "live",
        "TimeStampEpochInt": told_at_s(snapshot),
    }


def stage_2015(snapshot: SnapshotDocument, course: CourseDocument) -> Stage2015:
    """What /race/stages/current answers."""
    race = snapshot["race"]
    return {
        "StageId": race["stage"],
        "StageName": f"{race['start']} → {race['finish']}",
        "Start": race["start"],
        "Finish": race["finish"],
        "Distance": course["official_km"],
        "StartTime": race["race_start"],
        "GeneralClassificationTimeAllStages": hours(0),
        "YoungClassificationTimeAllStages": hours(0),
    }


def route_2015(course: CourseDocument) -> list[RoutePoint2015]:
    """What /race/stages/{id}/route answers: places in the order of the road."""
    return [
        {
            "Latitude": point["lat"] or 0.0,
            "Longitude": point["lon"] or 0.0,
            "Altitude": point["ele"] or 0.0,
            "DistanceFromStart": point["km"] or 0.0,
            "DistanceToFinish": round(course["official_km"] - (point["km"] or 0.0), 3),
        }
        for point in course["points"]
    ]


def leaders_2015(jerseys: Mapping[Jersey, int]) -> list[Leader2015]:
    """What /race/stages/{id}/riderclassification answers."""
    return [{"Classification": LEADERS[jersey], "Id": rider} for jersey, rider in jerseys.items()]


def riders_2015(starters: StartListDocument, snapshot: SnapshotDocument) -> list[Starter2015]:
    """What /rider answers."""
    riding = {rider["rider"]: rider for rider in snapshot["riders"]}
    return [_starter(starter, riding.get(starter["rider"])) for starter in starters["riders"]]


def behind_s(gap_s: float | None, gap_m: float | None) -> float:
    """A gap for clients that take it for granted: where nobody saw the head pass, by its length and a usual speed."""
    return gap_s if gap_s is not None else round((gap_m or 0.0) / USUAL_SPEED_MS, 1)


def hours(seconds: float) -> str:
    """hh:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _group(group: GroupDocument, riders: Mapping[int, RiderDocument], yellow: int | None) -> Group2015:
    members = [_rider(riders[number], yellow) for number in group["riders"] if number in riders]
    return {
        "GroupId": group["group_id"] or group["id"],
        "GroupName": group["name"],
        "GroupNameKey": group["name"].lower().replace(" ", "_"),
        "GroupSize": group["size"],
        "GroupSpeed": group["speed_kmh"] or 0.0,
        "GroupAverageSpeed": members[0]["AverageSpeedR"] if members else 0.0,
        "GroupLatitude": members[0]["Latitude"] if members else 0.0,
        "GroupLongitude": members[0]["Longitude"] if members else 0.0,
        "Slope": members[0]["Gradient"] if members else 0.0,
        "GroupDistanceToFinish": group["to_go_km"] or 0.0,
        "GroupDistanceFromStart": group["km"] or 0.0,
        "GapToLeadingGroupT": behind_s(group["gap_s"], group["gap_m"]),
        "GapToLeadingGroupD": round((group["gap_m"] or 0.0) / 1000, 3),
        "GapToPreviousGroupT": group["gap_to_previous_s"] or 0.0,
        "HasGeneralClassificationJersey": "yellow" in group["jerseys"],
        "HasSprintJersey": "green" in group["jerseys"],
        "HasMountainJersey": "polka_dot" in group["jerseys"],
        "HasYouthJersey": "white" in group["jerseys"],
        "Riders": members,
    }


def _rider(rider: RiderDocument, yellow: int | None) -> Rider2015:
    return {
        "Id": rider["rider"],
        "Bib": rider["rider"],
        "Latitude": rider["lat"] or 0.0,
        "Longitude": rider["lon"] or 0.0,
        "Altitude": rider["elevation_m"] or 0.0,
        "Gradient": round((rider["gradient"] or 0.0) * 100, 1),
        "CurrentSpeed": rider["speed_kmh"] or 0.0,
        "AverageSpeedR": rider["speed_average_kmh"] or 0.0,
        "DistanceToFinish": rider["to_go_km"] or 0.0,
        "DistanceFromStart": rider["km"] or 0.0,
        "GapToFirstRiderT": behind_s(rider["gap_s"], rider["gap_m"]),
        "GapToPreviousRiderT": rider["gap_previous_s"] or 0.0,
        "HasYellowJersey": rider["rider"] == yellow,
        "PositionInTheGroup": rider["position_in_group"] or 1,
        "PositionInTheRace": rider["position"],
    }


def _starter(starter: StarterDocument, riding: RiderDocument | None) -> Starter2015:
    first, _, last = (starter["name"] or f"Rider {starter['rider']}").partition(" ")
    rank, gap_s = (riding["virtual_rank"] or 0, riding["virtual_gap_s"] or 0.0) if riding else (0, 0.0)
    return {
        "Id": starter["rider"],
        "FirstName": first,
        "LastName": last,
        "Nationality": starter["nationality"] or "",
        "TeamName": starter["team"] or "",
        "IsWithdrawn": starter["withdrawn_at"] is not None,
        "GeneralClassification": f"{rank}, {hours(gap_s)}",
        "YoungClassification": "",
        "SprintClassification": "",
        "MountainClassification": "",
    }
