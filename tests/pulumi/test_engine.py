"""The engine against a stand-in for the Pulumi CLI, which writes down how it was called."""

import json
import socket
from pathlib import Path

import pytest
import yaml

from infra.docker_engine import Thing
from infra.engine import Engine, EngineError, StateError
from infra.workspace import Toolbox, Workspace
from tests.pulumi.lab import FakeDocker

STACK = "2017-s09"
CONFIG = {"placement": "lab", "scale": "small"}
PULUMI = """#!/bin/sh
echo "$@" >> "$ETAPE_HOME/calls"
case "$*" in
*"stack init"*) mkdir -p "$ETAPE_HOME/state/.pulumi/stacks/etape"
  echo '{"checkpoint": {}}' > "$ETAPE_HOME/state/.pulumi/stacks/etape/2017-s09.json" ;;
*"stack output"*) echo '{"credentials": {"hub_password": "s"}}' ;;
*"stack export"*) echo '{"deployment": {"pending_operations": [{}]}}' ;;
*"stack import"*) cat > "$ETAPE_HOME/imported" ;;
version*) echo v3.259.0 ;;
preview*) echo "$PULUMI_BACKEND_URL" >> "$ETAPE_HOME/backends"; cat "$ETAPE_HOME/events"
  exit $(cat "$ETAPE_HOME/status" 2>/dev/null || echo 0) ;;
*up*|*destroy*) cat "$ETAPE_HOME/events"; exit $(cat "$ETAPE_HOME/status" 2>/dev/null || echo 0) ;;
esac
"""


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(root=tmp_path / "checkout", home=tmp_path / "home", cache=tmp_path / "cache")
    (workspace.root / "stacks").mkdir(parents=True)
    (workspace.root / "bin").mkdir()
    workspace.home.mkdir()
    (workspace.root / "bin/pulumi").write_text(PULUMI)
    (workspace.root / "bin/pulumi").chmod(0o755)
    (workspace.home / "events").write_text('{"summaryEvent": {"resourceChanges": {"create": 3}}}\n')
    return workspace


@pytest.fixture
def docker():
    return FakeDocker()


@pytest.fixture
def engine(workspace, docker):
    toolbox = Toolbox("unix:///nowhere.sock", "sha256:0", (str(workspace.root / "bin"),), "", "")
    return Engine(workspace, toolbox, docker)


def calls(workspace: Workspace) -> list[str]:
    path = workspace.home / "calls"
    return path.read_text().splitlines() if path.exists() else []


def checkpoint(workspace: Workspace, *ids: str, pending: int = 0) -> None:
    """A state in which Docker's things of these ids exist."""
    resources = [{"type": "docker:index/container:Container", "id": each} for each in ids]
    latest = {"resources": resources, "pending_operations": [{}] * pending}
    path = workspace.home / f"state/.pulumi/stacks/etape/{STACK}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"checkpoint": {"latest": latest}}))


def hold(workspace: Workspace, process: int, host: str = "") -> Path:
    """Somebody's lock on the stack, on this machine unless another is named."""
    path = workspace.home / f"state/.pulumi/locks/organization/etape/{STACK}/1.json"
    path.parent.mkdir(parents=True)
    holder = {"pid": process, "username": "ops", "hostname": host or socket.gethostname()}
    path.write_text(json.dumps({**holder, "timestamp": "2017-07-09T10:00:00Z"}))
    return path


def container(identity: str, running: bool = True) -> Thing:
    return Thing("container", identity, f"{STACK}-{identity}", running)


def volume(name: str) -> Thing:
    return Thing("volume", name, name, True)


def up(engine: Engine) -> object:
    return engine.up(STACK, CONFIG, lambda text: None)


def test_the_first_up_makes_the_stack_and_keeps_its_outputs_private(engine, workspace):
    """Guards against a fresh machine on which someone has to run `stack init`, and against readable secrets."""
    assert str(up(engine)) == "3 create"
    assert calls(workspace)[0].startswith("stack init --no-select --secrets-provider=passphrase")
    assert json.loads(workspace.outputs(STACK).read_text())["credentials"] == {"hub_password": "s"}
    assert workspace.outputs(STACK).stat().st_mode & 0o777 == 0o600
    assert (workspace.home / "passphrase").stat().st_mode & 0o777 == 0o600


def test_a_second_up_does_not_make_the_stack_again(engine, workspace):
    """Guards against a passphrase or a state that is replaced."""
    up(engine)
    before = (workspace.home / "passphrase").read_text()
    up(engine)
    assert sum("stack init" in call for call in calls(workspace)) == 1
    assert (workspace.home / "passphrase").read_text() == before


def test_the_checkout_keeps_no_homes_salt(engine, workspace):
    """Guards against 'incorrect passphrase' for the next home that works in the same checkout."""
    path = workspace.root / f"stacks/Pulumi.{STACK}.yaml"
    up(engine)
    path.write_text(path.read_text() + "encryptionsalt: written-by-pulumi\n")
    engine.export(STACK)
    assert yaml.safe_load(path.read_text()) == {"config": {"etape:placement": "lab", "etape:scale": "small"}}


def test_the_stack_file_holds_what_this_home_wants(engine, workspace):
    """Guards against the scale or the salt of another home of the same checkout."""
    path = workspace.root / f"stacks/Pulumi.{STACK}.yaml"
    path.write_text("config:\n  etape:scale: full\nencryptionsalt: of-another-home\n")
    up(engine)
    assert yaml.safe_load(path.read_text()) == {"config": {"etape:placement": "lab", "etape:scale": "small"}}


def test_steps_are_told_as_they_happen(engine, workspace):
    """Guards against minutes of silence."""
    step = {"resourcePreEvent": {"metadata": {"op": "create", "urn": "urn:a::b::etape:index:Cable::T1-07"}}}
    (workspace.home / "events").write_text(json.dumps(step) + "\n")
    told = []
    engine.up(STACK, CONFIG, told.append)
    assert told == ["create T1-07"]


def test_a_failure_is_one_sentence_a_remedy_and_a_log(engine, workspace):
    """Guards against a page of Pulumi's output where one line matters."""
    error = {"severity": "error", "message": "error: wan-1 is not there", "urn": "urn:a::b::etape:index:Cable::X-00"}
    (workspace.home / "events").write_text(json.dumps({"diagnosticEvent": error}) + "\n")
    (workspace.home / "status").write_text("255")
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.sentence == "up of 2017-s09 failed: X-00: wan-1 is not there"
    assert "run the same command again" in caught.value.remedy
    assert "wan-1 is not there" in caught.value.log.read_text()
    assert not workspace.outputs(STACK).exists()


@pytest.fixture
def judged(workspace, docker):
    """An engine whose operations a policy pack judges."""
    toolbox = Toolbox("unix:///nowhere.sock", "sha256:0", (str(workspace.root / "bin"),), "", "")
    return Engine(workspace, toolbox, docker, policies=workspace.policy_pack)


def test_what_policies_refuse_is_said_before_anything_is_touched(judged, workspace):
    """Guards against half a stack, and against 'preview failed' where a policy had said what is wrong."""
    finding = {
        "policyName": "pinned",
        "enforcementLevel": "mandatory",
        "resourceUrn": "a::edge-1",
        "message": "It moves",
    }
    events = [{"policyEvent": finding}, {"diagnosticEvent": {"severity": "error", "message": "preview failed"}}]
    (workspace.home / "events").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    (workspace.home / "status").write_text("255")
    with pytest.raises(EngineError) as caught:
        up(judged)
    assert caught.value.sentence == "up of 2017-s09 is refused by policy: edge-1: It moves (pinned)"
    assert "have it waived" in caught.value.remedy
    assert f"--policy-pack {workspace.root}/infra/policy/pack.py" in calls(workspace)[-1]
    assert not any(call.startswith("up") for call in calls(workspace))


@pytest.mark.parametrize(("outputs", "passes"), [("old", ["preview"]), ("new", ["preview", "up"])])
def test_where_policies_saw_nothing_to_do_nothing_is_done(judged, workspace, outputs, passes):
    """Guards against a no-op that takes twice as long, and against outputs of the program that are never saved."""
    sides = {"old": {"outputs": {"links": "old"}}, "new": {"outputs": {"links": outputs}}}
    events = [
        {"resOutputsEvent": {"metadata": {"op": "same", "type": "pulumi:pulumi:Stack", **sides}}},
        {"summaryEvent": {"resourceChanges": {"same": 86}}},
    ]
    (workspace.home / "events").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert str(up(judged)) == "no change to 86 resources"
    assert [call.split()[0] for call in calls(workspace) if call.split()[0] in ("preview", "up")] == passes
    assert "summaryEvent" in (workspace.home / f"logs/{STACK}-up.log").read_text()


def test_an_error_before_the_first_event_is_told_too(engine, workspace):
    """Guards against 'ended with status 1' where Pulumi said why on its other stream."""
    (workspace.home / "events").write_text('{"cancelEvent": {}}\nerror: could not load plugin etape\n')
    (workspace.home / "status").write_text("255")
    with pytest.raises(EngineError, match="up of 2017-s09 failed: could not load plugin etape"):
        up(engine)


def test_a_stopped_machine_makes_up_look_at_reality_first(engine, workspace, docker):
    """Guards against an `up` after a reboot that believes every machine to be running."""
    checkpoint(workspace, "edge-1", "edge-2")
    docker.owned = [container("edge-1"), container("edge-2", running=False)]
    up(engine)
    assert "--refresh" in calls(workspace)[0]


def test_a_preview_of_what_never_was_works_on_a_state_of_its_own(engine, workspace):
    """Guards against a stack that exists because somebody looked what it would be."""
    finding = {"policyName": "tags", "enforcementLevel": "advisory", "resourceUrn": "a::edge-1", "message": "Tag it."}
    (workspace.home / "events").write_text(json.dumps({"policyEvent": finding}) + "\n")
    plan = engine.preview(STACK, CONFIG, lambda text: None)
    assert [each.policy for each in plan.policies] == ["tags"]
    assert (plan.engine, plan.config) == ("3.259.0", CONFIG)
    assert not (workspace.home / f"state/.pulumi/stacks/etape/{STACK}.json").exists()
    assert f"{workspace.home}/state" not in (workspace.home / "backends").read_text()


def test_where_all_machines_run_nothing_is_refreshed(engine, workspace, docker):
    """Guards against a no-op `up` that takes twice as long."""
    checkpoint(workspace, "edge-1")
    docker.owned = [container("edge-1")]
    up(engine)
    assert not any("--refresh" in call for call in calls(workspace))


def test_a_stack_of_another_home_is_not_taken_over(engine, workspace, docker):
    """Guards against two homes on one Docker engine: the second's `destroy` would take the first one's data."""
    docker.strangers = [volume("edge-1-data")]
    with pytest.raises(StateError, match="made from another ETAPE_HOME: volume edge-1-data"):
        up(engine)
    assert calls(workspace) == []


def test_an_up_can_be_held_to_a_plan_of_a_stack_that_never_was(engine, workspace, tmp_path):
    """Guards against a plan whose secrets another state encrypted, which no `up` could read."""
    bound = tmp_path / "plan"
    engine.preview(STACK, CONFIG, lambda text: None, bound)
    engine.up(STACK, CONFIG, lambda text: None, bound)
    initialised, previewed, carried_out, *_ = (each for each in calls(workspace) if not each.startswith("version"))
    assert initialised.startswith("stack init")
    assert f"--save-plan {bound}" in previewed
    assert (workspace.home / "backends").read_text() == f"file://{workspace.home}/state\n"
    assert f"--plan {bound}" in carried_out
    assert "--skip-preview" in carried_out


def test_destroy_forgets_the_outputs(engine, workspace):
    """Guards against an inventory of machines that are gone."""
    up(engine)
    engine.destroy(STACK, lambda text: None)
    assert not workspace.outputs(STACK).exists()


def test_destroying_what_never_was_is_no_error(engine, workspace):
    """Guards against a `down` after an `up` that was killed in its first second."""
    assert engine.destroy(STACK, lambda text: None).none
    assert calls(workspace) == []


def test_recover_removes_what_a_killed_engine_did_not_record(engine, workspace, docker):
    """Guards against 'name already in use' for ever after a kill."""
    checkpoint(workspace, "edge-1")
    docker.owned = [container("edge-1"), container("edge-2")]
    engine.recover(STACK)
    assert [thing.id for thing in docker.owned] == ["edge-1"]


def test_recover_after_a_kill_before_the_first_checkpoint(engine, docker):
    """Guards against leftovers of a stack that has no state at all."""
    docker.owned = [container("edge-1")]
    engine.recover(STACK)
    assert engine.remains(STACK) == []


def test_recover_leaves_data_alone(engine, workspace, docker):
    """Guards against a season's archive that goes because an older state was put back."""
    checkpoint(workspace, "edge-1")
    docker.owned = [container("edge-1"), container("edge-2"), volume("edge-1-data")]
    engine.recover(STACK)
    assert [thing.id for thing in docker.owned] == ["edge-1", "edge-1-data"]


@pytest.mark.parametrize("ever_recorded", [True, False])
def test_destroy_takes_data_that_no_state_knows(engine, workspace, docker, ever_recorded):
    """Guards against a volume of a killed `up` that stays for ever, or that another day's machine would adopt."""
    if ever_recorded:
        checkpoint(workspace)
    docker.owned = [volume("edge-1-data")]
    engine.destroy(STACK, lambda text: None)
    assert engine.remains(STACK) == []


def test_destroy_takes_strangers_off_its_networks(engine, docker):
    """Guards against a town that cannot be left: Docker keeps a network to which somebody attached a machine."""
    ours, network = Thing("container", "1", "edge-1", True), Thing("network", "2", "management", True)
    docker.owned += [ours, network]
    engine.destroy(STACK, lambda text: None)
    assert docker.freed == {"management": {"1"}}


def test_data_that_a_failed_destroy_left_is_kept_and_told(engine, workspace, docker):
    """Guards against data that go while the machine that they belong to is still there."""
    checkpoint(workspace, "edge-1", "edge-1-data")
    (workspace.home / "status").write_text("255")
    docker.owned = [container("edge-1"), volume("edge-1-data")]
    with pytest.raises(EngineError):
        engine.destroy(STACK, lambda text: None)
    assert engine.remains(STACK) == ["container 2017-s09-edge-1", "volume edge-1-data"]


def test_recover_forgets_operations_that_were_left_open(engine, workspace):
    """Guards against an `up` that refuses until someone edits the state."""
    checkpoint(workspace, pending=2)
    engine.recover(STACK)
    assert json.loads((workspace.home / "imported").read_text())["deployment"]["pending_operations"] == []


def test_recover_releases_the_lock_of_a_dead_engine(engine, workspace):
    """Guards against a stack that stays locked after a SIGKILL."""
    lock = hold(workspace, process=2**22 + 1)
    engine.recover(STACK)
    assert not lock.exists()


def test_recover_leaves_a_living_engine_alone(engine, workspace, living_pulumi):
    """Guards against breaking into a `pulumi up` that runs in another terminal."""
    lock = hold(workspace, process=living_pulumi)
    with pytest.raises(StateError) as caught:
        engine.recover(STACK)
    assert f"2017-s09 is held by ops@{socket.gethostname()} (process {living_pulumi}) since 2017-07-09T10:00" in str(
        caught.value
    )
    assert "wait until it has ended" in caught.value.remedy
    assert lock.exists()


def test_up_tells_who_was_faster(engine, workspace):
    """Guards against a lock file's address where a person's name is needed: the other began after we had looked."""
    (workspace.home / "events").write_text("error: the stack is currently locked by 1 lock(s). Either wait\n  x.json\n")
    (workspace.home / "status").write_text("255")
    hold(workspace, process=7, host="truck")
    with pytest.raises(StateError, match=r"held by ops@truck \(process 7\) since 2017-07-09T10:00"):
        up(engine)
