"""shapely: the nearest segment of the whole course by a tree of segments, all readings of a second at once; speed from
one place to the next. It does not ask where a rider was before, and so does not know one lap or leg from another."""

import numpy as np
import shapely

from tests.bench.peers.task import Known, Standings, Work


def run(work: Work) -> np.ndarray:
    """FRAME (n,) of all seconds."""
    road = np.column_stack((work.road.x, work.road.y))
    segments = shapely.linestrings(np.stack((road[:-1], road[1:]), axis=1))
    tree, standings, riders = shapely.STRtree(segments), Standings(), dict(work.known)
    frames = []
    for clock_ms, some in work.seconds():
        points = shapely.points(*work.road.project(work.lat[some], work.lon[some]))
        cell = tree.nearest(points)
        share = shapely.line_locate_point(segments[cell], points, normalized=True)
        found = ((cell + share) * work.road.step_m).tolist()
        for device, time_ms, metres in zip(work.device[some].tolist(), work.time_ms[some].tolist(), found, strict=True):
            before = riders.get(device)
            if before is None:
                riders[device] = Known(time_ms, metres, 0.0)
            elif time_ms > before.time_ms:
                speed = (metres - before.distance_m) * 1000 / (time_ms - before.time_ms)
                riders[device] = Known(time_ms, metres, speed)
        frames.append(standings.frame(clock_ms, riders.items()))
    return np.concatenate(frames)
