"""Stored checkpoints, also of stages long past."""

import json

import pytest

from infra.policy.checkpoints import CheckpointError, audit_checkpoint, items_of
from infra.policy.docker import VOLUME
from infra.policy.model import Secret
from infra.policy.rules import refused
from infra.policy.secrets import CREDENTIAL
from tests.policy.examples import FACTS, OWNED, labels

MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def stored(kind: str, name: str, outputs: dict, **more) -> dict:
    urn = f"urn:pulumi:2017-core::etape::etape:lab:Node${kind}::{name}"
    return {"urn": urn, "custom": True, "type": kind, "inputs": {"__defaults": []}, "outputs": outputs, **more}


def exported(*resources: dict) -> dict:
    return {"version": 3, "deployment": {"manifest": {}, "resources": list(resources)}}


SECRET = stored(CREDENTIAL, "hub_password", {"secret": {**MARK, "ciphertext": "v1:abc"}, "length": 32}, protect=True)
VOLUME_WITH_DATA = stored(
    VOLUME,
    "store-1-data",
    {"driverOpts": {"type": "luks"}, "labels": labels(**OWNED, node="store-1")},
    protect=True,
)


def test_a_sound_checkpoint_passes():
    """Guards against an audit that objects to the form in which Pulumi stores things."""
    assert audit_checkpoint(exported(SECRET, VOLUME_WITH_DATA), FACTS) == ()


def test_a_checkpoint_of_before_a_policy_is_held_to_it():
    """Guards against a past that is taken for sound because nothing was checked then."""
    before = {**VOLUME_WITH_DATA, "protect": False}
    (found,) = refused(audit_checkpoint(exported(SECRET, before), FACTS))
    assert (found.policy, found.resource) == ("protected-core", "store-1-data")
    assert found.urn == before["urn"]


def test_a_secret_that_was_stored_readable_is_found():
    """Guards against a state file that gives the season's passwords away."""
    plain = {**SECRET, "outputs": {"secret": "correct-horse-battery", "length": 32}}
    assert "secrets-encrypted" in {each.policy for each in audit_checkpoint(exported(plain), FACTS)}


def test_an_output_of_the_stack_that_shows_a_secret_is_found():
    """Guards against a program that exports what it should have marked."""
    stack = stored("pulumi:pulumi:Stack", "etape-2017-core", {"credentials": {"hub_password": "correct-horse"}})
    (found,) = audit_checkpoint(exported(stack), FACTS)
    assert (found.policy, found.sentence.split()[0]) == ("no-plain-secret", "credentials.hub_password")


def test_secrets_of_a_checkpoint_that_shows_them_are_compared_but_not_shown():
    """Guards against an audit of a decrypted export that spreads what it reads."""
    shown = {**SECRET, "outputs": {"secret": {**MARK, "plaintext": json.dumps("correct-horse-battery")}}}
    leak = stored(
        VOLUME, "store-1-data", {**VOLUME_WITH_DATA["outputs"], "name": "correct-horse-battery"}, protect=True
    )
    (found,) = audit_checkpoint(exported(shown, leak), FACTS)
    assert found.policy == "no-leaked-secret"
    assert "correct-horse" not in f"{found}{items_of(exported(shown))}"


def test_the_backends_own_file_reads_like_an_export():
    """Guards against an audit that needs the engine to read a file that is there."""
    kept = {"version": 3, "checkpoint": {"stack": "2017-core", "latest": {"resources": [SECRET]}}}
    assert items_of(kept) == items_of(exported(SECRET))
    assert isinstance(items_of(kept)[0].properties["secret"], Secret)


def test_a_destroyed_stack_has_nothing_to_object_to():
    """Guards against a traceback on the last checkpoint of every stage: it is empty."""
    assert items_of({"version": 3, "checkpoint": {"latest": {}}}) == ()
    assert audit_checkpoint({"version": 3, "checkpoint": {"latest": None}}, FACTS) == ()


@pytest.mark.parametrize(
    "corrupt",
    [
        {},
        {"deployment": {"resources": [{"type": CREDENTIAL}]}},
        {"deployment": {"resources": [{"urn": "not-a-urn", "type": CREDENTIAL}]}},
        {"deployment": {"resources": ["cut off"]}},
        {"deployment": "cut off"},
        {"deployment": {"resources": [{**SECRET, "outputs": {"secret": {**MARK, "plaintext": "{cut"}}}]}},
        [],
    ],
)
def test_a_corrupt_checkpoint_is_said_to_be_one(corrupt):
    """Guards against a broken file that passes because nothing was found in it, and against a traceback."""
    with pytest.raises(CheckpointError, match="the checkpoint is corrupt: .* the one before it"):
        audit_checkpoint(corrupt, FACTS)
