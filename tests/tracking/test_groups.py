"""What the groups are called."""

import pytest
from tracking.groups import name_groups


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
