"""The raw log of the truck: what it says it has is on the disk."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tracking.records import READING
from tracking.transport.journal import Journal, newest_run
from tracking.transport.wire import Batch

RUN = 1_499_590_000


def batch(second: int, devices: int = 198) -> Batch:
    readings = np.zeros(devices, READING)
    readings["device"] = np.arange(1, devices + 1)
    readings["time_ms"] = 1_499_590_800_000 + second * 1000
    return Batch(RUN, second, 0, readings)


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """Files of this process grow no further than this: a real write that is cut short, and an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_appended_is_there_after_a_restart(tmp_path: Path) -> None:
    """Guards against a manifest that lives in memory only."""
    journal = Journal(tmp_path, RUN)
    assert journal.append([batch(1), batch(2)]) == 396
    assert journal.append([batch(2)]) == 0
    again = Journal(tmp_path, RUN)
    assert again.manifest() == journal.manifest()
    assert again.manifest().readings == 396
    assert newest_run(tmp_path) == RUN


def test_a_full_disk_is_an_error_and_what_was_torn_is_stepped_over(tmp_path: Path) -> None:
    """Guards against readings counted as recorded that are not, and a log that is unreadable behind a torn frame."""
    journal = Journal(tmp_path, RUN)
    journal.append([batch(1)])
    with disk_with_room_for(8000), pytest.raises(OSError, match="too large"):
        journal.append([batch(2)])
    assert journal.manifest().readings == 198
    journal.append([batch(3)])
    again = Journal(tmp_path, RUN)
    assert again.manifest() == journal.manifest()
    assert again.damaged > 0


def test_each_run_has_its_own_log(tmp_path: Path) -> None:
    """Guards against yesterday's stage in today's manifest."""
    Journal(tmp_path, RUN).append([batch(1)])
    assert Journal(tmp_path, RUN + 86_400).manifest().readings == 0
