"""Evidence goes out before anything is destroyed, and a season's data come home."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from moto.server import ThreadedMotoServer

from infra.day import evidence
from infra.day.evidence import ObjectStore
from infra.day.outcome import Failure

AT = datetime(2017, 7, 9, 19, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def store():
    """An S3 API on loopback with the season's buckets."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = ObjectStore(f"http://{host}:{port}", "key", "secret")
    for bucket in ("archive", "evidence"):
        store.client().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield store
    server.stop()


def test_the_index_is_sent_last_and_has_the_digest_of_every_document(store, tmp_path):
    """Guards against a folder of evidence that looks complete and is not."""
    texts = evidence.write(tmp_path, {"manifests": {"readings": 3}, "steps": []})
    prefix = evidence.send(store, "2017-s09", AT, texts)
    assert prefix == "2017-s09/20170709T193000Z/"
    listed = store.client().list_objects_v2(Bucket="evidence", Prefix=prefix)["Contents"]
    assert {each["Key"].removeprefix(prefix) for each in listed} == {"manifests.json", "steps.json", "index.json"}
    index = json.loads((tmp_path / "index.json").read_text())
    for name, digest in index.items():
        sent = store.client().get_object(Bucket="evidence", Key=prefix + name)["Body"].read()
        assert hashlib.sha256(sent).hexdigest() == digest
        assert (tmp_path / name).read_bytes() == sent


def test_a_store_that_is_away_is_one_sentence_and_the_local_copy_stays(tmp_path):
    """Guards against a teardown that goes on although no one has the evidence."""
    texts = evidence.write(tmp_path, {"steps": []})
    with pytest.raises(Failure, match="did not take the evidence"):
        evidence.send(ObjectStore("http://127.0.0.1:1", "key", "secret"), "2017-s09", AT, texts)
    assert (tmp_path / "steps.json").exists()


def test_a_season_comes_home_whole_and_goes_on_where_it_was_stopped(store, tmp_path):
    """Guards against an archive that ends with the core."""
    client = store.client()
    client.put_object(Bucket="archive", Key="readings/edition=2017/stage=09/0001.parquet", Body=b"x" * 1000)
    first = evidence.keep(store, tmp_path)
    kept = tmp_path / "archive/readings/edition=2017/stage=09/0001.parquet"
    assert kept.read_bytes() == b"x" * 1000
    kept.write_bytes(b"y" * 1000)
    assert evidence.keep(store, tmp_path) == first
    assert kept.read_bytes() == b"y" * 1000
