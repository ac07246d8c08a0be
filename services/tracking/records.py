"""The records that travel: readings up from the road, rider states down to everyone who watches.

Both are numpy record arrays with a fixed little-endian layout, so a batch is its own wire format (see
`tracking.transport.wire`) and a column of a Parquet file has the same name and unit.
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

ARRIVAL = np.dtype(
    [
        ("seq", "<u8"),  # of the message, in the stream of the cloud's broker: the order in which all of it came
        ("row", "<u2"),  # in the message
        ("batch", "<u8"),  # as the relay numbered it
        ("sent_at_ns", "<i8"),  # when the relay handed it over, Unix nanoseconds
        *READING.descr,
    ]
)
"""A reading as it arrived, also one that had come before: enough to process a race again exactly as it was."""

WORD = np.dtype(
    [
        (
            "seq",
            "<u8",
        ),  # of the message, in its stream; of a decision in READINGS, where it stands between the readings
        ("at_ns", "<i8"),  # when the broker took it, Unix nanoseconds
        ("id", "O"),  # text: by what the broker knew it again
        ("text", "O"),  # JSON, as it was published
    ]
)
"""What was decided, told or forecast beside the readings and states."""

FRESH, PREDICTED, LOST, FINISHED = range(4)
"""Quality of a state: seen; not seen for some seconds; not seen for long; over the line."""

RIDER_STATE = np.dtype(
    [
        ("rider", "<u2"),  # number on the rider's back
        ("time_ms", "<i8"),  # race clock of this state, Unix milliseconds, UTC
        ("seen_ms", "<i8"),  # fix time of the last reading believed; of a finished rider, its crossing of the line
        ("lat", "<f8"),
        ("lon", "<f8"),
        ("distance_m", "<f8"),  # from the official start, along the course, official metres
        ("to_go_m", "<f8"),
        ("elevation_m", "<f4"),
        ("heading_deg", "<f4"),  # of the road at the rider, clockwise from north
        ("gradient", "<f4"),  # rise over run at the rider, 0.05 is 5 %
        ("speed_ms", "<f4"),  # metres a second, now
        ("speed_10s_ms", "<f4"),  # mean of the last ten seconds
        ("speed_average_ms", "<f4"),  # mean since the official start
        ("acceleration_ms2", "<f4"),
        ("power_w", "<f4"),  # estimated from speed, gradient, air and shelter; never measured
        ("head_wind_ms", "<f4"),  # against the rider above 0; NaN where the weather is not known
        ("cross_wind_ms", "<f4"),  # from the rider's left above 0
        ("position", "<u2"),  # in the race, from 1
        ("group", "<u2"),  # on the road, from 1 at the head; 0 for none
        ("group_id", "<u4"),  # the same as long as the group lives; 0 for none
        ("group_position", "<u2"),  # in the group, from 1; 0 for none
        ("gap_s", "<f4"),  # passage time behind the first rider; NaN where the first was not seen here
        ("gap_m", "<f4"),
        ("gap_previous_s", "<f4"),  # behind the rider in front; NaN for the first
        ("gap_previous_m", "<f4"),
        ("gap_yellow_s", "<f4"),  # behind the holder of the yellow jersey, below 0 in front; NaN where nobody holds it
        ("gap_yellow_m", "<f4"),
        ("virtual_rank", "<u2"),  # in the general classification if all gaps stayed; 0 where it is not known
        ("virtual_gap_s", "<f4"),  # behind the virtual leader
        ("quality", "<u1"),  # 0 fresh, 1 predicted (not seen for some seconds), 2 lost, 3 finished
        ("revision", "<u1"),  # 0 as first told; 1 and more where late readings have amended it
    ]
)
"""All that is known of one rider at one second of the race. What is not known is NaN, of whole numbers 0."""
