"""The files of a state backend, wherever they are: a folder here, or a bucket that a team shares."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from infra.durable import write_durably
from infra.engine_error import StateError


class StateObjects(Protocol):
    """Keys are paths from the backend's root, such as `.pulumi/stacks/etape/2017-s09.json`."""

    def read(self, key: str) -> str | None:
        """The text of one object; None where there is none."""

    def list(self, folder: str) -> tuple[str, ...]:
        """Keys under a folder, sorted."""

    def write(self, key: str, text: str) -> None:
        """Make or replace one object, all of it or nothing."""

    def delete(self, key: str) -> None:
        """Remove one object; that there is none is no error."""

    def place(self, key: str) -> str:
        """How people name the object."""


class FolderObjects:
    """A state on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> str | None:
        path = self._folder / key
        return path.read_text(errors="replace") if path.exists() else None

    def list(self, folder: str) -> tuple[str, ...]:
        found = (path for path in (self._folder / folder).rglob("*") if path.is_file())
        return tuple(sorted(str(path.relative_to(self._folder)) for path in found))

    def write(self, key: str, text: str) -> None:
        write_durably(self._folder / key, text)

    def delete(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def place(self, key: str) -> str:
        return str(self._folder / key)


class BucketObjects:
    """A state in S3. `query` holds the options of Pulumi's URL, which this reads as Pulumi does."""

    def __init__(self, bucket: str, prefix: str, query: Mapping[str, str]) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._query = query

    def read(self, key: str) -> str | None:
        with self._told() as errors:
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except errors.ClientError as error:
                if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                    return None
                raise
            return answer["Body"].read().decode(errors="replace")

    def list(self, folder: str) -> tuple[str, ...]:
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}{folder}/"
            )
            found = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return tuple(sorted(key.removeprefix(self._prefix) for key in found))

    def write(self, key: str, text: str) -> None:
        with self._told():
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=text.encode())

    def delete(self, key: str) -> None:
        with self._told():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def place(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}"

    @cached_property
    def _client(self) -> Any:
        # Imported here because it is slow, and most homes keep their state in a folder.
        import boto3
        from botocore.config import Config

        query = self._query
        endpoint = query.get("endpoint")
        if endpoint and "://" not in endpoint:
            endpoint = f"{'http' if query.get('disableSSL') == 'true' else 'https'}://{endpoint}"
        style = "path" if query.get("s3ForcePathStyle") == "true" else "auto"
        patience = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2})
        return boto3.Session(profile_name=query.get("profile")).client(
            "s3",
            endpoint_url=endpoint,
            region_name=query.get("region") or os.environ.get("AWS_REGION"),
            config=patience.merge(Config(s3={"addressing_style": style})),
        )

    @contextmanager
    def _told(self) -> Iterator[Any]:
        """S3's errors as one of ours; gives the module that names them."""
        from botocore import exceptions

        try:
            yield exceptions
        except (exceptions.BotoCoreError, exceptions.ClientError) as error:
            where = f"s3://{self._bucket}" + (f" at {self._query['endpoint']}" if "endpoint" in self._query else "")
            raise StateError(
                f"the state in {where} cannot be reached: {error}",
                "see that the object store runs, that the bucket exists and that AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY are allowed to use it, then run the same command again; nothing was begun",
            ) from None
