"""Bike changes that nobody announced, and riders in cars: found from the readings, never guessed."""

import numpy as np
import pytest
from tracking.briefing.roster import Entrant, Roster
from tracking.kernel import Tracker
from tracking.live import LiveRace, RaceDay
from tracking.race_control import BikeChange, Withdrawal, told
from tracking.race_events import RaceEvent
from tracking.transport.wire import Batch

from tests.tracking.rides import START_MS, course, ride

ROAD = "2023-09"
STOPS_S, RIDES_S, SECONDS = 200, 225, 420
OLD, SPARE, ON_ROOF = 5, 905, 955
FIELD = range(1, 13)
MS = 11.0


def rides_on(i: int) -> np.ndarray:
    """Official metres at each second of a rider who never stops."""
    return MS * np.arange(SECONDS) - 3.0 * i


def changes(i: int) -> np.ndarray:
    """Of one who stands from `STOPS_S` to `RIDES_S`."""
    seconds = np.arange(SECONDS)
    return MS * np.where(seconds < STOPS_S, seconds, np.maximum(seconds - RIDES_S + STOPS_S, STOPS_S)) - 3.0 * i


def car(leaves_s: int) -> np.ndarray:
    """Of the car behind rider `OLD`, that stops with him and goes on at `leaves_s`."""
    seconds = np.arange(SECONDS)
    stands = np.minimum(MS * (seconds - 8), MS * STOPS_S - 3.0 * OLD)
    return np.where(seconds < leaves_s, stands, MS * STOPS_S - 3.0 * OLD + 12.0 * (seconds - leaves_s))


def device_readings(device: int, distance: np.ndarray, from_s: int = 0, until_s: int = SECONDS) -> np.ndarray:
    road = course(ROAD)
    readings = ride(road, device, np.maximum(distance, 0.0), START_MS, device)
    seconds = (readings["time_ms"] - START_MS) // 1000
    return readings[(seconds >= from_s) & (seconds < until_s)]


def field(standing: tuple[int, ...] = (OLD,)) -> np.ndarray:
    """The race without cars: those who stand are not heard of on their own devices from `RIDES_S` on."""
    return np.concatenate(
        [
            device_readings(i, changes(i), until_s=RIDES_S) if i in standing else device_readings(i, rides_on(i))
            for i in FIELD
        ]
    )


def spare_bike() -> np.ndarray:
    """The spare bike: on the car, then under rider `OLD`."""
    on_car = device_readings(SPARE, car(SECONDS), until_s=RIDES_S)
    return np.concatenate((on_car, device_readings(SPARE, changes(OLD), from_s=RIDES_S)))


def day() -> RaceDay:
    return RaceDay(course(ROAD), START_MS, 1.0, Roster(tuple(Entrant(i, i) for i in FIELD)))


def follow(race: LiveRace, readings: np.ndarray, first_s: int = 0, last_s: int = SECONDS) -> list[RaceEvent]:
    events: list[RaceEvent] = []
    for second in range(first_s, last_s):
        batch = readings[readings["time_ms"] == START_MS + 1000 * second]
        race.take(Batch(1, second, 0, batch))
        events += race.noticed()
    return events


def state_of(race: LiveRace, rider: int) -> np.void:
    frame = race.frame(0)
    assert frame is not None
    return frame.riders[list(FIELD).index(rider)]


def announced_by_nobody(old_until_s: int) -> np.ndarray:
    """A change whose old device is heard until then: standing, then on the car that leaves 20 s after the rider."""
    old = device_readings(OLD, car(RIDES_S + 20), from_s=RIDES_S, until_s=old_until_s)
    return np.concatenate((field(), spare_bike(), device_readings(ON_ROOF, car(RIDES_S + 20)), old))


@pytest.mark.parametrize("old_until_s", [RIDES_S, RIDES_S + 15, SECONDS])
def test_a_bike_change_is_found_by_itself(old_until_s: int) -> None:
    """Guards: a rider who is lost, or led by a car, until somebody tells which bike he got."""
    race = LiveRace(day(), 1)
    events = follow(race, announced_by_nobody(old_until_s))
    assert [(event.kind, event.riders) for event in events] == [("bike_change", (OLD,))]
    assert abs(events[0].time_ms - START_MS - 1000 * RIDES_S) < 5_000
    assert state_of(race, OLD)["distance_m"] == pytest.approx(changes(OLD)[-1], abs=20)
    assert race.proposals == ()


def test_a_change_that_was_found_is_the_same_behind_a_checkpoint() -> None:
    """Guards: a standby that gives a bike to another rider, or to none."""
    readings = announced_by_nobody(SECONDS)
    whole, begun = LiveRace(day(), 1), LiveRace(day(), 1)
    follow(whole, readings)
    follow(begun, readings, last_s=RIDES_S + 40)
    resumed = LiveRace.restored(day(), begun.checkpoint())
    assert [event.kind for event in follow(resumed, readings, first_s=RIDES_S + 40)] == ["bike_change"]
    assert resumed.checkpoint() == whole.checkpoint()


def test_where_two_riders_stood_race_control_is_asked() -> None:
    """Guards: a bike that is given to the wrong one of two team mates, who may have swapped theirs."""
    other = OLD + 1
    readings = np.concatenate((field((OLD, other)), spare_bike()))
    race = LiveRace(day(), 1)
    assert follow(race, readings) == []
    (asked,) = race.proposals
    assert set(asked.riders) == {OLD, other}
    assert asked.device == SPARE
    assert "2 riders stood where it left" in told(race.proposals)
    race.decide(BikeChange(device=SPARE, rider=OLD, from_ms=START_MS + 1000 * RIDES_S))
    assert race.proposals == ()


def test_a_car_that_goes_on_after_its_rider_has_is_no_bike_change() -> None:
    """Guards: a repaired bike whose rider is taken for the spare one on the roof."""
    repaired = np.concatenate([device_readings(i, changes(i) if i == OLD else rides_on(i)) for i in FIELD])
    race = LiveRace(day(), 1)
    assert follow(race, np.concatenate((repaired, device_readings(SPARE, car(RIDES_S + 10))))) == []
    assert race.proposals == ()


def test_race_control_overrules_what_was_found() -> None:
    """Guards: a wrong change that nobody can undo."""
    readings = announced_by_nobody(RIDES_S + 15)
    race = LiveRace(day(), 1)
    follow(race, readings, last_s=SECONDS - 60)
    race.decide(BikeChange(device=OLD, rider=OLD, from_ms=START_MS + 1000 * (SECONDS - 60)))
    assert follow(race, readings, first_s=SECONDS - 60) == []
    assert state_of(race, OLD)["seen_ms"] < START_MS + 1000 * (SECONDS - 60)


def test_the_old_bike_on_a_car_does_not_speak_for_its_rider() -> None:
    """Guards: a rider in a radio shadow who is led away by the car that carries the bike he left."""
    readings = np.concatenate((field(), spare_bike(), device_readings(OLD, car(RIDES_S + 20), from_s=RIDES_S)))
    shadow = (readings["device"] == SPARE) & (readings["time_ms"] >= START_MS + 1000 * (SECONDS - 40))
    tracker = Tracker(course(ROAD), np.array(FIELD), START_MS)
    tracker.assign(SPARE, OLD, START_MS + 1000 * RIDES_S)
    for second in range(SECONDS):
        now = (readings["time_ms"] == START_MS + 1000 * second) & ~shadow
        tracker.ingest(readings[now])
        states = tracker.frame(START_MS + 1000 * second)
    assert states["seen_ms"][OLD - 1] == START_MS + 1000 * (SECONDS - 41)


def test_a_device_that_passes_the_whole_field_in_a_car_is_lost_and_proposed() -> None:
    """Guards: a rider in a team car who leads the race, because the car never stopped for long."""
    riders, last = range(1, 100), 99
    seconds, start_m = np.arange(SECONDS), 6000.0
    places = [start_m + 11.0 * seconds - 2.0 * i for i in riders[:-1]]
    places.append(start_m - 700.0 + 11.0 * seconds + 6.5 * np.maximum(seconds - 120, 0))
    readings = np.concatenate([device_readings(i, place) for i, place in zip(riders, places, strict=True)])
    race = LiveRace(RaceDay(course(ROAD), START_MS, 1.0, Roster(tuple(Entrant(i, i) for i in riders))), 1)
    follow(race, readings)
    (asked,) = race.proposals
    assert (asked.kind, asked.riders, asked.command) == ("withdrawal", (last,), f"withdraw --rider {last}")
    frame = race.frame(0)
    assert frame is not None
    assert frame.riders["quality"][last - 1] == 2
    race.decide(Withdrawal(rider=last, at_ms=START_MS + 1000 * SECONDS))
    assert race.proposals == ()
