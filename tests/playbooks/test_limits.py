"""Limits that change while the race goes on."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.etape.node.plugins.module_utils.converge import converge
from ansible_collections.etape.node.plugins.module_utils.desired import State, parse_state
from ansible_collections.etape.node.plugins.plugin_utils.render import Renderer

from infra.workspace import ROOT
from tests.playbooks.fake_machine import FakeMachine, Killed

FOLDER = "/etc/systemd/system"


@pytest.fixture
def state_with(hosts: dict[str, dict]) -> Callable[[str, int], State]:
    """The desired state of a node whose services all have the same share of processors."""

    def make(node: str, cpu_percent: int) -> State:
        variables = copy.deepcopy(hosts[node])
        for service in variables["etape"]["services"]:
            service["limits"]["cpu_percent"] = cpu_percent
        given = {"release": "/somewhere/abc123.tar.gz", "race_speed": 1.0, "playbook_dir": str(ROOT / "playbooks")}
        variables = {**variables, **given}
        renderer = Renderer(Templar(loader=DataLoader(), variables=variables), variables)
        return parse_state(renderer.state(variables["etape"]["roles"]))

    return make


@pytest.mark.parametrize("node", ["processor-1", "feed-1", "edge-2", "store-1", "manage-1"])
def test_other_limits_restart_nothing(node, hosts, state_with, tmp_path):
    """Guards: a scale-up before the start, or a scale-down after the finish, that interrupts what it is for."""
    machine = FakeMachine(tmp_path)
    converge(state_with(node, 150), machine)
    machine.commands.clear()

    changes = converge(state_with(node, 300), machine)

    written = {f"{FOLDER}/{service['unit']}.service.d/limits.conf" for service in hosts[node]["etape"]["services"]}
    assert {change.sentence for change in changes} == {
        f"writes {path}" for path in (*written, "/etc/etape/estate.json")
    }
    assert machine.commands == ["systemctl daemon-reload"]


def test_limits_whose_change_was_killed_are_in_force_after_the_next_run(state_with, tmp_path):
    """Guards: limits that stand in a file which systemd was never told to read."""
    for survived in range(20):
        machine = FakeMachine(Path(tmp_path / str(survived)))
        converge(state_with("processor-1", 150), machine)
        machine.commands.clear()
        machine.kill_after = machine.changes + survived
        try:
            converge(state_with("processor-1", 300), machine)
            return
        except Killed:
            machine.kill_after = None
        told_before = "systemctl daemon-reload" in machine.commands
        written_before = "300%" in machine.at(f"{FOLDER}/etape-processor.service.d/limits.conf").read_text()
        machine.commands.clear()
        converge(state_with("processor-1", 300), machine)
        assert told_before or not written_before or machine.commands == ["systemctl daemon-reload"]
        assert machine.restarts() == []
    pytest.fail("no run came to its end")
