"""Real machines, through their own inventory: ETAPE_TEST_HOSTS names the stacks, as 2017-core,2017-s09.

Without it there is nothing to look at, and nothing here is collected.
"""

import json
import os
from dataclasses import dataclass
from functools import cache

import pytest
import testinfra
from testinfra.host import Host

from infra.workspace import Workspace

STACKS = [stack for stack in os.environ.get("ETAPE_TEST_HOSTS", "").split(",") if stack]
collect_ignore_glob = [] if STACKS else ["test_*.py"]


@dataclass(frozen=True)
class Deployed:
    """A machine, and what the inventory says that it is."""

    host: Host
    etape: dict


@cache
def _inventories() -> dict[str, dict]:
    workspace = Workspace.from_environment()
    rendered = [json.loads(workspace.inventory(stack).read_text())["all"] for stack in STACKS]
    return {name: {**inventory["vars"], **host} for inventory in rendered for name, host in inventory["hosts"].items()}


@cache
def _connect(address: str, key_file: str) -> Host:
    return testinfra.get_host(f"paramiko://root@{address}", ssh_identity_file=key_file)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "node" in metafunc.fixturenames:
        metafunc.parametrize("node", sorted(_inventories()), indirect=True)


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Deployed:
    """One machine after the other."""
    variables = _inventories()[request.param]
    host = _connect(variables["ansible_host"], variables["ansible_ssh_private_key_file"])
    return Deployed(host, variables["etape"])
