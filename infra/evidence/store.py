"""The season's object store, as evidence is carried to it: each object once, and never another in its place."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.evidence.log import EvidenceLog

BUCKET = "evidence"
_SEASON = ("archive", BUCKET)
_TAKEN = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


@dataclass
class StoreTrouble(Exception):
    """The store did not take or give something; what is on this machine stays as it is."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence


class StoreConflict(StoreTrouble):
    """The store holds other content under a name of ours: it was changed there, or here."""


@dataclass(frozen=True)
class Sent:
    """What one delivery carried; `left` objects wait for the next one."""

    objects: int
    size: int
    left: int = 0

    def __str__(self) -> str:
        told = f"{self.objects} objects, {self.size / 1e6:.1f} MB"
        return told + (f", {self.left} are left for the next command" if self.left else "")


@dataclass(frozen=True)
class ObjectStore:
    """The core's object store as the operator reaches it."""

    endpoint: str
    access_key: str
    secret_key: str

    def client(self) -> Any:
        """An S3 client that gives up soon: the store is on the management network, or it is away."""
        # Imported here because it is slow, and most commands have nothing to send.
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="eu-west-1",
            config=Config(connect_timeout=2, read_timeout=15, retries={"max_attempts": 2}),
        )


def send(log: EvidenceLog, store: ObjectStore, patience_s: float = float("inf")) -> Sent:
    """Carry every signed file of the log that the store lacks; after `patience_s` the rest is left.

    Raises StoreConflict where the store has a name already with other content, StoreTrouble where it does not answer.
    """
    with _told(store):
        bucket = _Bucket(store.client())
        return _send(log.folder, log.closed(), bucket, time.monotonic() + patience_s)


def keep(store: ObjectStore, folder: Path) -> Sent:
    """Copy the season's buckets to `folder`, every operator's evidence and the archive.

    What is there already with the same size is not fetched again, so a copy that was stopped goes on. Raises
    StoreTrouble where the store does not give them.
    """
    with _told(store):
        client, objects, size = store.client(), 0, 0
        for bucket in _SEASON:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for each in page.get("Contents", []):
                    _fetch(client, bucket, each, folder / bucket)
                    objects, size = objects + 1, size + each["Size"]
        return Sent(objects, size)


def _send(folder: Path, paths: tuple[Path, ...], bucket: "_Bucket", deadline: float) -> Sent:
    objects, size = 0, 0
    for number, path in enumerate(paths):
        if time.monotonic() > deadline:
            return Sent(objects, size, sum(not bucket.has(rest.as_posix()) for rest in paths[number:]))
        content = (folder / path).read_bytes()
        if bucket.put(path.as_posix(), content):
            objects, size = objects + 1, size + len(content)
    return Sent(objects, size)


class _Bucket:
    """The evidence bucket, whose listing is asked for once."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def _digests(self) -> dict[str, str]:
        """MD5 by key, which is what S3 gives as the ETag of an object that was put in one piece."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {each["Key"]: each["ETag"].strip('"') for page in pages for each in page.get("Contents", [])}

    def has(self, key: str) -> bool:
        return key in self._digests

    def put(self, key: str, content: bytes) -> bool:
        """Whether the object was made; it may be there already, but only with the same content."""
        if self._digests.get(key) == hashlib.md5(content, usedforsecurity=False).hexdigest():
            return False
        if key not in self._digests and self._make(key, content):
            return True
        there = self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        if there != content:
            raise StoreConflict(
                f"the object store holds other content under {BUCKET}/{key} ({len(there)} bytes) than this machine"
                f" ({len(content)} bytes): one of the two was changed, and nothing was overwritten"
            )
        return False

    def _make(self, key: str, content: bytes) -> bool:
        """False where somebody made it since the listing."""
        from botocore.exceptions import ClientError

        try:
            # Boto adds a checksum by itself, without which a bucket with retention takes nothing.
            self._client.put_object(Bucket=BUCKET, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _TAKEN:
                return False
            raise
        return True


def _fetch(client: Any, bucket: str, each: dict, folder: Path) -> None:
    path = folder / each["Key"]
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreTrouble(f"{bucket}/{each['Key']} leads out of the folder that the bucket is copied to")
    if path.exists() and path.stat().st_size == each["Size"]:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    client.download_file(bucket, each["Key"], str(partial))
    partial.replace(path)


@contextmanager
def _told(store: ObjectStore) -> Iterator[None]:
    """S3's errors as one of ours."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StoreTrouble(f"the season's object store at {store.endpoint} does not do it: {error}") from None
