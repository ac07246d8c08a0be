"""A team's state, with the real engine: two operators at once, kills, key services, corrupt files, a dead store.

The program here is a small one that needs no Docker, so that these tests need nothing of the lab's.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from infra.checkpoint import checkpoint_key, read_checkpoint, restore
from infra.day.only_one import only_one
from infra.engine import Engine, EngineError, StateError
from infra.locks import read_locks, release_all
from infra.state_objects import StateObjects
from infra.workspace import ROOT, Toolbox, Workspace
from tests.pulumi.lab import FakeDocker
from tests.pulumi.stores import KEYS, moto, versitygw

STACK = "2017-core"
CONFIG = {"placement": "lab", "scale": "small"}
REGION = "us-east-1"
PROJECT = """
name: etape
runtime: python
main: program
stackConfigDir: stacks
plugins: {providers: [{name: etape, path: infra/provider}]}
"""
PROGRAM = """
import time
from pathlib import Path
import pulumi
from infra.provider.resources import Credential, CredentialArgs, EtapeProvider, Machine, MachineArgs
checkout = Path(__file__).resolve().parents[1]
etape = EtapeProvider("etape", "unix:///nowhere.sock")
made = Credential("hub", CredentialArgs(32), pulumi.ResourceOptions(provider=etape))
pulumi.export("credentials", pulumi.Output.secret({"hub": made.secret}))
while (checkout / "hold").exists():
    (checkout / "held").touch()
    time.sleep(0.05)
if (checkout / "silent").exists():
    silent = EtapeProvider("silent", (checkout / "silent").read_text())
    Machine("edge-1", MachineArgs("edge-1", "edge-1", "192.0.2.1"), pulumi.ResourceOptions(provider=silent))
"""


@dataclass
class Operator:
    """One person's machine: a checkout, a home, an engine."""

    workspace: Workspace
    engine: Engine

    @property
    def checkout(self) -> Path:
        return self.workspace.root

    @property
    def home(self) -> Path:
        return self.workspace.home

    def up(self) -> str:
        return str(self.engine.up(STACK, CONFIG, lambda step: None))

    def outputs(self) -> str:
        return (self.home / f"outputs/{STACK}.json").read_text()

    @property
    def state(self) -> StateObjects:
        return self.engine.backend.objects


@pytest.fixture(scope="module", autouse=True)
def clean_lab() -> None:
    """In the place of the lab's own: nothing here is in its way."""


@pytest.fixture
def operator(tmp_path: Path) -> Callable[[str], Operator]:
    """Makes an operator by name; their homes hold the team's passphrase."""
    toolbox = Toolbox.read(Workspace.from_environment())

    def make(name: str) -> Operator:
        checkout, home = tmp_path / name / "checkout", tmp_path / name / "home"
        for folder in (checkout / "program", checkout / "stacks", checkout / "infra", home):
            folder.mkdir(parents=True)
        (checkout / "Pulumi.yaml").write_text(PROJECT)
        (checkout / "program/__main__.py").write_text(PROGRAM)
        (checkout / "infra/provider").symlink_to(ROOT / "infra/provider")
        (home / "passphrase").write_text("of the team")
        workspace = Workspace(checkout, home, tmp_path / "cache")
        return Operator(workspace, Engine(workspace, toolbox, FakeDocker()))

    return make


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret_key"])
    monkeypatch.setenv("AWS_REGION", REGION)


def shared_by(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The team's state is a bucket of its own in the store."""
    name = f"state-{time.monotonic_ns()}"
    boto3.client("s3", endpoint_url=endpoint, region_name=REGION).create_bucket(Bucket=name)
    options = "disableSSL=true&s3ForcePathStyle=true"
    monkeypatch.setenv("ETAPE_STATE", f"s3://{name}?endpoint={endpoint.removeprefix('http://')}&{options}")


@pytest.fixture(scope="module", params=["versitygw", "moto"])
def any_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("store")
    with versitygw(folder) if request.param == "versitygw" else moto() as endpoint:
        yield endpoint


@pytest.fixture
def shared(any_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_by(any_store, monkeypatch)


def wait_until(true: Callable[[], object], what: str, patience_s: float = 20) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.05)


def test_looking_changes_nothing(operator):
    """Guards against a preview after which a stack exists, and against a look at reality that is saved as wanted."""
    who = operator("alone")
    plan = who.engine.preview(STACK, CONFIG, lambda step: None)
    assert [(step.op, step.name) for step in plan.steps] == [
        ("create", "hub"),
        ("create", "etape"),
        ("create", "etape-2017-core"),
    ]
    assert list((who.checkout / "stacks").iterdir()) == []
    assert who.state.list(".pulumi") == ()
    who.up()
    before = {key: who.state.read(key) for key in who.state.list(".pulumi")}
    assert who.engine.preview(STACK, CONFIG, lambda step: None).steps == ()
    assert resources(who.engine.actual(STACK)) == resources(who.engine.export(STACK)) == 3
    assert {key: who.state.read(key) for key in who.state.list(".pulumi")} == before


def resources(deployment: dict) -> int:
    return len(deployment["deployment"]["resources"])


def test_of_two_operators_at_once_the_second_learns_who_the_first_is(shared, operator):
    """Guards against two engines on one state, and against 'locked' without anybody to call."""
    first, second = operator("first"), operator("second")
    (first.checkout / "hold").touch()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(first.up)
        wait_until((first.checkout / "held").exists, "in the middle")
        for attempt in (second.up, lambda: second.engine.recover(STACK), lambda: release_all(second.state, STACK)):
            with pytest.raises(StateError) as caught:
                attempt()
            assert f"{STACK} is held by " in caught.value.sentence
            assert f"@{socket.gethostname()} (process " in caught.value.sentence
            assert "wait until it has ended" in caught.value.remedy
        (first.checkout / "hold").unlink()
        assert running.result() == "3 create"
    assert second.up() == "no change to 3 resources"
    assert second.outputs() == first.outputs()


def test_a_stack_whose_engine_was_killed_goes_on(shared, operator):
    """Guards against a stack that needs hands on its files after a SIGKILL: a lock, an operation left open."""
    who = operator("killed")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (who.checkout / "silent").write_text(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        kill_in_the_middle(who)
    assert len(read_locks(who.state, STACK)) == 1
    (who.checkout / "silent").unlink()
    with only_one(who.workspace):
        who.engine.recover(STACK)
    assert read_locks(who.state, STACK) == ()
    assert read_checkpoint(who.state, STACK).pending == 0
    who.up()
    assert [past.result for past in who.engine.history(STACK)] == ["succeeded"]


def kill_in_the_middle(who: Operator) -> None:
    """An `up` as plain Pulumi runs it, which saves each step, until it waits for a machine; then SIGKILL."""
    # Marked as a command of the day would have it, so that the next one ends the plugins that outlive the engine.
    environment = {**os.environ, **who.engine.environment(), "ETAPE_DAY": str(who.home)}
    surroundings = {"cwd": who.checkout, "env": environment, "stdout": subprocess.DEVNULL}
    subprocess.run(["pulumi", "stack", "init", "--no-select", STACK], check=True, **surroundings)
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", STACK]
    with subprocess.Popen(command, start_new_session=True, **surroundings) as process:
        try:
            wait_until(lambda: read_checkpoint(who.state, STACK).pending, "in the middle")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_corrupt_state_is_told_and_comes_back_from_its_history(operator):
    """Guards against a traceback, and against a corrupt state that passes for an empty one: everything made twice."""
    who = operator("unlucky")
    who.up()
    whole = who.state.read(checkpoint_key(STACK))
    who.state.write(checkpoint_key(STACK), whole[: len(whole) // 2])
    with pytest.raises(StateError, match=f"the state of {STACK} is corrupt") as caught:
        who.up()
    assert f"scripts/stage restore {STACK}" in caught.value.remedy
    assert restore(who.state, STACK).kind == "update"
    assert who.up() == "no change to 3 resources"


def test_a_key_service_takes_the_place_of_the_passphrase(operator, monkeypatch):
    """Guards against a team that has to pass a secret around, and against a key that nobody can reach any more."""
    with moto() as endpoint:
        shared_by(endpoint, monkeypatch)
        keys = boto3.client("kms", endpoint_url=endpoint, region_name=REGION)
        keys.create_alias(AliasName="alias/etape", TargetKeyId=keys.create_key()["KeyMetadata"]["KeyId"])
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint)
        monkeypatch.setenv("ETAPE_SECRETS_PROVIDER", f"awskms://alias/etape?region={REGION}")
        first, second = operator("first"), operator("second")
        for each in (first, second):
            (each.home / "passphrase").unlink()
            each.up()
        assert second.outputs() == first.outputs()
        assert first.engine.export(STACK)["deployment"]["secrets_providers"]["type"] == "cloud"
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
        with pytest.raises(EngineError, match="KMS"):
            second.up()
        assert len(second.engine.history(STACK)) == 2


def test_a_store_that_goes_away_is_told_and_an_up_that_runs_outlives_it(operator, monkeypatch, tmp_path):
    """Guards against a traceback, and against machines that nobody knows because their state found no store."""
    folder = tmp_path / "store"
    folder.mkdir()
    with ThreadPoolExecutor() as pool:
        with versitygw(folder) as endpoint:
            shared_by(endpoint, monkeypatch)
            first, second = operator("first"), operator("second")
            (first.checkout / "hold").touch()
            running = pool.submit(first.up)
            wait_until((first.checkout / "held").exists, "in the middle")
        (first.checkout / "hold").unlink()
        with pytest.raises(StateError, match="cannot be reached") as caught:
            second.up()
        assert "nothing was begun" in caught.value.remedy
        with versitygw(folder):
            assert running.result() == "3 create"
            assert second.up() == "no change to 3 resources"
