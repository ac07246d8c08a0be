"""Buckets as resources, against two stores: the one that the estate runs, and moto's copy of AWS."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.provider.bucket import BucketKind, s3_client
from infra.provider.bucket_setting import AS_DECLARED, AWAITS_STORE, MISSING
from infra.provider.plugin import UNKNOWN, ProviderError
from tests.pulumi.stores import KEYS, moto, versitygw

NOBODY_DELETES = {
    "name": "NobodyDeletes",
    "effect": "Deny",
    "principals": ["*"],
    "actions": ["s3:DeleteObject", "s3:DeleteBucket"],
}


@pytest.fixture(scope="module", params=["versitygw", "moto"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    folder = tmp_path_factory.mktemp("store")
    with versitygw(folder) if request.param == "versitygw" else moto() as endpoint:
        yield {"endpoint": endpoint, **KEYS}


@pytest.fixture
def client(store):
    return s3_client(store)


@pytest.fixture
def kind():
    return BucketKind()


def inputs(store: dict, **changed: object) -> dict:
    """An evidence bucket of its own name, as the provider gets it: numbers are floats."""
    settings = {"versioning": True, "retention": {"mode": "compliance", "days": 400.0}, "policy": [NOBODY_DELETES]}
    return {"name": f"evidence-{uuid4().hex[:8]}", "store": store, **settings, **changed}


def test_a_bucket_is_made_as_declared(kind, store, client):
    """Guards against a bucket that Pulumi calls created and that keeps nothing."""
    wanted = inputs(store)
    made = kind.create("evidence", wanted)
    assert made.outputs == kind.observe(wanted) == {"condition": AS_DECLARED}
    assert client.get_bucket_versioning(Bucket=wanted["name"])["Status"] == "Enabled"
    lock = client.get_object_lock_configuration(Bucket=wanted["name"])["ObjectLockConfiguration"]
    kept = lock["Rule"]["DefaultRetention"]
    assert (kept["Mode"], kept["Days"]) == ("COMPLIANCE", 400)


def test_what_is_written_to_a_bucket_with_retention_stays(kind, store, client):
    """Guards against evidence that whoever holds the keys can take away."""
    wanted = inputs(store)
    kind.create("evidence", wanted)
    version = client.put_object(Bucket=wanted["name"], Key="log", Body=b"one line")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied|Forbidden"):
        client.delete_object(Bucket=wanted["name"], Key="log", VersionId=version)


def test_a_bucket_that_a_service_made_is_adopted(kind, store, client):
    """Guards against a first `up` that fails because the archive was faster."""
    wanted = inputs(store, retention=None, policy=[])
    client.create_bucket(Bucket=wanted["name"])
    assert kind.observe(wanted) == {"condition": "versioning is off"}
    assert kind.create("archive", wanted).outputs == kind.observe(wanted) == {"condition": AS_DECLARED}


def test_every_edit_behind_its_back_is_named_and_put_back(kind, store, client):
    """Guards against a bucket that somebody opened to the world, and a preview that shows no change."""
    wanted = inputs(store)
    state = {**wanted, **kind.create("evidence", wanted).outputs}
    anybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{wanted['name']}/*",
    }
    client.put_bucket_policy(
        Bucket=wanted["name"], Policy=json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    )
    client.put_object_lock_configuration(
        Bucket=wanted["name"], ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )
    told = kind.observe(wanted)["condition"]
    assert "retention is off, not 400 days in compliance mode" in told
    assert "Allow * s3:GetObject, which nobody declared" in told
    assert "Deny * s3:DeleteBucket, s3:DeleteObject is missing" in told
    assert kind.update(state, wanted) == kind.observe(wanted) == {"condition": AS_DECLARED}


def test_a_policy_that_is_no_longer_declared_goes(kind, store):
    """Guards against access that outlives its reason."""
    wanted = inputs(store)
    state = {**wanted, **kind.create("evidence", wanted).outputs}
    fewer = {**wanted, "policy": []}
    assert kind.observe(fewer)["condition"].endswith("which nobody declared")
    assert kind.update(state, fewer) == kind.observe(fewer) == {"condition": AS_DECLARED}


def test_a_spelling_that_means_the_same_is_no_change(kind, store, client):
    """Guards against a policy that always shows a change because the store writes it in another way."""
    wanted = inputs(store, policy=[{**NOBODY_DELETES, "actions": ["s3:DeleteBucket"]}])
    kind.create("evidence", wanted)
    resources = [f"arn:aws:s3:::{wanted['name']}/*", f"arn:aws:s3:::{wanted['name']}"]
    same = {
        "Sid": "NobodyDeletes",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteBucket",
        "Resource": resources,
    }
    client.put_bucket_policy(Bucket=wanted["name"], Policy=json.dumps({"Version": "2012-10-17", "Statement": [same]}))
    assert kind.observe(wanted) == {"condition": AS_DECLARED}


def test_a_bucket_that_was_removed_is_missing_and_made_again(kind, store, client):
    """Guards against a bucket of the state that is not in the store."""
    wanted = inputs(store, retention=None, policy=[])
    state = {**wanted, **kind.create("archive", wanted).outputs}
    client.delete_bucket(Bucket=wanted["name"])
    assert kind.observe(wanted) == {"condition": MISSING}
    assert kind.read(state) is None
    assert kind.update(state, wanted) == {"condition": AS_DECLARED}


def test_a_bucket_that_holds_something_is_not_removed(kind, store, client):
    """Guards against an archive that goes because a line of a file went."""
    wanted = inputs(store, retention=None, policy=[])
    state = {**wanted, **kind.create("archive", wanted).outputs}
    client.put_object(Bucket=wanted["name"], Key="readings", Body=b"many")
    with pytest.raises(ProviderError, match="holds objects: declare it again"):
        kind.delete(state)


def test_an_empty_bucket_is_removed_once(kind, store):
    """Guards against a destroy that fails on what is gone already."""
    wanted = inputs(store, retention=None, policy=[])
    state = {**wanted, **kind.create("archive", wanted).outputs}
    kind.delete(state)
    kind.delete(state)
    assert kind.read(state) is None


@pytest.fixture
def dead() -> dict:
    """A store whose machine is there and whose service is not."""
    return {"endpoint": "http://127.0.0.1:9", **KEYS}


def test_a_bucket_waits_for_a_store_that_is_not_deployed_yet(kind, dead):
    """Guards against a season that cannot begin: its store is deployed after its machines are made."""
    wanted = inputs(dead)
    state = {**wanted, **kind.create("evidence", wanted).outputs}
    assert state["condition"] == kind.observe(wanted)["condition"] == AWAITS_STORE
    assert kind.read(state) == state
    assert kind.update(state, wanted) == {"condition": AWAITS_STORE}


def test_a_store_that_died_before_its_buckets_keeps_no_season_from_ending(kind, dead):
    """Guards: machines that are gone, and a state that cannot forget their buckets."""
    wanted = inputs(dead)
    state = {**wanted, **kind.create("evidence", wanted).outputs}
    assert state["condition"] == AWAITS_STORE
    kind.delete(state)


def test_before_the_keys_are_made_a_bucket_awaits_its_store(kind):
    """Guards against a first preview that asks a store with keys that do not exist."""
    store = {"endpoint": "http://127.0.0.1:9", "access_key": UNKNOWN, "secret_key": UNKNOWN}
    assert kind.observe(inputs(store)) == {"condition": AWAITS_STORE}
    assert kind.observe(inputs(UNKNOWN)) == {"condition": AWAITS_STORE}


def test_mistakes_are_named_by_their_field(kind, dead):
    """Guards against a typo that only the store would see, at night."""
    wrong = inputs(dead, name="Evidence", versioning=False, retention={"mode": "strict", "days": 0.5})
    assert [each.field for each in kind.check(wrong)] == ["name", "retention.mode", "retention.days", "versioning"]
    assert kind.check(inputs(dead)) == []
