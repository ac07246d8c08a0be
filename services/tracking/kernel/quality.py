"""How sure a rider's place is."""

from tracking.compiled import compiled
from tracking.records import FRESH, PREDICTED

FRESH_MS = 3_000
LOST_MS = 60_000
PROOFS = 4
"""Believed readings before a rider takes part in the race's standing."""


@compiled
def is_racing(track):
    """Whether the rider is on the road and known to be there."""
    return track.quality == FRESH or track.quality == PREDICTED
