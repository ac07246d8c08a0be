"""A state's files read the same from a folder and from a bucket."""

from collections.abc import Iterator

import boto3
import pytest

from infra.engine_error import StateError
from infra.state_objects import BucketObjects, FolderObjects, StateObjects
from tests.pulumi.stores import KEYS, moto


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as url:
        yield url.removeprefix("http://")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret_key"])


def bucket(endpoint: str, name: str = "state", prefix: str = "team/") -> BucketObjects:
    query = {"endpoint": endpoint, "disableSSL": "true", "s3ForcePathStyle": "true", "region": "us-east-1"}
    return BucketObjects(name, prefix, query)


@pytest.fixture(params=["folder", "bucket"])
def objects(request, endpoint, tmp_path) -> StateObjects:
    if request.param == "folder":
        return FolderObjects(tmp_path)
    boto3.client("s3", endpoint_url=f"http://{endpoint}", region_name="us-east-1").create_bucket(Bucket="state")
    return bucket(endpoint, prefix=f"{tmp_path.name}/")


def test_what_is_written_is_read_listed_and_removed(objects):
    """Guards against a team's state that behaves otherwise than an operator's own."""
    assert objects.read("locks/a/1.json") is None
    assert objects.list("locks/a") == ()
    for key in ("locks/a/2.json", "locks/a/1.json", "locks/ab/3.json"):
        objects.write(key, "héld")
    assert objects.read("locks/a/1.json") == "héld"
    assert objects.list("locks/a") == ("locks/a/1.json", "locks/a/2.json")
    objects.delete("locks/a/1.json")
    objects.delete("locks/a/1.json")
    assert objects.list("locks/a") == ("locks/a/2.json",)


def test_a_store_that_is_down_is_a_sentence_with_a_remedy():
    """Guards against a traceback, and against a state that cannot be read and passes for an empty one."""
    with pytest.raises(StateError) as caught:
        bucket("127.0.0.1:9").read("x")
    assert caught.value.sentence.startswith("the state in s3://state at 127.0.0.1:9 cannot be reached: ")
    assert "nothing was begun" in caught.value.remedy


def test_a_bucket_that_is_missing_is_told(endpoint):
    """Guards against a misspelt bucket that passes for an empty state."""
    with pytest.raises(StateError, match="NoSuchBucket"):
        bucket(endpoint, name="stat").read("x")
