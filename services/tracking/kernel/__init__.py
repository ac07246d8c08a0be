"""The tracking kernel: from readings of any order and quality to the state of every rider at every second.

`matching` finds the place on the road, `filtering` believes or refuses a reading and keeps distance and speed,
`standing` ranks the riders and measures the gaps with `passing`, those against the clock with `trial`; `grouping` finds
the groups, `general` classifies, `air` and `power` tell what the riders feel and spend; `tracker` is what the services
use.
"""

from tracking.kernel.tracker import Counts, Tracker

__all__ = ["Counts", "Tracker"]
