"""The toolset of 2018 against an attack from inside the truck: one door sees it, every door is shut."""

import time
from collections.abc import Iterator

import pytest

from infra.day.context import read_estate
from infra.day.shell import ask
from infra.estate.model import Estate
from infra.render.inventory import first_address
from infra.workspace import Workspace
from tests.lab.command import succeed

STACK = "2018-s11"
ATTACKER, VICTIM = "display-1", "gateway-1"
SPREAD_WITHIN_S = 15.0
TRIES = 8


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    """A stage of 2018, up."""
    try:
        succeed("stage", "up", STACK, "--scale", "small")
        yield read_estate(STACK, "small")
    finally:
        succeed("stage", "down", STACK, "--core", "--abandon", "--yes")


def says(workspace: Workspace, estate: Estate, node: str, command: str) -> str:
    """What a node answers; empty where the command fails."""
    answer = ask(workspace, [estate.node(node)], command)[node]
    return answer.out.strip() if answer.status == 0 else ""


def knock(workspace: Workspace, estate: Estate, at: str, user: str) -> str:
    """Try to log in from the attacker's place, and hear what the door says."""
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=2"
    door = first_address(estate.node(at))
    return says(workspace, estate, ATTACKER, f"ssh {options} {user}@{door} true 2>&1 | tail -1; true")


def shut_out(workspace: Workspace, estate: Estate, at: str) -> bool:
    """Whether a node's kernel drops what comes from the attacker."""
    element = f"{{ {first_address(estate.node(ATTACKER))} }}"
    return bool(says(workspace, estate, at, f"nft get element ip etape-security shut-out '{element}'"))


def test_an_attack_that_one_door_sees_shuts_all_doors(workspace, estate):
    """Guards against tools that each know their own door: the attacker walks to the next one."""
    assert "Permission denied" in knock(workspace, estate, "wan-1", "guest")
    for number in range(TRIES):
        knock(workspace, estate, VICTIM, f"guest{number}")
    doors = {service.node for service in estate.everything("services") if service.name == "security_enforcer"}
    deadline = time.monotonic() + SPREAD_WITHIN_S
    while not all(shut_out(workspace, estate, door) for door in doors):
        assert time.monotonic() < deadline, "not every door is shut"
        time.sleep(0.5)
    assert "wan-1" in doors
    assert "timed out" in knock(workspace, estate, "wan-1", "guest")


def test_the_toolset_is_seen_in_the_one_window(estate):
    """Guards against security tools that nobody sees fail."""
    findings = succeed("stage", "check", STACK).result["findings"]
    judged = {finding["subject"] for finding in findings if finding["kind"] == "service"}
    toolset = {f"{s.name} on {s.node}" for s in estate.everything("services") if s.role == "security"}
    assert len(toolset) > 8
    assert toolset <= judged
