"""The shapes of the race's own Race Center of the 2020s, so that its clients can be pointed here unchanged.

What such clients do, and so need: they open `/live-stream` and listen for events named `update`, whose data is
`{"bind", "data"}`; they compare `bind` with `telemetryCompetitor-<year>`, or look whether it begins with `pack`. Riders
come in the order of `secToFirstRider`, which they subtract from each other; `kmToFinish` is in km, speeds in km/h,
`Gradient` in percent, `TimeStamp` in Unix seconds. `Course` is where the rider goes and `RiderWindDir` where the wind
comes from as the rider feels it, both clockwise in degrees: 0 is a head wind, 90 one from the right. Groups have
distances in metres and `relative` in seconds behind the head; `bibs` holds objects with one `bib` each. The same
documents are asked for as `/api/<bind>`, as a list of one, and riders and teams are found by `_id` and `$team`.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal, cast

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
from tracking.feeds.race_2015 import GONE, behind_s, told_at_s
from tracking.feeds.trial_view import groups_for_clients, waits
from tracking.records import FINISHED

CHECKPOINTS = 200
CODES: Mapping[Jersey, Literal["Y", "G", "P", "W"]] = {"yellow": "Y", "green": "G", "polka_dot": "P", "white": "W"}


class TelemetryRider(TypedDict):
    """A rider; what is not known is null."""

    Bib: int
    Pos: int
    Status: Literal["active", "finished"]
    Jersey: Literal["Y", "G", "P", "W"] | None
    Latitude: float | None
    Longitude: float | None
    LatLon: list[float | None]
    mAlt: float | None
    kph: float | None
    kphAvg: float | None
    kmToFinish: float | None
    secToFirstRider: float
    Gradient: float | None
    Course: float | None
    degC: float | None
    kphWind: float | None
    WindDir: int | None
    RiderWindDir: int | None


class Telemetry(TypedDict):
    """All riders at one second."""

    RaceName: str
    RaceStatus: bool
    StageId: str
    StageIndex: int
    TimeStamp: int
    YGPW: list[int | None]
    Riders: list[TelemetryRider]


class Bib(TypedDict):
    """A rider of a group."""

    bib: int


class PackGroup(TypedDict):
    """A group on the road; distances in metres."""

    id: int
    order: int
    name: str
    size: int
    bibs: list[Bib]
    speed: float
    latitude: float | None
    longitude: float | None
    relative: float
    computedRelative: float
    secGapToPrev: float
    completedDistance: int
    remainingDistance: int
    computedRemainingDistance: int
    hasYellowJersey: bool
    hasGreenJersey: bool
    hasPolkaDotJersey: bool
    hasWhiteJersey: bool


class Pack(TypedDict):
    """All groups at one second."""

    date: str | None
    type: str
    groups: list[PackGroup]


class Update(TypedDict):
    """What an event of /live-stream holds."""

    bind: str
    data: Telemetry | Pack


# Keys like "$team" are no names of Python's, so these shapes are written in the other way.
Competitor = TypedDict(
    "Competitor",
    {
        "_id": str,
        "_bind": str,
        "bib": int,
        "firstname": str,
        "lastname": str,
        "lastnameshort": str,
        "nationality": str,
        "$team": str | None,
    },
)


class Team(TypedDict):
    _id: str
    _bind: str
    code: str
    name: str
    nameShort: str


class City(TypedDict):
    """A town."""

    label: str


class StageEntry(TypedDict):
    """A stage of the year."""

    stage: int
    date: str
    type: str
    departureCity: City
    arrivalCity: City
    length: float
    lengthDisplay: float
    startTime: str
    showGroups: bool
    isCancelled: bool


class Checkpoint(TypedDict):
    """A place of the road, in its order."""

    checkpoint: int
    latitude: float | None
    longitude: float | None
    length: float | None


def updates(snapshot: SnapshotDocument, jerseys: Mapping[Jersey, int]) -> tuple[Update, ...]:
    """What one second of the race is on /live-stream; nothing while there is no race to tell."""
    riders = telemetry(snapshot, jerseys)
    if riders is None:
        return ()
    year, stage = snapshot["race"]["edition"], snapshot["race"]["stage"]
    return (
        {"bind": f"telemetryCompetitor-{year}", "data": riders},
        {"bind": f"pack-{year}-{stage}", "data": pack(snapshot)},
    )


def telemetry(snapshot: SnapshotDocument, jerseys: Mapping[Jersey, int]) -> Telemetry | None:
    """The riders who are known to be somewhere, the first of the race first."""
    time_s = told_at_s(snapshot)
    if time_s is None:
        return None
    race = snapshot["race"]
    codes = {jerseys[jersey]: CODES[jersey] for jersey in reversed(tuple(CODES)) if jersey in jerseys}
    known = [rider for rider in snapshot["riders"] if rider["quality"] != GONE and not waits(rider, snapshot)]
    riders = [_rider(rider, codes.get(rider["rider"])) for rider in known]
    return {
        "RaceName": f"TDF {race['edition']}",
        "RaceStatus": race["status"] == "live",
        "StageId": f"{race['stage']:02d}00",
        "StageIndex": race["stage"],
        "TimeStamp": time_s,
        "YGPW": [jerseys.get(jersey) for jersey in CODES],
        "Riders": sorted(riders, key=lambda rider: rider["secToFirstRider"]),
    }


def pack(snapshot: SnapshotDocument) -> Pack:
    """The groups, the head of the race first."""
    places = {rider["rider"]: rider for rider in snapshot["riders"]}
    groups = [_group(group, places[group["riders"][0]]) for group in groups_for_clients(snapshot)]
    return {"date": snapshot["race"]["clock"], "type": "gps", "groups": groups}


def competitors(starters: StartListDocument, year: int) -> list[Competitor]:
    """What /api/allCompetitors-<year> answers."""
    return [_competitor(starter, year) for starter in starters["riders"]]


def teams(starters: StartListDocument, year: int) -> list[Team]:
    """What /api/team-<year> answers."""
    return [
        {"_id": _ident(name), "_bind": f"team-{year}", "code": name[:3].upper(), "name": name, "nameShort": name}
        for name in starters["teams"]
    ]


def stage_entry(snapshot: SnapshotDocument, course: CourseDocument) -> StageEntry:
    """The stage as /api/stage-<year> tells it."""
    race = snapshot["race"]
    return {
        "stage": race["stage"],
        "date": race["race_start"],
        "type": _terrain(course),
        "departureCity": {"label": race["start"]},
        "arrivalCity": {"label": race["finish"]},
        "length": course["official_km"],
        "lengthDisplay": course["official_km"],
        "startTime": race["race_start"],
        "showGroups": True,
        "isCancelled": False,
    }


def checkpoints(course: CourseDocument) -> list[Checkpoint]:
    """What /api/checkpointList-<year>-<stage> answers: the road in at most `CHECKPOINTS` places."""
    points = course["points"]
    chosen = points[:: max(1, len(points) // CHECKPOINTS)]
    return [
        {"checkpoint": number, "latitude": point["lat"], "longitude": point["lon"], "length": point["km"]}
        for number, point in enumerate(chosen, 1)
    ]


def _terrain(course: CourseDocument) -> str:
    """High mountains, hills or flat."""
    categories = {climb["category"] for climb in course["climbs"]}
    return "HMG" if categories & {"HC", "1"} else "VAL" if categories else "PLN"


def _rider(rider: RiderDocument, jersey: Literal["Y", "G", "P", "W"] | None) -> TelemetryRider:
    gradient, heading = rider["gradient"], rider["heading_deg"]
    wind_kmh, felt_deg = _wind(rider["head_wind_kmh"], rider["cross_wind_kmh"])
    return {
        "Bib": rider["rider"],
        "Pos": rider["position"],
        "Status": "finished" if rider["quality"] == FINISHED else "active",
        "Jersey": jersey,
        "Latitude": rider["lat"],
        "Longitude": rider["lon"],
        "LatLon": [rider["lat"], rider["lon"]],
        "mAlt": rider["elevation_m"],
        "kph": rider["speed_kmh"],
        "kphAvg": rider["speed_average_kmh"],
        "kmToFinish": rider["to_go_km"],
        "secToFirstRider": behind_s(rider["gap_s"], rider["gap_m"]),
        "Gradient": None if gradient is None else round(gradient * 100, 1),
        "Course": heading,
        "degC": rider["temperature_c"],
        "kphWind": wind_kmh,
        "WindDir": None if heading is None or felt_deg is None else round(heading + felt_deg) % 360,
        "RiderWindDir": felt_deg,
    }


def _wind(head_kmh: float | None, cross_kmh: float | None) -> tuple[float | None, int | None]:
    """(speed, degrees clockwise from straight ahead from which it comes)."""
    if head_kmh is None or cross_kmh is None:
        return None, None
    return round(math.hypot(head_kmh, cross_kmh), 1), round(math.degrees(math.atan2(-cross_kmh, head_kmh))) % 360


def _group(group: GroupDocument, leader: RiderDocument) -> PackGroup:
    gap_s, to_go_m = behind_s(group["gap_s"], group["gap_m"]), round((group["to_go_km"] or 0.0) * 1000)
    return {
        "id": group["group_id"] or group["id"],
        "order": group["id"] - 1,
        "name": group["name"],
        "size": group["size"],
        "bibs": [{"bib": rider} for rider in group["riders"]],
        "speed": group["speed_kmh"] or 0.0,
        "latitude": leader["lat"],
        "longitude": leader["lon"],
        "relative": gap_s,
        "computedRelative": gap_s,
        "secGapToPrev": group["gap_to_previous_s"] or 0.0,
        "completedDistance": round((group["km"] or 0.0) * 1000),
        "remainingDistance": to_go_m,
        "computedRemainingDistance": to_go_m,
        "hasYellowJersey": "yellow" in group["jerseys"],
        "hasGreenJersey": "green" in group["jerseys"],
        "hasPolkaDotJersey": "polka_dot" in group["jerseys"],
        "hasWhiteJersey": "white" in group["jerseys"],
    }


def _competitor(starter: StarterDocument, year: int) -> Competitor:
    first, _, last = (starter["name"] or f"Rider {starter['rider']}").partition(" ")
    document: Any = {
        "_id": f"rider-{starter['rider']}",
        "_bind": f"allCompetitors-{year}",
        "bib": starter["rider"],
        "firstname": first,
        "lastname": last,
        "lastnameshort": last,
        "nationality": (starter["nationality"] or "").lower(),
        "$team": f"team-{year}:{_ident(starter['team'])}" if starter["team"] else None,
    }
    return cast(Competitor, document)


def _ident(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
