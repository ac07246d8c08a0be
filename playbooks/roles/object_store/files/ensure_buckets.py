"""Creates the buckets that are missing and keeps earlier versions of what is in them.

    ensure_buckets.py ENDPOINT BUCKET...

Waits for the object store for a minute; the keys are in the environment as the store itself reads them.
"""

import os
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE_S = 60.0


def ensure(endpoint: str, buckets: list[str]) -> None:
    """Return once all buckets exist with versioning on."""
    store = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=os.environ["ROOT_ACCESS_KEY"],
        aws_secret_access_key=os.environ["ROOT_SECRET_KEY"],
    )
    there = {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}
    for bucket in buckets:
        if bucket not in there:
            store.create_bucket(Bucket=bucket)
        store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def main() -> None:
    """Try until the store is up."""
    endpoint, *buckets = sys.argv[1:]
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            ensure(endpoint, buckets)
            return
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > deadline:
                sys.exit(f"the object store at {endpoint} does not take buckets: {error}")
            time.sleep(0.3)


if __name__ == "__main__":
    main()
