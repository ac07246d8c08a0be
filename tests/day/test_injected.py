"""Faults that were brought in are remembered until they are mended, or their machines are gone."""

from infra.day.fault import Fault
from infra.day.injected import forget, injected, remember
from infra.workspace import Workspace


def test_faults_are_remembered_in_order_until_the_machines_are_gone(tmp_path):
    """Guards against `heal` that does not know what to mend, and one that mends yesterday's machines."""
    workspace = Workspace(root=tmp_path, home=tmp_path / "home", cache=tmp_path / "cache")
    assert injected(workspace) == []
    faults = [Fault("wan-1", "the uplink is cut", "down", "up"), Fault("edge-3", "a processor is busy", "burn", "stop")]
    remember(workspace, faults)
    assert injected(workspace) == faults
    forget(workspace)
    assert injected(workspace) == []
