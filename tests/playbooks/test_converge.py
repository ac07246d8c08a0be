"""What the module `etape.node.state` does to a node."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.etape.node.plugins.module_utils.converge import converge, wipe
from ansible_collections.etape.node.plugins.module_utils.desired import State, parse_state
from ansible_collections.etape.node.plugins.module_utils.machine import MachineError
from ansible_collections.etape.node.plugins.module_utils.record import APPLIED

from tests.playbooks.fake_machine import FakeMachine, Killed

UNIT = "/etc/systemd/system/etape-relay.service"
CONFIG = "/etc/etape/relay.json"


def relay_state(config: str = "one", **more: list) -> State:
    """A relay with its unit, its config and the release that it runs."""
    role = {
        "role": "tracking",
        "accounts": [{"name": "etape", "uid": 500, "home": "/var/lib/etape"}],
        "directories": [{"path": "/etc/etape", "group": "etape", "mode": "0750"}],
        "files": [
            {"path": CONFIG, "content": config, "group": "etape", "mode": "0640", "secret": True},
            {"path": UNIT, "content": "[Service]\n"},
        ],
        "links": [{"path": "/opt/etape/current", "target": "releases/abc"}],
        "units": [{"name": "etape-relay.service", "restart_on": [CONFIG, "/opt/etape/current"]}],
    }
    return parse_state([{**role, **more}])


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def tree(machine: FakeMachine) -> dict[str, str]:
    """Every file and link of ours on the node; not the node's own memory of it."""
    kept = [path for path in machine.root.rglob("*") if "etape-node" not in path.parts]
    links = {str(path.relative_to(machine.root)): str(path.readlink()) for path in kept if path.is_symlink()}
    return {str(path.relative_to(machine.root)): path.read_text() for path in kept if path.is_file()} | links


def test_first_run_brings_everything_and_starts_the_unit(machine: FakeMachine) -> None:
    """Guards: a file, an owner or a start that is forgotten."""
    changes = converge(relay_state(), machine)

    assert machine.at(CONFIG).read_text() == "one"
    assert machine.attributes(CONFIG).group == "etape"
    assert machine.attributes(CONFIG).mode == "0640"
    assert machine.active == machine.enabled == {"etape-relay.service"}
    assert machine.accounts == {"etape"}
    assert {change.role for change in changes} == {"tracking"}


def test_second_run_changes_nothing_and_runs_no_command(machine: FakeMachine) -> None:
    """Guards: a deploy without changes that restarts services or says that it changed something."""
    converge(relay_state(), machine)
    machine.commands.clear()

    assert converge(relay_state(), machine) == ()
    assert machine.commands == []


def test_only_the_unit_whose_file_changed_restarts(machine: FakeMachine) -> None:
    """Guards: a change of one config that interrupts its neighbours."""

    def with_neighbour(config: str) -> State:
        neighbour = "/etc/systemd/system/etape-forwarder.service"
        files = [
            {"path": CONFIG, "content": config},
            {"path": UNIT, "content": "[Service]\n"},
            {"path": neighbour, "content": "[Service]\n"},
        ]
        units = [{"name": "etape-relay.service", "restart_on": [CONFIG]}, {"name": "etape-forwarder.service"}]
        return relay_state(files=files, units=units)

    converge(with_neighbour("one"), machine)
    machine.commands.clear()
    converge(with_neighbour("two"), machine)

    assert machine.restarts() == ["etape-relay.service"]
    assert "systemctl daemon-reload" not in machine.commands


def test_a_new_release_restarts_what_runs_it(machine: FakeMachine) -> None:
    """Guards: services that go on with the code of the last release."""
    converge(relay_state(), machine)
    machine.commands.clear()
    converge(relay_state(links=[{"path": "/opt/etape/current", "target": "releases/def"}]), machine)

    assert machine.target("/opt/etape/current") == "releases/def"
    assert machine.restarts() == ["etape-relay.service"]


def test_a_hand_edit_is_mended_and_its_unit_restarts(machine: FakeMachine) -> None:
    """Guards: drift that stays because the node remembers the right state."""
    converge(relay_state(), machine)
    machine.commands.clear()
    machine.at(CONFIG).write_text("edited by hand")

    assert [change.sentence for change in converge(relay_state(), machine)] == [
        f"writes {CONFIG}",
        f"restarts etape-relay.service because of {CONFIG}",
    ]
    assert machine.restarts() == ["etape-relay.service"]


def test_yesterdays_address_goes_when_todays_is_written(machine: FakeMachine) -> None:
    """Guards: a router that keeps the handoff of the last town beside that of this one, and half of its routes."""
    flush = ["ip", "address", "flush", "dev", "br-uplink"]
    files = [{"path": "/etc/systemd/network/40-etape-br-uplink.network", "content": "100.64.9.1", "undo": flush}]
    converge(relay_state(files=files, units=[]), machine)
    assert " ".join(flush) not in machine.commands

    files[0]["content"] = "100.64.10.1"
    converge(relay_state(files=files, units=[]), machine)
    assert " ".join(flush) in machine.commands


def test_a_stopped_unit_is_started_without_touching_files(machine: FakeMachine) -> None:
    """Guards: a service that someone stopped and that a deploy leaves stopped."""
    converge(relay_state(), machine)
    machine.active.clear()

    assert [change.sentence for change in converge(relay_state(), machine)] == ["starts etape-relay.service"]
    assert machine.active == {"etape-relay.service"}


def test_a_unit_that_was_masked_and_disabled_runs_again(machine: FakeMachine) -> None:
    """Guards: a service that somebody forbade to start, and a deploy that systemd refuses."""
    converge(relay_state(), machine)
    machine.masked, machine.enabled, machine.active = {"etape-relay.service"}, set(), set()
    converge(relay_state(), machine)

    assert (machine.masked, machine.enabled, machine.active) == (
        set(),
        {"etape-relay.service"},
        {"etape-relay.service"},
    )


@pytest.mark.parametrize("from_nothing", [True, False], ids=["first deploy", "changed config"])
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(tmp_path: Path, from_nothing: bool) -> None:
    """Guards: a half-applied node that a later run takes for finished, or a service left with its old config."""
    wanted = relay_state("two")
    for survived in range(40):
        machine = FakeMachine(tmp_path / str(survived))
        if not from_nothing:
            converge(relay_state("one"), machine)
        machine.kill_after = machine.changes + survived
        try:
            converge(wanted, machine)
            break
        except Killed:
            machine.kill_after = None
        restarted_before = machine.restarts()[not from_nothing :]
        converge(wanted, machine)
        assert machine.at(CONFIG).read_text() == "two"
        assert machine.at(APPLIED).read_text().strip() == wanted.digest()
        assert machine.active == {"etape-relay.service"}
        assert machine.restarts()[not from_nothing :] or restarted_before, f"never restarted after {survived} changes"
        assert converge(wanted, machine) == ()
    assert survived > 5, "the loop has to kill in the middle"


def test_a_unit_that_does_not_start_is_named_with_its_last_words(machine: FakeMachine) -> None:
    """Guards: 'see journalctl -xeu' as the only help; and a node that counts as applied although it is not."""
    machine.broken = {"etape-relay.service"}

    with pytest.raises(MachineError, match=r"etape-relay.service does not run \(no space left on device\)"):
        converge(relay_state(), machine)
    assert not machine.at(APPLIED).exists()


def test_looking_only_changes_nothing(machine: FakeMachine) -> None:
    """Guards: --check that writes."""
    changes = converge(relay_state(), machine, only_look=True)

    assert [change.sentence for change in changes if CONFIG in change.sentence][0] == f"writes {CONFIG}"
    assert machine.changes == 0


def test_secrets_stay_out_of_the_diff(machine: FakeMachine) -> None:
    """Guards: passwords in the log of a deploy with --diff."""
    converge(relay_state("old password"), machine)
    change = converge(relay_state("new password"), machine)[0]

    assert "password" not in change.before + change.after
    assert change.before != change.after


def test_what_is_no_longer_wanted_is_taken_away(machine: FakeMachine) -> None:
    """Guards: a service that goes on running on the node that it was moved away from."""
    converge(relay_state(), machine)
    converge(relay_state(files=[], units=[]), machine)

    assert machine.active == set()
    assert not machine.at(CONFIG).exists()
    assert not machine.at(UNIT).exists()


def test_a_second_run_on_the_node_waits_for_the_first(machine: FakeMachine) -> None:
    """Guards: two runs that restart each other's services, after the first one's controller was killed."""
    order: list[str] = []

    def second() -> None:
        with machine.alone():
            order.append("second")

    thread = threading.Thread(target=second)
    with machine.alone():
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_a_wipe_leaves_nothing_of_ours_and_all_of_others(machine: FakeMachine) -> None:
    """Guards: a hardware node that is given back with our units, data or account on it."""
    theirs = machine.at("/etc/systemd/network/10-management.network")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("eth0")
    before = tree(machine)
    files = [
        {"path": "/etc/systemd/network/40-etape-eno1.network", "content": "x", "undo": ["ip", "address", "flush"]},
        {"path": UNIT, "content": "[Service]\n"},
    ]
    units = [
        {"name": "systemd-networkd.service", "restart_on": ["/etc/systemd/network/"]},
        {"name": "etape-relay.service"},
    ]
    converge(relay_state(files=files, units=units), machine)
    machine.commands.clear()
    wipe(machine)

    assert tree(machine) == before
    assert machine.accounts == set()
    assert machine.active == {"systemd-networkd.service"}
    assert "ip address flush" in machine.commands
    assert "systemctl try-restart systemd-networkd.service" in machine.commands
    assert wipe(machine) == ()


def test_a_wipe_empties_a_mounted_disk_and_leaves_the_mount(machine: FakeMachine) -> None:
    """Guards: a wipe that stops where data are on a disk of their own, whose mount point nobody can remove."""
    converge(relay_state(directories=[{"path": "/var/lib/etape"}]), machine)
    machine.mounts.add("/var/lib/etape")
    machine.at("/var/lib/etape/race").mkdir()
    machine.at("/var/lib/etape/race/clock.json").write_text("{}")
    wipe(machine)

    assert list(machine.at("/var/lib/etape").iterdir()) == []


def test_the_nodes_memory_is_not_kept_with_the_data(machine: FakeMachine) -> None:
    """Guards: a fresh machine that takes over the data of its predecessor and believes itself to be deployed."""
    converge(relay_state(directories=[{"path": "/var/lib/etape"}]), machine)

    assert machine.at(APPLIED).exists()
    assert list(machine.at("/var/lib/etape").iterdir()) == []


def test_every_node_of_the_estate_converges_and_stays(
    tmp_path: Path, hosts: dict, state_of: Callable[..., State]
) -> None:
    """Guards: a role whose rendered state cannot be applied, or never comes to rest."""
    for name in ("gateway-1", "switch-1", "edge-2", "manage-1", "store-1", "web-1"):
        machine = FakeMachine(tmp_path / name)
        assert converge(state_of(name), machine)
        assert converge(state_of(name), machine) == ()
