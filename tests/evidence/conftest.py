"""An object store on loopback."""

import boto3
import pytest
from moto.server import ThreadedMotoServer

from infra.evidence.store import BUCKET, ObjectStore


@pytest.fixture(scope="session")
def server():
    """An S3 API."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(server):
    """The season's store with its two buckets, empty."""
    store = ObjectStore(server, "key", "secret")
    client = store.client()
    there = {each["Name"] for each in client.list_buckets()["Buckets"]}
    for bucket in ("archive", BUCKET):
        if bucket in there:
            resource = boto3.resource(
                "s3", endpoint_url=server, aws_access_key_id="key", aws_secret_access_key="secret"
            )
            resource.Bucket(bucket).objects.all().delete()
        else:
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return store
