"""People in the estate: read from people.yaml, and every slip that would let somebody pass for somebody else."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from infra.estate.governance import ApprovalRule, PersonRole
from infra.estate.load import STACKS, load_estate
from infra.estate.mistakes import EstateError
from tests.approval.keys import Pair, make_key


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    folder = tmp_path_factory.mktemp("keys")
    return make_key(folder, "one"), make_key(folder, "two")


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    for folder in ("2017", "common"):
        shutil.copytree(STACKS / folder, tmp_path / folder)
    (tmp_path / "courses").symlink_to(STACKS / "courses")
    return tmp_path


def write(stacks: Path, *entries: str) -> None:
    (stacks / "common/people.yaml").write_text("people:\n" + "".join(f"  - {each}\n" for each in entries))


def entry(name: str, public: str, roles: str = "operator") -> str:
    return f"{{name: {name}, roles: [{roles}], keys: [{{public: '{public}'}}]}}"


def mistakes(stacks: Path) -> list[str]:
    with pytest.raises(EstateError) as told:
        load_estate("2017-core", root=stacks)
    return [str(each) for each in told.value.mistakes]


def test_people_have_names_roles_and_keys_with_days(stacks: Path, pairs: tuple[Pair, Pair]) -> None:
    """What is written is what signatures are held against; a comment behind a key is not part of it."""
    key = f"{{public: '{pairs[0].public} somebody at work', valid_from: 2017-06-01}}"
    write(stacks, f"{{name: truck-operations, roles: [operator, approver], keys: [{key}]}}")
    (somebody,) = load_estate("2017-s09", "small", stacks).people
    assert (somebody.name, somebody.roles) == ("truck-operations", (PersonRole.OPERATOR, PersonRole.APPROVER))
    assert (somebody.keys[0].public, somebody.keys[0].valid_from) == (pairs[0].public, date(2017, 6, 1))


def test_the_shipped_estates_name_nobody_and_ask_from_r3_on() -> None:
    """A checkout cannot know anybody's keys; one that shipped some would trust strangers."""
    estate = load_estate("2017-core")
    assert (estate.people, estate.approval) == ((), ApprovalRule("R3", 24))


def test_one_key_of_two_people_is_refused(stacks: Path, pairs: tuple[Pair, Pair]) -> None:
    """Whoever has it could be author and approver of the same plan."""
    write(stacks, entry("truck-operations", pairs[0].public), entry("network-operations", pairs[0].public))
    assert mistakes(stacks) == [
        "stacks/common/people.yaml: people[1].keys[0].public: this key is already that of truck-operations. "
        "Give every person a key of their own."
    ]


def test_an_approver_without_a_key_is_refused(stacks: Path) -> None:
    """Nothing could ever be approved, and nobody would be told why until it had to be."""
    write(stacks, "{name: network-operations, roles: [approver], keys: []}")
    (told,) = mistakes(stacks)
    assert told.startswith("stacks/common/people.yaml: people[0].keys: ")


@pytest.mark.parametrize("public", ["ssh-ed25519", "ssh-ed25519 AAAA", "AAAAC3NzaC1lZDI1NTE5", ""])
def test_what_is_no_public_key_is_refused(stacks: Path, public: str) -> None:
    """A key that was cut while copying would refuse its owner on the day it counts."""
    write(stacks, entry("truck-operations", public))
    (told,) = mistakes(stacks)
    assert "people[0].keys[0].public: " in told
    assert "not a public SSH key such as `ssh-ed25519 AAAA...`" in told


def test_a_private_key_is_refused_and_not_repeated(stacks: Path, pairs: tuple[Pair, Pair]) -> None:
    """The wrong half in a file under version control is bad enough without standing in every log."""
    private = pairs[0].private.read_text()
    write(stacks, entry("truck-operations", private.replace("\n", " ")))
    (told,) = mistakes(stacks)
    assert "it is a private key, which is no secret any more: make a new pair" in told
    assert private.splitlines()[1] not in told


def test_days_in_the_wrong_order_and_unknown_roles_are_refused_at_once(stacks: Path, pairs: tuple[Pair, Pair]) -> None:
    """A key that is never valid looks like one that is."""
    key = f"{{public: '{pairs[0].public}', valid_from: 2017-08-01, valid_until: 2017-06-01}}"
    write(
        stacks,
        f"{{name: truck-operations, roles: [operator], keys: [{key}]}}",
        entry("network-operations", pairs[1].public, roles="boss"),
    )
    first, second = mistakes(stacks)
    assert "valid_until 2017-06-01 is before valid_from 2017-08-01" in first
    assert "people[1].roles[0]: 'boss' does not fit" in second


def test_the_rule_cannot_be_set_past_r3(stacks: Path) -> None:
    """An edition that asks nobody before R4 would let a machine be replaced in a race unseen."""
    edition = stacks / "common/edition.yaml"
    edition.write_text(edition.read_text() + "approval: {required_from: R4}\n")
    (told,) = mistakes(stacks)
    assert "approval.required_from: 'R4' does not fit" in told
