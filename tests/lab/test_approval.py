"""An approval on a live stage: what was approved goes through, what was changed afterwards touches nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from infra.estate.load import STACKS
from infra.operator_key import public_key
from infra.workspace import Workspace
from tests.approval.keys import Pair, make_key
from tests.lab.command import run, succeed
from tests.lab.conftest import STACK

PEOPLE = STACKS / "common/people.yaml"
EDITION = STACKS / "common/edition.yaml"


def machines() -> dict[str, str]:
    """When each machine of the lab was started; a replaced or restarted one shows."""
    return {each.name: each.attrs["State"]["StartedAt"] for each in docker.from_env().containers.list()}


def entry(name: str, role: str, public: str) -> str:
    return f"  - {{name: {name}, roles: [{role}], keys: [{{public: '{public}'}}]}}\n"


@pytest.fixture(scope="module")
def approver(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_key(tmp_path_factory.mktemp("keys"), "network-operations")


@pytest.fixture(scope="module")
def people(workspace: Workspace, approver: Pair) -> Iterator[None]:
    """This operator and an approver, in the checkout's own file for as long as these tests run."""
    shipped = PEOPLE.read_text()
    operator = " ".join(public_key(workspace).split()[:2])
    entries = entry("truck-operations", "operator", operator), entry("network-operations", "approver", approver.public)
    PEOPLE.write_text(f"people:\n{''.join(entries)}")
    yield
    PEOPLE.write_text(shipped)


@pytest.fixture(scope="module")
def plan(people: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan that makes both of them known, not yet approved."""
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    succeed("stage", "plan", STACK, "--why", "who decides from now on", "--output", str(path))
    return path


def test_a_plain_up_of_a_dangerous_change_is_refused_and_touches_nothing(people: None) -> None:
    """An approver whom nobody has to ask is decoration."""
    before = machines()
    outcome = run("stage", "up", STACK)
    assert outcome.status == 2
    assert "person network-operations of 2017-core (R" in outcome.errors
    assert machines() == before


def test_the_same_plan_twice_has_the_same_hash(plan: Path) -> None:
    """A hash that moves by itself refuses every approval."""
    again = succeed("stage", "plan", STACK, "--why", "a second look").result
    assert again["plan_hash"] == json.loads(plan.read_text())["request"]["plan_hash"]


def test_without_an_approver_the_plan_does_not_hold(plan: Path) -> None:
    """The author's own signature is under every plan."""
    outcome = run("stage", "up", "--approved", str(plan))
    assert outcome.status == 2
    assert "need an approver other than truck-operations: nobody else has signed it" in outcome.errors


def test_what_was_approved_is_carried_out(plan: Path, approver: Pair) -> None:
    """Guards against approvals that only ever refuse."""
    before = machines()
    succeed("stage", "approve", str(plan), "--key", str(approver.private), "--yes")
    outcome = succeed("stage", "up", "--approved", str(plan))
    assert outcome.step("Hold the plan against its approval")["state"] == "done"
    assert machines() == before


def test_a_model_that_changed_after_the_approval_is_refused_and_touches_nothing(
    plan: Path, workspace: Workspace
) -> None:
    """Guards against carrying out what nobody has read; the refusal names what differs and is kept."""
    before, shipped = machines(), EDITION.read_text()
    EDITION.write_text(shipped.replace("mtu: 1500", "mtu: 1400"))
    try:
        outcome = run("stage", "up", "--approved", str(plan))
    finally:
        EDITION.write_text(shipped)
    assert outcome.status == 2
    assert "model is not what was approved: 2017-core links N-01 was changed" in outcome.errors
    assert "steps is not what was approved" in outcome.errors
    assert machines() == before
    kept = succeed("stage", "log", STACK).result["entries"]
    assert [each["facts"]["outcome"] for each in kept if each["kind"] == "approval"][-1] == "refused"
