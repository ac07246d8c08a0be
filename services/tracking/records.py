"""The records that travel: readings up from the road, rider states down to everyone who watches.

Both are numpy record arrays with a fixed little-endian layout, so a batch is its own wire format (see
`tracking.wire`) and a column of a Parquet file has the same name and unit.
"""

import numpy as np

READING = np.dtype(
    [
        ("device", "<u2"),  # number on the device under the saddle
        ("time_ms", "<i8"),  # fix time, Unix milliseconds, UTC
        ("lat", "<f8"),  # WGS 84 degrees
        ("lon", "<f8"),
    ]
)
"""One position of one device. (device, time_ms) is its identity."""

RIDER_STATE = np.dtype(
    [
        ("rider", "<u2"),  # number on the rider's back
        ("time_ms", "<i8"),  # race clock of this state, Unix milliseconds, UTC
        ("seen_ms", "<i8"),  # fix time of the last reading believed; of a finished rider, its crossing of the line
        ("lat", "<f8"),
        ("lon", "<f8"),
        ("distance_m", "<f8"),  # from the official start, along the course, official metres
        ("to_go_m", "<f8"),
        ("speed_ms", "<f4"),  # metres a second
        ("gradient", "<f4"),  # rise over run at the rider, 0.05 is 5 %
        ("position", "<u2"),  # in the race, from 1
        ("group", "<u2"),  # on the road, from 1 at the head
        ("gap_s", "<f4"),  # passage time behind the first rider; NaN where the first was not seen here
        ("gap_m", "<f4"),
        ("quality", "<u1"),  # 0 fresh, 1 predicted (not seen for some seconds), 2 lost, 3 finished
    ]
)
"""All that is known of one rider at one second of the race."""
