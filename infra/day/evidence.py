"""What leaves a teardown: written locally first, then into the core's object store.

A day's evidence is one folder: the manifests of both ends, the comparison, the arrival sheets, the steps and
Pulumi's checkpoint. It is never only remote: the local copy stays in ETAPE_HOME/evidence.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.day.outcome import Failure
from infra.durable import write_durably

BUCKET = "evidence"
_SEASON = ("archive", BUCKET)


@dataclass(frozen=True)
class ObjectStore:
    """The core's object store as the operator reaches it."""

    endpoint: str
    access_key: str
    secret_key: str

    def client(self):
        """An S3 client that gives up soon: the store is on the management network."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="eu-west-1",
            config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3}),
        )


def write(folder: Path, documents: dict[str, object]) -> dict[str, str]:
    """Write each document as JSON and an index of their SHA-256 digests; return name -> text, index included."""
    texts = {f"{name}.json": json.dumps(document, indent=1, sort_keys=True) for name, document in documents.items()}
    index = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    texts["index.json"] = json.dumps(index, indent=1, sort_keys=True)
    for name, text in texts.items():
        write_durably(folder / name, text)
    return texts


def send(store: ObjectStore, stack: str, at: datetime, texts: dict[str, str]) -> str:
    """Put the documents under `<stack>/<time>/` and return that prefix; the index goes last.

    Raises Failure where the store does not take them: nothing may be destroyed then.
    """
    prefix = f"{stack}/{at:%Y%m%dT%H%M%SZ}/"
    client = store.client()
    try:
        for name in sorted(texts, key=lambda name: name == "index.json"):
            client.put_object(Bucket=BUCKET, Key=prefix + name, Body=texts[name].encode())
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"the core's object store at {store.endpoint} did not take the evidence: {error}",
            "see `systemctl status etape-object-store` on store-1 (scripts/stage check shows it), then run this again",
        ) from None
    return prefix


def keep(store: ObjectStore, folder: Path) -> tuple[int, int]:
    """Copy the season's buckets to `folder`; return number of objects and bytes.

    What is there already with the same size is not fetched again, so a copy that was stopped goes on.
    Raises Failure where the store does not give them.
    """
    client, objects, size = store.client(), 0, 0
    try:
        for bucket in _SEASON:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for each in page.get("Contents", []):
                    _fetch(client, bucket, each, folder / bucket / each["Key"])
                    objects, size = objects + 1, size + each["Size"]
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"the core's object store at {store.endpoint} does not give the season's data: {error}",
            "see `systemctl status etape-object-store` on store-1, then run this again; nothing was destroyed",
        ) from None
    return objects, size


def _fetch(client, bucket: str, each: dict, path: Path) -> None:
    if path.exists() and path.stat().st_size == each["Size"]:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    client.download_file(bucket, each["Key"], str(partial))
    partial.replace(path)
