"""What is told of a race: the changes that last, once, in words."""

import json

import numpy as np
import pytest
from tracking.race_events import LASTING, RaceEvent, RaceEvents
from tracking.records import RIDER_STATE

START_MS = 1_499_596_500_000
FINISHED = 3
BUNCH = tuple(range(11, 31))


class Road:
    """A race told by which riders are in which group; second by second, at 10 m/s."""

    def __init__(self) -> None:
        self.events = RaceEvents()
        self.second = 0
        self.told: list[RaceEvent] = []

    def ride(self, seconds: int, *groups: tuple[int, tuple[int, ...]], finished: tuple[int, ...] = ()) -> "Road":
        """(identity, riders) of each group from the head; who has finished crossed the line two seconds apart."""
        for _ in range(seconds):
            self.second += 1
            self.told += self.events.follow(self._states(groups, finished))
        return self

    def _states(self, groups: tuple[tuple[int, tuple[int, ...]], ...], finished: tuple[int, ...]) -> np.ndarray:
        riders = [(0, 0, rider) for rider in finished]
        riders += [(place, group_id, rider) for place, (group_id, them) in enumerate(groups, 1) for rider in them]
        states = np.zeros(len(riders), RIDER_STATE)
        states["group"], states["group_id"], states["rider"] = np.array(riders).reshape(-1, 3).T
        states["time_ms"] = START_MS + self.second * 1000
        states["position"] = np.arange(1, len(riders) + 1)
        states["to_go_m"] = np.where(states["group"] > 0, 50_000 - 10 * self.second, 0)
        states["quality"][: len(finished)] = FINISHED
        states["seen_ms"][: len(finished)] = START_MS + 2000 * np.arange(len(finished))
        states["gap_s"][: len(finished)] = 2 * np.arange(len(finished))
        return states

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.told]


def test_a_breakaway_goes_loses_a_rider_and_is_caught() -> None:
    """Guards: a story of the race that has its parts in the wrong order or misses one."""
    road = Road().ride(20, (1, BUNCH))
    road.ride(60, (2, (11, 12, 13)), (1, BUNCH[3:]))
    road.ride(60, (2, (11, 12)), (3, (13,)), (1, BUNCH[3:]))
    road.ride(60, (2, (11, 12)), (1, BUNCH[2:]))
    road.ride(60, (1, BUNCH))
    assert [(event.kind, event.group_id, event.other_group_id, event.riders) for event in road.told] == [
        ("attack", 2, 1, (11, 12, 13)),
        ("split", 3, 2, (13,)),
        ("catch", 3, 1, (13,)),
        ("catch", 2, 1, (11, 12)),
    ]
    assert [event.text for event in road.told] == [
        "Riders 11, 12 and 13 attack and leave the peloton, 49.7 km from the finish.",
        "Rider 13 loses contact with the breakaway, 49.1 km from the finish.",
        "The peloton catches rider 13, 48.6 km from the finish.",
        "The peloton catches riders 11 and 12, 48.0 km from the finish.",
    ]
    assert [(event.time_ms - START_MS) // 1000 for event in road.told] == [21, 81, 141, 201], "when it began"


def test_the_dropped_lose_the_peloton_and_come_back() -> None:
    """Guards: an attack at the back."""
    road = Road().ride(20, (1, BUNCH)).ride(40, (1, BUNCH[:10]), (2, BUNCH[10:])).ride(40, (1, BUNCH))
    assert [(event.kind, event.text) for event in road.told] == [
        ("split", "10 riders lose contact with the peloton, 49.7 km from the finish."),
        ("merge", "10 riders join the peloton, 49.4 km from the finish."),
    ]


def test_riders_who_ride_away_from_a_breakaway_leave_the_breakaway() -> None:
    """Guards: a rider who leaves a group that is called what it is called only afterwards."""
    road = Road().ride(20, (1, (1, 2, 3)), (2, BUNCH)).ride(20, (3, (1,)), (1, (2, 3)), (2, BUNCH))
    assert [event.text for event in road.told] == ["Rider 1 leaves the breakaway, 49.7 km from the finish."]


@pytest.mark.parametrize("seconds", [1, LASTING - 1])
def test_a_flicker_is_no_event(seconds: int) -> None:
    """Guards: attacks and catches that alternate every few seconds in a bend."""
    road = Road().ride(20, (1, BUNCH))
    for group_id in range(2, 12, 2):
        road.ride(seconds, (group_id, (11, 12)), (1, BUNCH[2:])).ride(seconds, (1, BUNCH))
    assert road.told == []


def test_two_groups_that_touch_for_a_moment_stay_two() -> None:
    """Guards: a breakaway that is caught and attacks anew for a measuring error."""
    road = Road().ride(30, (2, (11, 12)), (1, BUNCH[2:])).ride(LASTING - 1, (1, BUNCH))
    road.ride(60, (3, (11, 12)), (1, BUNCH[2:]))
    assert road.told == []


def test_riders_who_are_not_heard_neither_attack_nor_are_caught() -> None:
    """Guards: a bike that is found again far in front of where it was lost, told as an attack."""
    road = Road().ride(20, (2, (11,)), (1, BUNCH[1:]))
    road.ride(60, (1, BUNCH[1:]))
    assert road.told == []
    road.ride(60, (3, (99,)), (1, BUNCH[1:]))
    assert road.told == []


def test_the_first_three_are_told_when_nothing_can_change_it() -> None:
    """Guards: a winner who is named and taken back."""
    road = Road().ride(9, (1, BUNCH[1:]), finished=(11,))
    assert road.told == []
    road.ride(30, (1, BUNCH[4:]), finished=BUNCH[:4])
    assert [event.text for event in road.told] == [
        "Rider 11 wins the stage.",
        "Rider 12 is second, 2 s behind.",
        "Rider 13 is third, 4 s behind.",
    ]
    assert road.kinds == ["finish"] * 3


def test_who_goes_on_from_a_memory_tells_what_the_other_would_have_told() -> None:
    """Guards: an event that is lost, or told under another identity, where a processor is killed in its midst."""
    story = [
        (20, ((1, BUNCH),)),
        (40, ((2, (11, 12)), (1, BUNCH[2:]))),
        (40, ((1, BUNCH),)),
    ]
    through = Road()
    for seconds, groups in story:
        through.ride(seconds, *groups)
    for killed_at in (5, 25, 35, 65):
        road, second = Road(), 0
        for seconds, groups in story:
            for _ in range(seconds):
                road.ride(1, *groups)
                second += 1
                if second == killed_at:
                    road.events = RaceEvents.remembering(json.loads(json.dumps(road.events.memory())))
        assert [event.identity for event in road.told] == [event.identity for event in through.told]
    assert len({event.identity for event in through.told}) == 2


def test_an_event_is_read_as_it_was_written() -> None:
    """Guards: a stream that only its writer understands."""
    event = RaceEvent(START_MS, "catch", 4, 1, (11, 12), 12.3, "The peloton catches riders 11 and 12.")
    assert RaceEvent.from_json(event.as_json()) == event
    assert json.loads(event.as_json())["riders"] == [11, 12]


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"kind": "catch"}', b'{"riders": 7}', b"\xff"])
def test_what_is_no_event_is_refused(text: bytes) -> None:
    """Guards: a reader that dies of one bad message."""
    with pytest.raises(ValueError):  # noqa: PT011  # that of the decoder too
        RaceEvent.from_json(text)
