"""Laws of bike changes that nobody announced, on drawn scenes: never a wrong one, whoever leaves when or is unheard."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking.briefing.roster import Entrant, Roster
from tracking.briefing.start_order import Starts
from tracking.live import LiveRace, RaceDay
from tracking.race_events import RaceEvent

from tests.tracking.rides import START_MS, course
from tests.tracking.test_bike_changes import (
    FIELD,
    MS,
    OLD,
    ON_ROOF,
    RIDES_S,
    ROAD,
    SECONDS,
    SPARE,
    STOPS_S,
    day,
    device_readings,
    follow,
    rides_on,
)

DRAWN = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
STOOD_M = MS * STOPS_S - 3.0 * OLD
Silence = tuple[int, int]
"""From which second a device is not heard, and for how long."""

leaves = st.integers(RIDES_S, RIDES_S + 20)
paces = st.floats(8.0, 13.0)
stood_silences = st.tuples(st.integers(RIDES_S - 10, RIDES_S + 30), st.integers(0, 100))
"""Of one who was seen to stand."""
silences = st.tuples(st.integers(STOPS_S - 5, RIDES_S + 30), st.integers(0, 100))


def stands_until(leaves_s: int, pace_ms: float, behind_s: int = 0) -> np.ndarray:
    """Official metres of what comes `behind_s` after the rider, stands where he stands and leaves at this second."""
    seconds = np.arange(SECONDS)
    comes = np.minimum(MS * (seconds - behind_s) - 3.0 * OLD, STOOD_M)
    return np.where(seconds < leaves_s, comes, STOOD_M + pace_ms * (seconds - leaves_s))


def scene(places: dict[int, np.ndarray], silent: dict[int, Silence]) -> tuple[list[RaceEvent], LiveRace]:
    """What is told of devices at these places, beside a field that rides on."""
    devices = {i: rides_on(i) for i in FIELD} | places
    readings = np.concatenate([device_readings(device, place) for device, place in devices.items()])
    second = (readings["time_ms"] - START_MS) // 1000
    for device, (from_s, for_s) in silent.items():
        unheard = (readings["device"] == device) & (second >= from_s) & (second < from_s + for_s)
        readings, second = readings[~unheard], second[~unheard]
    race = LiveRace(day(), 1)
    return follow(race, readings), race


@DRAWN
@given(leaves_s=leaves, after_s=st.integers(-15, 5), pace_ms=paces, silence=silences)
def test_a_repaired_bike_is_never_taken_for_one_in_the_car(
    leaves_s: int, after_s: int, pace_ms: float, silence: Silence
) -> None:
    """Guards: a rider who is led by the spare on the roof of his car, that left as he did or right before him."""
    places = {OLD: stands_until(leaves_s + after_s, MS), SPARE: stands_until(leaves_s, pace_ms, 8)}
    events, _ = scene(places, {OLD: silence})
    assert events == []


@DRAWN
@given(leaves_s=leaves, after_s=st.integers(-5, 5), paces_ms=st.tuples(paces, paces), silence=stood_silences)
def test_of_two_spares_that_leave_together_none_is_taken(
    leaves_s: int, after_s: int, paces_ms: tuple[float, float], silence: Silence
) -> None:
    """Guards: the other bike, that stays on the car, for the one that was taken down; and a question never asked."""
    places = {
        OLD: stands_until(SECONDS, MS),
        SPARE: stands_until(leaves_s, paces_ms[0], 8),
        ON_ROOF: stands_until(leaves_s + after_s, paces_ms[1], 8),
    }
    events, race = scene(places, {OLD: silence})
    assert events == []
    assert {asked.device for asked in race.proposals} & {SPARE, ON_ROOF}
    assert all(asked.riders == (OLD,) for asked in race.proposals)


@DRAWN
@given(
    leaves_s=leaves,
    car_s=st.integers(9, 60),
    pace_ms=paces,
    silent=st.dictionaries(st.sampled_from([OLD, SPARE, ON_ROOF]), silences),
)
def test_what_is_found_is_the_bike_that_was_taken(
    leaves_s: int, car_s: int, pace_ms: float, silent: dict[int, Silence]
) -> None:
    """Guards: a radio shadow in which the right device is not heard as it leaves, and the next one is."""
    places = {
        OLD: stands_until(leaves_s + car_s, pace_ms),
        SPARE: stands_until(leaves_s, MS, 8),
        ON_ROOF: stands_until(leaves_s + car_s, pace_ms, 8),
    }
    events, race = scene(places, silent)
    assert [event.riders for event in events] in ([], [(OLD,)])
    if events:
        assert race._tracker.device_of(OLD) == SPARE


def trial(places: dict[int, np.ndarray]) -> tuple[list[RaceEvent], LiveRace]:
    """Riders who start ten seconds apart, each faster than all before, and a car right behind each of them."""
    starts = Starts(10.0 * np.arange(len(FIELD)), np.arange(len(FIELD)), 1)
    rides = {i: (9.0 + 0.8 * i) * np.maximum(np.arange(SECONDS) - starts.offset_s[i - 1], 0.0) for i in FIELD}
    cars = {900 + i: np.maximum(rides[i] - 15.0, 0.0) for i in FIELD}
    devices = rides | cars | places
    road = RaceDay(course(ROAD), START_MS, 1.0, Roster(tuple(Entrant(i, i) for i in FIELD)), starts=starts)
    race = LiveRace(road, 1)
    return follow(race, np.concatenate([device_readings(*each) for each in devices.items()])), race


def test_who_passes_others_in_a_time_trial_rides() -> None:
    """Guards: the fastest of the day, whom a car follows past everyone, lost as if he were in it."""
    events, race = trial({})
    assert events == []
    assert race.proposals == ()
    frame = race.frame(0)
    assert frame is not None
    assert not frame.riders["quality"].any()


def test_in_a_time_trial_bike_changes_are_only_proposed() -> None:
    """Guards: the car behind a rider against the clock, that goes just as he does, taken for his bike."""
    events, race = trial({OLD: stands_until(SECONDS, MS), 900 + OLD: stands_until(RIDES_S, 12.0, 8)})
    assert events == []
    (asked,) = race.proposals
    assert (asked.device, asked.riders) == (900 + OLD, (OLD,))


def test_when_everyone_is_home_nothing_is_open() -> None:
    """Guards: questions of a race that is over, before race control for ever."""
    end_m = course(ROAD).length_m - 3500.0
    places = {i: end_m + rides_on(i) for i in FIELD} | {
        device: end_m + stands_until(RIDES_S, 11.0, behind_s) for device, behind_s in ((SPARE, 8), (ON_ROOF, 8))
    }
    places[OLD] = end_m + stands_until(RIDES_S + 30, MS)
    readings = np.concatenate([device_readings(device, place) for device, place in places.items()])
    race = LiveRace(day(), 1)
    follow(race, readings, last_s=RIDES_S + 60)
    assert race.proposals
    follow(race, readings, first_s=RIDES_S + 60)
    assert race.proposals == ()
