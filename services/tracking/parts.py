"""Parts of the archive: immutable Parquet objects, each with rows that no other part of its run has."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from tracking.service import Section

STORE_TROUBLE = (BotoCoreError, ClientError)
"""What an object store or the way to it can raise."""


class ObjectStoreConfig(Section):
    """Where the archive's objects go."""

    endpoint: str = Field(pattern=r"^https?://")
    access_key: str
    secret_key: str
    bucket: str = "archive"
    region: str = "us-east-1"


@dataclass(frozen=True)
class Shelf:
    """A folder of parts: one kind of rows of one run of a stage."""

    kind: str
    """readings or states"""
    edition: int
    stage: int
    run: int

    @property
    def prefix(self) -> str:
        """Hive-style, so that readers of Parquet see the folders as columns."""
        return f"{stage_prefix(self.kind, self.edition, self.stage)}run={self.run}/"


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
        runs = (key.removeprefix(prefix).split("/")[0].removeprefix("run=") for key in self._keys(prefix))
        return max(map(int, filter(str.isdecimal, runs)), default=None)

    def put(self, shelf: Shelf, name: str, rows: np.ndarray) -> int:
        """Store structured rows as one object, the same object when done twice; returns its size in bytes."""
        columns = {field: np.ascontiguousarray(rows[field]) for field in rows.dtype.names or ()}
        parquet = io.BytesIO()
        pq.write_table(pa.table(columns), parquet, compression="zstd")
        self._s3.put_object(Bucket=self._bucket, Key=f"{shelf.prefix}{name}.parquet", Body=parquet.getvalue())
        return parquet.tell()

    def read(self, shelf: Shelf, dtype: np.dtype, columns: Sequence[str] | None = None) -> Iterator[np.ndarray]:
        """The rows of each part of a shelf, shape (n,); columns that are not asked for are zero."""
        wanted = list(columns or dtype.names or ())
        for key in self._keys(shelf.prefix):
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            table = pq.read_table(pa.BufferReader(body), columns=wanted)
            rows = np.zeros(table.num_rows, dtype)
            for column in wanted:
                rows[column] = table[column].to_numpy()
            yield rows

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            yield from (found["Key"] for found in page.get("Contents", ()))
