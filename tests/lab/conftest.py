"""The lab's tests share one estate, and a day has an order: rooms in the order of DAY, tests as they stand in them."""

import os
import shutil
from pathlib import Path

import pytest

from infra.day.context import read_estate
from infra.estate.model import Estate
from infra.workspace import Toolbox, Workspace
from tests.browser.conftest import applications, browser, launch, open_page, said, space  # noqa: F401 (fixtures)
from tests.lab.command import succeed

STACK = "2017-s09"
UPLINK_CUT_S = 60
DAY = (
    # What needs no estate.
    "test_cable",
    "test_policy",
    "test_state",
    # From nothing to a live stage; what happens while it is live; to the next town and away.
    "test_morning",
    "test_scale",
    "test_drift",
    "test_approval",
    "test_evening",
    # Another year.
    "test_security",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A room that DAY does not name is an error: nobody would know what it may rely on. All other tests go first."""
    day = [item for item in items if item.path.parent == Path(__file__).parent]
    elsewhere = [item for item in items if item not in day]
    items[:] = elsewhere + sorted(day, key=lambda item: DAY.index(item.path.stem))


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    """An ETAPE_HOME of the tests' own, so that nobody's estate is touched."""
    workspace = Workspace.from_environment()
    assert workspace.home.name == "test-home", "the lab's tests run by `scripts/test`, in a home of their own"
    return workspace


@pytest.fixture(scope="session")
def estate() -> Estate:
    return read_estate(STACK, "small")


@pytest.fixture(scope="session", autouse=True)
def clean_lab(workspace: Workspace):
    """Begin and end with nothing, whatever an earlier run left; what it remembers goes too, once nothing is there."""
    os.environ["DOCKER_HOST"] = Toolbox.read(workspace).docker_host
    succeed("stage", "down", "--core", "--abandon", "--yes")
    shutil.rmtree(workspace.home)
    yield
    succeed("stage", "down", "--core", "--abandon", "--yes")
