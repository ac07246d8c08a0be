"""States from every source, read with an engine that knows only what a test tells it."""

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from infra.estate.load import load_estate
from infra.evidence.seasons import Evidence
from infra.plan import SECRET, Plan, Step
from infra.render.model import render_model
from infra.review.change import Action
from infra.review.compare import compare
from infra.review.kept import Kept
from infra.review.snapshot import Reference, ReviewError, Secret, Snapshot
from infra.review.sources import Asked, Sources
from infra.review.values import leaves
from infra.workspace import ROOT, Workspace
from tests.review.pulumi_state import PASSPHRASE, FakeEngine, deployment, encrypted, resource

STACK = "2017-core"
CONTAINER = "docker:index/container:Container"
CREDENTIAL = "etape:index:Credential"
WAN = resource(STACK, CONTAINER, "wan-1", {"name": "2017-core-wan-1", "image": "sha256:1"}, id="f00d")
CABLE = resource(STACK, "etape:index:Cable", "N-01", {"label": "N-01", "a": {"container": "f00d"}})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """This checkout with a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "passphrase").write_text(PASSPHRASE)
    return Workspace(ROOT, home, tmp_path / "cache")


def sources(workspace: Workspace, engine: FakeEngine) -> Sources:
    """What reads states."""
    asked = Asked("small", "race", 9)
    return Sources(workspace, engine, Kept(Evidence(workspace)), asked, date(2017, 7, 9))


def read(workspace: Workspace, engine: FakeEngine, state: str) -> Snapshot:
    return sources(workspace, engine).load(state).snapshot


def credential(value: str, nonce: int = 1) -> dict:
    outputs = {"length": 32, "secret": encrypted(value, nonce)}
    return resource(STACK, CREDENTIAL, "hub_password", {"length": 32}, outputs=outputs)


def digest(snapshot: Snapshot) -> Secret:
    found = snapshot.find(CREDENTIAL, "hub_password")
    assert found is not None
    return found.properties["outputs"]["secret"]


def test_what_is_applied_is_compared_with_what_is_declared(workspace) -> None:
    """Guards against sources with forms of their own, between which everything differs."""
    engine = FakeEngine()
    declared = read(workspace, engine, STACK)
    made = [
        resource(STACK, each.kind, each.name, {"__defaults": ["waitTimeout"], "waitTimeout": 60, **each.properties})
        for each in declared.items
        if each.kind == "docker:index/network:Network"
    ]
    engine.did(STACK, "2017-07-01T08:00:00", deployment(*made))
    applied = read(workspace, engine, f"{STACK}@applied")
    found = compare(applied, declared)
    assert [item.kind for item in applied.items] == ["docker:index/network:Network"]
    assert not any(change.kind == "docker:index/network:Network" for change in found.changes)


def test_an_engines_ids_are_the_things_that_have_them(workspace) -> None:
    """Guards against every cable that seems changed because a container has another id."""
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", deployment(WAN, CABLE))
    cable = read(workspace, engine, f"{STACK}@applied").find("etape:index:Cable", "N-01")
    assert cable is not None
    assert cable.properties["a"] == {"container": Reference(CONTAINER, "wan-1")}


def test_a_secret_that_is_encrypted_anew_is_the_same_secret(workspace) -> None:
    """Guards against an alarm at each checkpoint, whose encryption differs each time."""
    engine = FakeEngine()
    for hour, (value, nonce) in enumerate([("seed-of-a-secret", 1), ("seed-of-a-secret", 2), ("another", 3)]):
        engine.did(STACK, f"2017-07-01T{hour:02}:00:00", deployment(credential(value, nonce)))
    one, two, three = (digest(read(workspace, engine, f"{STACK}@2017-07-01T{hour:02}:30")) for hour in range(3))
    assert one == two
    assert one != three
    assert "seed" not in str(one)


def test_digests_of_two_homes_have_nothing_in_common(workspace, tmp_path) -> None:
    """Guards against a table of digests that guesses short secrets."""
    other = Workspace(ROOT, tmp_path / "other", tmp_path / "cache")
    other.home.mkdir()
    shutil.copy(workspace.home / "passphrase", other.home)
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", deployment(credential("1234")))
    assert digest(read(workspace, engine, f"{STACK}@applied")) != digest(read(other, engine, f"{STACK}@applied"))


def test_secrets_that_cannot_be_opened_are_an_open_question(workspace) -> None:
    """Guards against silence about what could not be compared."""
    (workspace.home / "passphrase").write_text("another one")
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", deployment(credential("x")))
    found = read(workspace, engine, f"{STACK}@applied")
    assert digest(found) == Secret("")
    assert any("could not be opened" in question for question in found.questions)


def test_the_model_that_was_applied_comes_from_the_evidence(workspace) -> None:
    """Guards against reasons and networks of today under the machines of then."""
    engine = FakeEngine()
    engine.did(STACK, "2999-07-01T08:00:00", deployment(WAN))
    model = render_model(load_estate(STACK))
    model["segments"][0]["title"] = "As it was called then"
    Evidence(workspace).append("begin", STACK, {}, {"model.json": json.dumps(model).encode()})
    found = read(workspace, engine, f"{STACK}@applied")
    first = found.find("segment", model["segments"][0]["name"])
    assert first is not None
    assert first.properties["title"] == "As it was called then"
    assert not any("no model" in question for question in found.questions)
    assert found.who.startswith("SHA256:")


def test_a_state_whose_model_nobody_kept_says_so(workspace) -> None:
    """Guards against a comparison that seems whole and is not."""
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", deployment(WAN))
    found = read(workspace, engine, f"{STACK}@applied")
    assert any("no model" in question for question in found.questions)


def test_a_moment_is_what_was_applied_last_before_it(workspace) -> None:
    """Guards against a review of the night that shows the morning."""
    engine = FakeEngine()
    for hour, image in ((8, "sha256:1"), (20, "sha256:2")):
        made = resource(STACK, CONTAINER, "wan-1", {"image": image})
        engine.did(STACK, f"2017-07-01T{hour:02}:00:00", deployment(made))
    at_noon = read(workspace, engine, f"{STACK}@2017-07-01T14:00+02:00").find(CONTAINER, "wan-1")
    at_night = read(workspace, engine, f"{STACK}@2017-07-01T23:00+02:00").find(CONTAINER, "wan-1")
    assert at_noon is not None
    assert at_night is not None
    assert (at_noon.properties["image"], at_night.properties["image"]) == ("sha256:1", "sha256:2")


def test_what_is_really_there_shows_drift(workspace) -> None:
    """Guards against a review that only ever reads what was written down."""
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", deployment(WAN, CABLE))
    engine.really[STACK] = deployment(CABLE)
    states = (read(workspace, engine, f"{STACK}@{where}") for where in ("applied", "actual"))
    (change,) = [each for each in compare(*states).changes if each.kind == CONTAINER]
    assert (change.action, change.name) == (Action.REMOVE, "wan-1")


def test_a_plan_is_carried_out_on_paper(workspace) -> None:
    """Guards against a plan that is judged by its steps alone, without what stays."""
    image = {"name": "2017-core-wan-1", "image": "sha256:2"}
    urn = WAN["urn"]
    steps = (
        Step("replace", urn, CONTAINER, "wan-1", WAN["inputs"], image, ("image",), ("image",), False),
        Step("delete", CABLE["urn"], "etape:index:Cable", "N-01", CABLE["inputs"], None, (), (), False),
        Step("create", "urn:x", CREDENTIAL, "new", None, {"length": 8, "seed": dict(SECRET)}, (), (), False),
    )
    engine = FakeEngine(**{STACK: Plan(STACK, steps, (), "3", {"scale": "small", "demand": "race"})})
    engine.did(STACK, "2017-07-01T08:00:00", deployment(WAN, CABLE, credential("kept")))
    before, after = (read(workspace, engine, f"{STACK}@{where}") for where in ("applied", "plan"))
    resources = {(each.kind, each.name): each for each in after.items if each.is_resource}
    assert set(resources) == {(CONTAINER, "wan-1"), (CREDENTIAL, "new"), (CREDENTIAL, "hub_password")}
    assert digest(before) == digest(after)
    assert {each.action for each in compare(before, after).changes if each.kind == CONTAINER} == {Action.REPLACE}


def test_an_edition_is_its_core_one_day_and_its_calendar(workspace) -> None:
    """Guards against a year that is compared by half of it."""
    year = read(workspace, FakeEngine(), "2017")
    assert year.stacks == ("2017-core", "2017-s09")
    assert len(year.of_kind("calendar")) == 21
    assert any("stage 9 stands for the days" in question for question in year.questions)


@pytest.fixture
def revisions(workspace, tmp_path) -> Workspace:
    """A checkout of two revisions: in the first the Manage Centre has another name, in the second stacks/ is broken."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "stacks", root / "stacks", ignore=shutil.ignore_patterns("Pulumi.*"))
    git = ["git", "-c", "user.name=operator", "-c", "user.email=operator@example.org", "-C", str(root)]
    path = next(path for path in sorted(root.glob("stacks/**/*.yaml")) if "title: Manage Centre," in path.read_text())
    good = path.read_text()
    subprocess.run([*git, "init", "-q"], check=True)
    for text in (good.replace("title: Manage Centre,", "title: Control room,"), good + "nonsense: true\n"):
        path.write_text(text)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "a revision"], check=True)
    return Workspace(root, workspace.home, workspace.cache)


def test_a_revision_is_read_with_todays_parser(revisions) -> None:
    """Guards against two commits that can only be compared line by line."""
    found = read(revisions, FakeEngine(), "2017-core@git:HEAD~1")
    control = found.find("node", "manage-1")
    assert control is not None
    assert leaves(control.properties)["title"] == "Control room"
    assert found.who == "operator"


def test_a_revision_that_today_cannot_read_is_told_with_its_mistakes(revisions) -> None:
    """Guards against a traceback out of the past."""
    with pytest.raises(ReviewError, match="nonsense"):
        read(revisions, FakeEngine(), "2017-core@git:HEAD")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("nonsense", "names no state"),
        ("2017-s99", "there is no stack 2017-s99"),
        ("1903", "there is no edition 1903"),
        ("2017@applied", "never brought up as a whole"),
        ("2017-s09@yesterday", "nor a moment"),
        ("2017-s09@applied", "never brought up"),
        ("2017-core@2017-06-01T08:00", "its history begins"),
        ("2017-s09@git:no-such-revision", "no revision"),
        ("2017-s09@git:--output=x", "no revision"),
    ],
)
def test_a_state_that_cannot_be_read_is_a_sentence_with_a_remedy(workspace, state, said) -> None:
    """Guards against an auditor who is left alone with a traceback."""
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", deployment(WAN))
    with pytest.raises(ReviewError, match=said) as caught:
        read(workspace, engine, state)
    assert caught.value.remedy


@pytest.mark.parametrize("broken", [{"custom": True, "type": CONTAINER}, {"custom": True, "urn": 3, "type": 4}, "text"])
def test_a_corrupt_checkpoint_is_named(workspace, broken) -> None:
    """Guards against a half checkpoint that looks like a small estate."""
    engine = FakeEngine()
    engine.did(STACK, "2017-07-01T08:00:00", {"deployment": {"resources": [broken]}})
    with pytest.raises(ReviewError, match="corrupt"):
        read(workspace, engine, f"{STACK}@applied")
