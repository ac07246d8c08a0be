"""Other engines beside the tracking: the same readings, the same small task, in the same run, their answers compared.

Ten minutes of a recorded stage on the laps of the Champs-Élysées, where one road is ridden eight times and its two
sides lie 30 m apart. `tests.bench.peers` says what the task is and what the peers are spared; ours does all of its own
work on it. Counted are seconds of CPU of a process with all that it starts, after a warm-up, so that neither the start
of an engine nor what else the machine does counts.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tracking.briefing.riders import start_list
from tracking.course import Course, read_course
from tracking.kernel import Tracker
from tracking.simulation.simulator import Recording, record_stage

from infra.workspace import Workspace
from tests.bench.figure import Figure
from tests.bench.peers.task import FRAME, Known, Work
from tests.bench.per_event import flat_road
from tools.setup.python import uv
from tools.setup.shell import Shell
from tools.setup.step import SetupError, Stamp, Step, fingerprint, stamped

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "stacks" / "courses" / "2022-21.geojson"
LOCK = ROOT / "tests" / "bench" / "peers" / "requirements.lock"
FROM_S, MEASURED_S = 6300, 600
WRONG_M = 100.0
"""So far from the truth is no noise."""
PEER_TIMEOUT_S = 1200


@dataclass(frozen=True)
class Peer:
    """One other engine; `less` is what it does less than the tracking."""

    module: str
    name: str
    less: str
    own_environment: bool = True
    needs: str = ""
    """A program that no environment of Python brings."""


PEERS = (
    Peer("loop", "a loop over events with numpy and dictionaries", "no faults, groups or late readings", False),
    Peer("nearest", "shapely STRtree, nearest segment", "no order of laps and legs, no filter, no faults or groups"),
    Peer("bytewax_flow", "Bytewax 0.21", "the loop's work, no recovery, no faults or groups"),
    Peer("flink_job", "Apache Flink 2.3 (PyFlink)", "the loop's work, no checkpoints, faults or groups", needs="java"),
)


@dataclass(frozen=True)
class Answer:
    """What came out: FRAME (n,), and at what rate."""

    frames: np.ndarray
    rate: float
    """Readings a second of CPU."""


def figures() -> Iterator[Figure]:
    """For each peer: the rate, and how far from the truth the distances are: at the median, in the worst hundredth, and
    how many are on another lap, another leg or lost."""
    course = read_course(COURSE)
    recording = record_stage(course, seed=1, hours=(FROM_S + MEASURED_S) / 3600)
    work = work_of(recording, course)
    ours = _ours(recording, course)
    mine = errors(ours.frames, recording)
    for peer in PEERS:
        try:
            theirs = _answer(peer, work)
        except (SetupError, OSError, subprocess.SubprocessError) as problem:
            print(f"{peer.name} cannot be measured here: {problem}", file=sys.stderr)
            continue
        told = errors(theirs.frames, recording)
        name, said = peer.module, f"{peer.name}: {peer.less}"
        yield _figure(f"tracking.rate_beside_{name}", ours.rate, theirs.rate, "readings/s of CPU", said)
        for share in (50, 99):
            values = (float(np.percentile(each, share)) for each in (mine, told))
            yield _figure(f"tracking.error_p{share}_beside_{name}", *values, "m", said)
        wrong = (float((each > WRONG_M).mean() * 100_000) for each in (mine, told))
        yield _figure(f"tracking.wrong_beside_{name}", *wrong, "of 100,000 rider-seconds", said)


def _figure(name: str, ours: float, theirs: float, unit: str, peer_name: str) -> Figure:
    return Figure(name, round(ours, 2), unit, peer=round(theirs, 2), peer_name=peer_name)


def work_of(recording: Recording, course: Course) -> Work:
    """The measured minutes, and where everyone is when they begin."""
    first = _second(recording, FROM_S)
    some = slice(recording.arrived[first], recording.arrived[first + MEASURED_S])
    counts = np.diff(recording.arrived[first : first + MEASURED_S + 1])
    clock_ms = np.repeat(recording.first_ms + (first + np.arange(MEASURED_S)) * 1000, counts)
    began_ms = recording.first_ms + (first - 1) * 1000
    at = zip(recording.distance[first - 1].tolist(), recording.speed[first - 1].tolist(), strict=True)
    readings = recording.readings[some]
    return Work(
        flat_road(course),
        clock_ms,
        *(readings[name].astype(kind) for name, kind in (("device", int), ("time_ms", int))),
        lat=readings["lat"],
        lon=readings["lon"],
        known={rider: Known(began_ms, *known) for rider, known in zip(start_list().tolist(), at, strict=True)},
    )


def errors(frames: np.ndarray, recording: Recording) -> np.ndarray:
    """Metres between told and true distance, of every rider and second on the road: what was told is carried on to the
    frame's second at the told speed."""
    numbers = start_list()
    frames = frames[np.isin(frames["rider"], numbers)]
    second = (frames["clock_ms"] - recording.first_ms) // 1000
    column = np.searchsorted(numbers, frames["rider"])
    told = frames["distance_m"] + frames["speed_ms"] * (frames["clock_ms"] - frames["time_ms"]) / 1000
    off = abs(told - recording.distance[second, column])
    return off[~recording.finished[second, column] & np.isfinite(off)]


def _second(recording: Recording, race_s: int) -> int:
    return (recording.start_ms - recording.first_ms) // 1000 + race_s


def _ours(recording: Recording, course: Course) -> Answer:
    """The whole kernel from the start of the race, measured over the same minutes."""
    tracker = Tracker(course, start_list(), recording.start_ms)
    first = _second(recording, FROM_S)
    frames, readings, began = [], 0, time.process_time()
    for i, (clock_ms, batch) in enumerate(recording.batches()):
        if i == first:
            began = time.process_time()
        tracker.ingest(batch)
        states = tracker.frame(clock_ms)
        if first <= i < first + MEASURED_S:
            readings += len(batch)
            frames.append((clock_ms, states.copy()))
    rate = readings / (time.process_time() - began)
    return Answer(np.concatenate([_as_frame(clock_ms, states) for clock_ms, states in frames]), rate)


def _as_frame(clock_ms: int, states: np.ndarray) -> np.ndarray:
    frame = np.zeros(len(states), FRAME)
    frame["clock_ms"] = frame["time_ms"] = clock_ms
    for name in ("rider", "distance_m", "speed_ms", "gap_s"):
        frame[name] = states[name]
    return frame


def _answer(peer: Peer, work: Work) -> Answer:
    if peer.needs and not shutil.which(peer.needs):
        raise OSError(f"`{peer.needs}` is not on PATH (Debian: apt-get install default-jre-headless)")
    python, environment = Path(sys.executable), dict(os.environ)
    if peer.own_environment:
        python = peers_python()
        packages = python.parent.parent / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(packages)))  # Flink's embedded Python asks for both
    with tempfile.TemporaryDirectory(prefix="etape-peer-") as folder:
        given, told = Path(folder) / "work.npz", Path(folder) / "frames.npz"
        work.save(given)
        command = [python, "-m", "tests.bench.peers", peer.module, given, told]
        log = Workspace.from_environment().cache / "peers" / f"{peer.module}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as said:
            try:
                subprocess.run(
                    command, cwd=ROOT, env=environment, stdout=said, stderr=said, timeout=PEER_TIMEOUT_S, check=True
                )
            except subprocess.CalledProcessError as error:
                raise OSError(f"it ended with status {error.returncode}, see {log}") from None
        with np.load(told) as saved:
            return Answer(saved["frames"], len(work.clock_ms) / float(saved["cpu_s"]))


def peers_python() -> Path:
    """The interpreter of the peers' own environment, made where it is not there. Raises SetupError."""
    workspace = Workspace.from_environment()
    step = _environment(workspace)
    if not step.done():
        print("making the peers' environment (about 800 MB, some minutes)", file=sys.stderr)
        (workspace.cache / "peers").mkdir(parents=True, exist_ok=True)
        step.make(Shell(workspace.cache / "peers" / "setup.log"))
    return workspace.cache / "peers" / "venv" / "bin" / "python"


def _environment(workspace: Workspace) -> Step:
    venv = workspace.cache / "peers" / "venv"
    python = venv / "bin" / "python"

    def make(shell: Shell) -> None:
        shell.run(uv(workspace), "venv", "--quiet", "--clear", "--python", sys.executable, venv)
        shell.run(uv(workspace), "pip", "sync", "--quiet", "--python", python, "--require-hashes", LOCK)

    return stamped(
        "peers", "Peers of the bench", Stamp(venv / "stamp.json", lambda: fingerprint(LOCK), (python,)), make
    )
