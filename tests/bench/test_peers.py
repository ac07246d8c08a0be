"""The small task that peers do in the bench: what they are given, and what they answer."""

from pathlib import Path

import numpy as np
import pytest
from tracking.course import read_course
from tracking.simulation.simulator import Recording, record_stage

from tests.bench import beside
from tests.bench.peers import loop
from tests.bench.peers.task import Known, Standings, Work

FROM_S, SECONDS = 120, 30


@pytest.fixture(scope="module")
def recording() -> Recording:
    """The first minutes of a stage."""
    return record_stage(read_course(beside.COURSE), seed=1, hours=(FROM_S + SECONDS + 10) / 3600)


@pytest.fixture
def work(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(beside, "FROM_S", FROM_S)
    monkeypatch.setattr(beside, "MEASURED_S", SECONDS)
    return beside.work_of(recording, read_course(beside.COURSE))


def test_a_peer_that_does_the_task_is_near_the_truth(recording: Recording, work: Work) -> None:
    """Guards: peers that lose because they are given another road, clock or beginning than ours."""
    frames = loop.run(work)
    off = beside.errors(frames, recording)
    assert len(off) > 0.9 * SECONDS * 198
    assert np.median(off) < 5
    assert frames["gap_s"].min() == 0


def test_work_is_the_same_after_it_was_saved(work: Work, tmp_path: Path) -> None:
    """Guards: a peer in another process that gets other readings."""
    work.save(tmp_path / "work.npz")
    loaded = Work.load(tmp_path / "work.npz")
    assert list(loaded.events()) == list(work.events())
    assert loaded.known == work.known
    assert [some for _, some in loaded.first(10).seconds()] == [some for _, some in work.seconds()][:10]


def test_a_gap_is_the_time_since_the_first_rider_was_here() -> None:
    """Guards: gaps that peers compute from distance and speed, so that answers could not be compared."""
    standings = Standings()
    for second in range(11):
        frame = standings.frame(second * 1000, [(1, Known(0, 100.0 + 10 * second, 10)), (2, Known(0, 100.0, 0))])
    assert frame["gap_s"].tolist() == [0, 10]
