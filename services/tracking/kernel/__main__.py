"""Compiles all of the tracking into the cache (NUMBA_CACHE_DIR), so that no service compiles when it starts.

Example:
  python -m tracking.kernel --warm
"""

import argparse
import sys
import time

import numpy as np

from tracking.briefing.riders import start_list
from tracking.briefing.start_order import individual_starts
from tracking.course import build_course
from tracking.course.file import Trace
from tracking.kernel import Tracker
from tracking.prediction.forecaster import Forecaster
from tracking.prediction.model import load_model
from tracking.replay.filling import filled
from tracking.simulation.simulator import Race


def warm() -> None:
    """Rides, tracks, replays and forecasts a second of a race on a straight road: compiles what is not compiled yet."""
    road = np.linspace(0.0, 0.01, 60)
    course = build_course(Trace("A", "B", "road", 0, 0, 1.112, "", np.zeros(60), road, np.zeros(60)))
    for starts in (None, individual_starts(start_list().tolist())):
        race = Race(course, seed=0, start_ms=0, starts=starts)
        tracker = Tracker(course, race.numbers, start_ms=0, starts=starts)
        frames = []
        for second in range(2):
            tracker.ingest(race.tick())
            frames.append(tracker.frame(second * 1000))
        list(filled(iter(frames), course, start_ms=0))
    Forecaster(course, load_model(), start_ms=0).rehearse()


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m tracking.kernel", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--warm", action="store_true", required=True, help="compile everything into the cache")
    parser.parse_args()
    began = time.monotonic()
    warm()
    print(f"tracking compiled in {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
