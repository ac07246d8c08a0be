"""A live stage is scaled down and up again: nobody who rides or watches notices. Runs while 2017-s09 is live."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from infra.day.context import health_address, read_estate
from infra.day.shell import ask
from infra.estate.model import Demand, Estate
from infra.workspace import Workspace
from tests.lab.command import run, succeed
from tests.lab.conftest import STACK

SNAPSHOT = "http://127.0.0.1:8310/api/snapshot"
LONGEST_GAP_S = 3.0
CARRIED_WITHIN_S = 60.0
SHOWN = "Id,MainPID,NRestarts,ActiveEnterTimestampMonotonic"
RETOLD = ("fabric-1", "etape-edge-agent")
"""Its ports are others after a scaling, and the agent that watches them is started with the new list."""


@pytest.fixture
def at_rest() -> Estate:
    return read_estate(STACK, "small", Demand.REST)


def lives(workspace: Workspace, estate: Estate) -> dict[tuple[str, str], str]:
    """Process and start of every service, by node and unit."""
    found = {}
    nodes = estate.everything("nodes")
    units = {node.name: [s.unit for s in estate.everything("services") if s.node == node.name] for node in nodes}
    everyone = sorted({unit for of in units.values() for unit in of})
    answers = ask(workspace, nodes, f"systemctl show {' '.join(everyone)} --property={SHOWN}")
    for node, answer in answers.items():
        assert answer.status == 0, answer.error
        for block in answer.out.strip().split("\n\n"):
            fields = dict(line.split("=", 1) for line in block.splitlines())
            unit = fields["Id"].removesuffix(".service")
            if unit in units[node]:
                found[node, unit] = f"{fields['MainPID']} since {fields['ActiveEnterTimestampMonotonic']}"
    return found


def quota(workspace: Workspace, estate: Estate, node: str, unit: str) -> float:
    """The processors that a unit may use, as the kernel enforces it, whichever generation of groups it has."""
    found = (
        f"group=$(systemctl show {unit} --property=ControlGroup --value); cd /sys/fs/cgroup;"
        " cat .$group/cpu.max 2>/dev/null || cat cpu/.$group/cpu.cfs_quota_us cpu/.$group/cpu.cfs_period_us"
    )
    answer = ask(workspace, [estate.node(node)], found)[node]
    used, period = answer.out.split()
    return int(used) / int(period)


@contextmanager
def watched() -> Iterator[list[float]]:
    """Watches the feed; in the end its list holds how long the race's clock stood still, longest last."""
    gaps: list[float] = []
    over = threading.Event()

    def watch() -> None:
        clock, moved = -1, time.monotonic()
        while not over.is_set():
            try:
                now = httpx.get(SNAPSHOT, timeout=2).json()["race"]["clock_ms"]
            except (httpx.HTTPError, ValueError):
                now = clock
            if now != clock:
                gaps.append(time.monotonic() - moved)
                clock, moved = now, time.monotonic()
            over.wait(0.1)
        gaps.append(time.monotonic() - moved)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield gaps
    finally:
        over.set()
        thread.join()
        gaps.sort()


def counts(estate: Estate, service: str) -> dict[str, int]:
    """Readings by device in the manifest of one end."""
    manifest = httpx.get(f"http://{health_address(estate, service)}/manifest", timeout=30).raise_for_status().json()
    return {device: entry["readings"] for device, entry in manifest["devices"].items()}


def test_a_live_race_keeps_its_processors():
    """Guards against a scale-down by a slip of the hand, in the middle of a stage."""
    refused = run("stage", "scale", STACK, "rest")
    assert refused.status == 2
    assert "--during-race" in refused.errors


def test_a_dry_run_says_why_and_changes_nothing(workspace, estate):
    """Guards against a change that is understood only after it was made."""
    before = lives(workspace, estate)
    told = succeed("stage", "scale", STACK, "rest", "--during-race", "--dry-run").result
    assert told["leaving"] == ["processor-2"]
    assert all(move["reason"] for move in told["moves"])
    assert lives(workspace, estate) == before


def test_down_to_rest_and_up_to_the_race_again_restarts_nothing_and_loses_nothing(workspace, estate, at_rest):
    """Guards against a scale-up that interrupts the race which it is for, and readings that go with a machine."""
    before = lives(workspace, estate)
    assert quota(workspace, estate, "processor-1", "etape-processor") == 3.3
    with watched() as gaps:
        succeed("stage", "scale", STACK, "rest", "--during-race")
        assert quota(workspace, estate, "processor-1", "etape-processor") == 1.0
        stayed = lives(workspace, at_rest)
        succeed("stage", "scale", STACK)
        assert quota(workspace, estate, "processor-1", "etape-processor") == 3.3
    after = lives(workspace, estate)

    same = {key for key in before if key[0] != "processor-2"} - {RETOLD}
    assert {key: stayed[key] for key in same} == {key: before[key] for key in same}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert {node for node, _ in before} == {node for node, _ in after}
    assert gaps[-1] < LONGEST_GAP_S, "the live state stood still"

    recorded = counts(estate, "recorder")
    deadline = time.monotonic() + CARRIED_WITHIN_S
    while any(counts(estate, "archive").get(device, 0) < count for device, count in recorded.items()):
        assert time.monotonic() < deadline, "the cloud lacks readings that the truck recorded"
        time.sleep(1)
