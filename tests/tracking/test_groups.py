"""What the groups are called, and how far they are apart."""

import numpy as np
import pytest
from tracking.groups import groups_of, name_groups
from tracking.records import RIDER_STATE

NAN = float("nan")


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ((), ()),
        ((198,), ("Peloton",)),
        ((5, 193), ("Breakaway", "Peloton")),
        ((3, 2, 4, 160, 20, 9), ("Breakaway", "Chase 1", "Chase 2", "Peloton", "Dropped 1", "Dropped 2")),
        ((100, 98), ("Peloton", "Dropped 1")),
        ((50, 50), ("Peloton", "Dropped 1")),
    ],
)
def test_groups_are_named_by_their_place_around_the_peloton(sizes: tuple[int, ...], names: tuple[str, ...]) -> None:
    """Guards: a peloton of three because it happens to be in front."""
    assert name_groups(sizes) == names


def six_riders() -> np.ndarray:
    """RIDER_STATE (6,) in start-list order: two in front, three 40 s behind, one nobody hears from."""
    states = np.zeros(6, RIDER_STATE)
    states["rider"] = [1, 2, 3, 4, 5, 6]
    states["position"] = [3, 1, 6, 2, 4, 5]
    states["group"] = [2, 1, 0, 1, 2, 2]
    states["group_id"] = [4, 9, 0, 9, 4, 4]
    states["distance_m"] = [9500, 10_000, 0, 9990, 9495, 9480]
    states["to_go_m"] = 20_000 - states["distance_m"]
    states["gap_s"] = [41.0, 0, NAN, 1, 41.5, 43]
    states["gap_m"] = 10_000 - states["distance_m"]
    states["gap_previous_s"] = [40.0, NAN, NAN, 1, 0.5, 1.5]
    states["speed_ms"] = [11, 12, 0, 12, 11.5, 10]
    return states


def test_groups_tell_their_members_in_order_and_their_gaps_from_head_and_tail() -> None:
    """Guards: a gap that hides how long the group in front is, and a lost rider who is counted somewhere."""
    front, peloton = groups_of(six_riders())
    assert (front.name, front.group_id, front.riders) == ("Breakaway", 9, (2, 4))
    assert (peloton.name, peloton.group_id, peloton.riders) == ("Peloton", 4, (1, 5, 6))
    assert (front.is_peloton, peloton.is_peloton) == (False, True)
    assert np.isnan([front.head_gap_s, front.tail_gap_s]).all()
    assert (front.length_s, front.length_m, front.gap_s) == (1.0, 10.0, 0.0)
    assert (peloton.head_gap_s, peloton.tail_gap_s, peloton.gap_s) == (41.0, 40.0, 41.0)
    assert (peloton.length_s, peloton.length_m, peloton.speed_ms) == (2.0, 20.0, 11.0)


def test_a_race_that_nobody_is_seen_in_has_no_groups() -> None:
    """Guards: a page that fails before the start."""
    assert groups_of(np.zeros(198, RIDER_STATE)) == ()
