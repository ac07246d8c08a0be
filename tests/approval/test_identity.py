"""Signatures by the real ssh-keygen: whose they are, and everything that makes them worthless."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from infra.estate.governance import PersonRole
from infra.identity import APPROVAL, EVIDENCE, SignatureError, identity_of, operator, sign, verify
from infra.workspace import Workspace
from tests.approval.keys import Pair, make_key, person

NOON = datetime(2017, 7, 9, 12, tzinfo=UTC)
CONTENT = b'{"plan": "2017-s09"}'


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    folder = tmp_path_factory.mktemp("keys")
    return make_key(folder, "network"), make_key(folder, "truck")


def test_a_signature_names_the_person_whose_key_made_it(pairs: tuple[Pair, Pair]) -> None:
    """With two keys known, the wrong owner would be credited with an approval."""
    network, truck = pairs
    people = (person("network-operations", network), person("truck-operations", truck))
    signature = sign(CONTENT, truck.private, APPROVAL)
    assert verify(CONTENT, signature, people, APPROVAL, NOON).name == "truck-operations"


def test_content_that_was_changed_after_signing_is_refused(pairs: tuple[Pair, Pair]) -> None:
    """One byte more and a signature covers a plan that nobody has read."""
    people = (person("truck-operations", pairs[1]),)
    signature = sign(CONTENT, pairs[1].private, APPROVAL)
    with pytest.raises(SignatureError, match="does not fit what it stands under"):
        verify(CONTENT + b" ", signature, people, APPROVAL, NOON)


def test_a_signature_made_for_something_else_is_refused(pairs: tuple[Pair, Pair]) -> None:
    """A head of the evidence log, signed by a routine, must never pass as an approval."""
    people = (person("truck-operations", pairs[1]),)
    signature = sign(CONTENT, pairs[1].private, EVIDENCE)
    with pytest.raises(SignatureError, match="does not fit"):
        verify(CONTENT, signature, people, APPROVAL, NOON)


def test_a_key_that_nobody_has_is_named_and_refused(pairs: tuple[Pair, Pair]) -> None:
    """A valid signature of a stranger is still a stranger's."""
    network, truck = pairs
    signature = sign(CONTENT, truck.private, APPROVAL)
    with pytest.raises(SignatureError, match=r"SHA256:\S+, which nobody in people.yaml has"):
        verify(CONTENT, signature, (person("network-operations", network),), APPROVAL, NOON)


@pytest.mark.parametrize(
    ("first", "last", "good"),
    [
        (date(2017, 7, 9), date(2017, 7, 9), True),
        (date(2017, 7, 10), None, False),
        (None, date(2017, 7, 8), False),
        (date(2017, 7, 1), None, True),
    ],
)
def test_a_key_counts_on_its_days_and_on_both_ends_of_them(
    pairs: tuple[Pair, Pair], first: date | None, last: date | None, good: bool
) -> None:
    """Somebody who left keeps the key; the season's dates are what takes its power away."""
    people = (person("truck-operations", pairs[1], first=first, last=last),)
    signature = sign(CONTENT, pairs[1].private, APPROVAL)
    if good:
        assert verify(CONTENT, signature, people, APPROVAL, NOON).name == "truck-operations"
    else:
        with pytest.raises(SignatureError, match="is not valid at 2017-07-09"):
            verify(CONTENT, signature, people, APPROVAL, NOON)


def test_what_is_no_signature_at_all_is_refused(pairs: tuple[Pair, Pair]) -> None:
    """A truncated file is told, not traced."""
    people = (person("truck-operations", pairs[1]),)
    signature = sign(CONTENT, pairs[1].private, APPROVAL)
    for broken in (b"", b"no signature", signature[: len(signature) // 2]):
        with pytest.raises(SignatureError, match="does not fit"):
            verify(CONTENT, broken, people, APPROVAL, NOON)


def test_a_missing_key_is_told_with_its_remedy(tmp_path: Path) -> None:
    """A reviewer without keys reads what to do."""
    with pytest.raises(SignatureError, match="cannot sign") as told:
        sign(CONTENT, tmp_path / "nowhere", APPROVAL)
    assert "private SSH key" in told.value.remedy


def test_the_operator_has_the_name_that_the_estate_gives_the_key(tmp_path: Path) -> None:
    """Evidence that names an account of some machine tells an auditor nothing; one that invents a name, worse."""
    workspace = Workspace(tmp_path, tmp_path, tmp_path)
    stranger = operator(workspace, ())
    assert not stranger.known
    assert "@" in stranger.name
    pair = Pair(workspace.private_key, workspace.private_key.with_suffix(".pub").read_text())
    known = operator(workspace, (person("truck-operations", pair, PersonRole.OPERATOR),))
    assert (known.name, known.fingerprint, known.known) == ("truck-operations", stranger.fingerprint, True)


def test_a_line_without_a_key_has_no_owner() -> None:
    """A private key or a comment in the wrong place must not get a fingerprint."""
    with pytest.raises(ValueError, match="is no public key"):
        identity_of("-----BEGIN", ())
