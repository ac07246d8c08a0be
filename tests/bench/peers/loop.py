"""A dictionary and a loop."""

import numpy as np

from tests.bench.peers.task import Follower, Standings, Work


def run(work: Work) -> np.ndarray:
    """FRAME (n,) of all seconds."""
    follower, standings, riders = Follower(work.road), Standings(), dict(work.known)
    frames, clock_ms = [], int(work.clock_ms[0])
    for event in work.events():
        if event.clock_ms > clock_ms:
            frames.append(standings.frame(clock_ms, riders.items()))
            clock_ms = event.clock_ms
        known = riders.get(event.device)
        riders[event.device] = follower.follow(known, event.time_ms, event.lat, event.lon)
    frames.append(standings.frame(clock_ms, riders.items()))
    return np.concatenate(frames)
