"""Parts of the archive: immutable Parquet objects, each with rows that no other part of its run has."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tracking.store.object_store import ObjectStoreConfig

STORE_TROUBLE = (BotoCoreError, ClientError)
"""What an object store or the way to it can raise."""


MOST_AT_ONCE = 1000
"""Keys in one request to delete."""


@dataclass(frozen=True)
class Shelf:
    """A folder of parts: one kind of rows of one run of a stage."""

    kind: str
    """readings, states, arrivals, control, events or forecasts"""
    edition: int
    stage: int
    run: int
    """0 for what is of the whole stage."""

    @property
    def prefix(self) -> str:
        """Hive-style, so that readers of Parquet see the folders as columns."""
        folder = stage_prefix(self.kind, self.edition, self.stage)
        return f"{folder}run={self.run}/" if self.run else folder


def stage_prefix(kind: str, edition: int, stage: int) -> str:
    """The folder of all runs of a stage."""
    return f"{kind}/edition={edition}/stage={stage:02d}/"


class PartStore:
    """The archive's bucket. Every method blocks on the network and may raise one of `STORE_TROUBLE`."""

    def __init__(self, config: ObjectStoreConfig) -> None:
        self._bucket = config.bucket
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=config.endpoint,
            aws_access_key_id=config.access_key,
            aws_secret_access_key=config.secret_key,
            region_name=config.region,
            config=Config(
                connect_timeout=2,
                read_timeout=10,
                retries={"total_max_attempts": 1},  # the archive itself tries again, and says so
                s3={"addressing_style": "path"},
            ),
        )

    def ensure_bucket(self) -> None:
        """Create the bucket where it is missing."""
        try:
            self._s3.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            self._s3.create_bucket(Bucket=self._bucket)

    def newest_run(self, kind: str, edition: int, stage: int) -> int | None:
        """The last run of a stage that has parts."""
        prefix = stage_prefix(kind, edition, stage)
        runs = (key.removeprefix(prefix).split("/")[0].removeprefix("run=") for key in self.keys(prefix))
        return max(map(int, filter(str.isdecimal, runs)), default=None)

    def put(self, shelf: Shelf, name: str, rows: np.ndarray) -> int:
        """Store structured rows as one object, the same object when done twice; returns its size in bytes."""
        columns = {field: np.ascontiguousarray(rows[field]) for field in rows.dtype.names or ()}
        parquet = io.BytesIO()
        pq.write_table(pa.table(columns), parquet, compression="zstd")
        self._s3.put_object(Bucket=self._bucket, Key=f"{shelf.prefix}{name}.parquet", Body=parquet.getvalue())
        return parquet.tell()

    def open(self, key: str) -> pq.ParquetFile:
        """A part of which only what is asked for is fetched; ArrowInvalid where it is no whole Parquet."""
        size = self._s3.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
        return pq.ParquetFile(pa.PythonFile(_Ranges(self._s3, self._bucket, key, size), mode="r"))

    def put_file(self, key: str, file: Path) -> None:
        """Store a file under a key, whole or not at all."""
        self._s3.upload_file(str(file), self._bucket, key)

    def put_json(self, key: str, document: Any) -> None:
        """Store a document under a key."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(document, indent=1).encode())

    def get_json(self, key: str) -> Any:
        """The document under a key; None where there is none."""
        try:
            return json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            return None

    def delete(self, keys: Sequence[str]) -> None:
        """Take objects away; what is not there is no error."""
        for start in range(0, len(keys), MOST_AT_ONCE):
            some = [{"Key": key} for key in keys[start : start + MOST_AT_ONCE]]
            self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": some, "Quiet": True})

    def read(
        self, shelf: Shelf, dtype: np.dtype, columns: Sequence[str] | None = None, named: str = ""
    ) -> Iterator[np.ndarray]:
        """The rows of each part of a shelf, shape (n,); columns that are not asked for are zero.

        `named`: only of the parts whose names begin so.
        """
        wanted = list(columns or dtype.names or ())
        for key in self.keys(f"{shelf.prefix}{named}"):
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            table = pq.read_table(pa.BufferReader(body), columns=wanted)
            yield rows_of(table, dtype)

    def keys(self, prefix: str) -> Iterator[str]:
        """Names of all objects in a folder, ascending."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            yield from (found["Key"] for found in page.get("Contents", ()))


def rows_of(table: pa.Table, dtype: np.dtype) -> np.ndarray:
    """Structured rows, shape (n,); columns that the table does not have are zero."""
    rows = np.zeros(table.num_rows, dtype)
    for column in set(table.column_names) & set(dtype.names or ()):
        rows[column] = table[column].to_numpy()
    return rows


class _Ranges(io.RawIOBase):
    """An object as a file: each read is a request for these bytes."""

    def __init__(self, s3: Any, bucket: str, key: str, size: int) -> None:
        self._s3, self._bucket, self._key, self._size = s3, bucket, key, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        wanted = f"bytes={self._at}-{end - 1}"
        data: bytes = self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=wanted)["Body"].read()
        self._at += len(data)
        return data
