"""What stands before a change, on a real home and log, with a stand-in for the engine."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from infra.approval.digest import plan_hash
from infra.approval.document import read_approval, write_approval
from infra.day.approve import approve
from infra.day.context import Day
from infra.day.judging import Judge, Judged
from infra.day.outcome import Refusal
from infra.day.permit import permit_end, permitted_up
from infra.day.planning import plan_end, plan_up
from infra.day.progress import Progress
from infra.day.record import Phase, Record
from infra.estate.governance import PersonRole
from infra.estate.load import load_estate
from infra.estate.model import Estate
from infra.plan import Plan, Step
from infra.workspace import Workspace
from tests.approval.keys import Pair, make_key, person
from tests.approval.requests import change, request, signed

STACK, CORE = "2017-s09", "2017-core"
AUTHOR, APPROVER = "truck-operations", "network-operations"
WANTED = Record(stack=STACK, scale="small")
NOW = datetime.now(UTC).replace(microsecond=0)
URN = "urn:pulumi:2017-s09::etape::docker:index/container:Container::edge-1"


@dataclass
class FakeEngine:
    """Previews what it is told to; writes Pulumi's own form of a plan where it is asked for one."""

    image: str = "sha256:1"
    resources: list[dict] = field(default_factory=list)
    previewed: list[str] = field(default_factory=list)

    def preview(self, stack, config, note, bound=None) -> Plan:
        self.previewed.append(stack)
        if bound:
            bound.write_text("{}")
        step = Step(
            "update", URN, "docker:index/container:Container", "edge-1", {}, {"image": self.image}, (), (), False
        )
        return Plan(stack, (step,) if stack == STACK else (), (), "3.259.0", dict(config))

    def export(self, stack: str) -> dict:
        return {"deployment": {"resources": self.resources}}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in (AUTHOR, APPROVER, "stranger")}


@pytest.fixture
def day(tmp_path: Path) -> Day:
    root = tmp_path / "checkout"
    (root / "infra").mkdir(parents=True)
    (root / "infra/program.py").write_text("build()")
    day = Day(Workspace(root, tmp_path / "home", tmp_path / "cache"), Progress(out=io.StringIO()))
    day.engine = FakeEngine()
    return day


@pytest.fixture
def estate(pairs: dict[str, Pair]) -> Estate:
    people = (
        person(APPROVER, pairs[APPROVER], PersonRole.APPROVER),
        person(AUTHOR, pairs[AUTHOR], PersonRole.OPERATOR, PersonRole.APPROVER),
    )
    return replace(loaded(STACK), people=people)


@cache
def loaded(stack: str) -> Estate:
    return load_estate(stack, "small")


def judge_as(risk: str) -> Judge:
    """Every plan holds one change of that class."""
    return lambda day, plans, why: Judged((change("replace", "Container", "edge-1", risk),))


def outcomes(day: Day) -> list[str]:
    return [str(each.facts["outcome"]) for each in day.evidence.log(STACK).entries() if each.kind == "approval"]


def said(day: Day) -> str:
    assert isinstance(day.progress.out, io.StringIO)
    return day.progress.out.getvalue()


@contextmanager
def refused(*words: str) -> Iterator[None]:
    with pytest.raises(Refusal) as told:
        yield
    for word in words:
        assert word in str(told.value)


def approval_file(day: Day, estate: Estate, pairs: dict[str, Pair], path: Path, *signers: str) -> Path:
    """What `plan --output` writes for an R3 change, signed by these."""
    covered = plan_up(day, estate, WANTED, judge=judge_as("R3")).covered
    write_approval(path, signed(request(AUTHOR, pairs[AUTHOR], "R3", covered, NOW), *(pairs[name] for name in signers)))
    return path


def test_without_an_approver_an_up_goes_on_unseen_by_the_engine_and_says_so(day, estate) -> None:
    """A preview that nobody can approve would cost every day ten seconds; silence would look like an approval."""
    with permitted_up(day, replace(estate, people=()), WANTED, None, judge_as("R4")) as bounds:
        assert bounds == {}
    assert day.engine.previewed == []
    assert "not approved: people.yaml of 2017 names no approver" in said(day)
    assert outcomes(day) == ["not approved"]


@pytest.mark.parametrize("risk", ["R3", "R4"])
def test_with_an_approver_danger_is_refused_and_named(day, estate, risk) -> None:
    """An approver whom nobody has to ask is decoration."""
    with (
        refused(
            f"replace Container edge-1 of 2017-s09 ({risk})",
            "scripts/stage plan 2017-s09 --output plan.json",
            "--approved plan.json",
        ),
        permitted_up(day, estate, WANTED, None, judge_as(risk)),
    ):
        pytest.fail("it was let through")
    assert outcomes(day) == ["refused"]


@pytest.mark.parametrize("risk", ["R0", "R2"])
def test_with_an_approver_the_daily_change_needs_nobody(day, estate, risk) -> None:
    """An approval for every stage would be signed unread by the third."""
    with permitted_up(day, estate, WANTED, None, judge_as(risk)) as bounds:
        assert bounds == {}
    assert outcomes(day) == ["not needed"]


def test_an_approved_up_begins_and_binds_both_layers(day, estate, pairs, tmp_path: Path) -> None:
    """The approval covers what `up` does, and `up` does the core first."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR, APPROVER)
    with permitted_up(day, estate, WANTED, path, judge_as("R3")) as bounds:
        assert sorted(bounds) == [CORE, STACK]
        assert all(bound.exists() for bound in bounds.values())
    (entry,) = [each for each in day.evidence.log(STACK).entries() if each.kind == "approval"]
    assert (entry.facts["outcome"], entry.facts["author"]) == ("holds", AUTHOR)
    assert "approval.json" in entry.files


def test_what_differs_is_refused_by_name_before_anything_is_touched(day, estate, pairs, tmp_path: Path) -> None:
    """One changed machine, one changed file and one changed step: all are told at once."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR, APPROVER)
    (day.workspace.root / "infra/program.py").write_text("build(other)")
    day.engine.image = "sha256:2"
    first, *others = estate.nodes
    moved = replace(estate, nodes=(replace(first, rack_unit=47), *others))
    with (
        refused(
            "program is not what was approved: infra/program.py was changed",
            f"model is not what was approved: 2017-s09 nodes {first.name} was changed",
            f"steps is not what was approved: 2017-s09 update {URN} was changed",
        ),
        permitted_up(day, moved, WANTED, path, judge_as("R3")),
    ):
        pytest.fail("it was let through")
    assert outcomes(day) == ["refused"]


def test_another_speed_or_scale_than_approved_is_refused(day, estate, pairs, tmp_path: Path) -> None:
    """What the operator chooses on the command line is part of the plan."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR, APPROVER)
    faster = WANTED.model_copy(update={"speed": 20.0})
    with (
        refused("config is not what was approved: speed was changed"),
        permitted_up(day, estate, faster, path, judge_as("R3")),
    ):
        pytest.fail("it was let through")


def test_an_approval_of_another_stack_is_refused(day, estate, pairs, tmp_path: Path) -> None:
    """Yesterday's file lies in the same folder."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR, APPROVER)
    with (
        refused("is about `up` of 2017-s09, not about `up` of 2017-s10"),
        permitted_up(day, replace(estate, stack="2017-s10"), WANTED, path),
    ):
        pytest.fail("it was let through")


def test_the_end_of_a_season_needs_an_approval_of_exactly_what_is_there(day, estate, pairs, tmp_path: Path) -> None:
    """The archive of a whole race is behind this one command."""
    core = replace(loaded(CORE), people=estate.people)
    day.records.write(Record(stack=CORE, phase=Phase.LIVE))
    day.engine.resources = [_resource("store-1")]
    with refused("remove Container store-1 of 2017-core (R4)", "plan 2017-core --core --output"):
        permit_end(day, core, None)
    planned = plan_end(day, core)
    asked = request(AUTHOR, pairs[AUTHOR], "R4", planned.covered, NOW).model_copy(
        update={"verb": "down --core", "stack": CORE, "plan_hash": plan_hash(planned.covered)}
    )
    path = tmp_path / "end.json"
    write_approval(path, signed(asked, pairs[AUTHOR], pairs[APPROVER]))
    permit_end(day, core, path)
    day.engine.resources.append(_resource("store-2"))
    with refused("steps is not what was approved: 2017-core delete", "store-2 was added"):
        permit_end(day, core, path)
    assert outcomes(day) == ["refused", "holds", "refused"]


def test_nothing_of_a_season_that_is_down_has_to_be_approved_with_names(day, estate) -> None:
    """`down --core` is safe to run again."""
    core = replace(loaded(CORE), people=estate.people)
    permit_end(day, core, None)
    assert outcomes(day) == ["not needed"]


def test_an_approver_signs_after_seeing_what_it_is(day, estate, pairs, tmp_path: Path) -> None:
    """A signature under something unseen is worth what a stamp is."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR)
    asked: list[str] = []
    approve(day, path, pairs[APPROVER].private, asked.append, lambda *_: estate)
    assert asked == ["Sign this plan as network-operations?"]
    assert "R3  replace  Container edge-1 of 2017-s09  another image" in said(day)
    assert read_approval(path).request.plan_hash in said(day)
    with permitted_up(day, estate, WANTED, path, judge_as("R3")) as bounds:
        assert bounds
    assert outcomes(day) == ["signed", "holds"]


def test_an_approver_with_another_checkout_signs_nothing(day, estate, pairs, tmp_path: Path) -> None:
    """Whoever has not got the change cannot have read it."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR)
    (day.workspace.root / "infra/program.py").write_text("build(other)")
    with refused("this checkout is not the one that was planned", "program: infra/program.py was changed"):
        approve(day, path, pairs[APPROVER].private, pytest.fail, lambda *_: estate)
    assert len(read_approval(path).signatures) == 1


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("stranger", ("nobody in people.yaml has the key SHA256:", "roles: [approver]", "- public: ssh-ed25519 ")),
        (AUTHOR, ("made this plan, and its R3 changes need another pair of eyes",)),
    ],
)
def test_who_may_not_approve_is_told_before_signing(day, estate, pairs, tmp_path: Path, key, words) -> None:
    """A signature that counts for nothing would be found out at five in the morning."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR)
    with refused(*words):
        approve(day, path, pairs[key].private, pytest.fail, lambda *_: estate)
    assert len(read_approval(path).signatures) == 1


def test_a_reviewer_without_any_key_is_told(day, estate, pairs, tmp_path: Path) -> None:
    """The remedy is the message."""
    path = approval_file(day, estate, pairs, tmp_path / "plan.json", AUTHOR)
    with refused("nowhere is no SSH key that can be read", "private SSH key"):
        approve(day, path, tmp_path / "nowhere", pytest.fail, lambda *_: estate)


def test_a_file_that_is_no_approval_is_refused(day, estate, tmp_path: Path) -> None:
    """A wrong file name is a slip, not a crash."""
    (tmp_path / "plan.json").write_text(json.dumps({"request": {}}))
    with refused("plan.json: request.verb: Field required"), permitted_up(day, estate, WANTED, tmp_path / "plan.json"):
        pytest.fail("it was let through")


def _resource(name: str) -> dict:
    return {
        "urn": f"urn:pulumi:2017-core::etape::docker:index/container:Container::{name}",
        "type": "docker:index/container:Container",
        "custom": True,
        "inputs": {"image": "sha256:1"},
    }
