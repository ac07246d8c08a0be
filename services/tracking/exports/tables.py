"""States as tables: GeoParquet 1.1, whose points every GIS reads, and CSV."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("lon", "<f8"), ("lat", "<f8")])
"""A point in well-known binary, little-endian."""


def write_geoparquet(tables: Iterator[pa.Table], out: Path) -> int:
    """Rows written. `geometry` is null where a rider was not found yet; coordinates are OGC:CRS84, the default."""
    writer: pq.ParquetWriter | None = None
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    count = 0
    try:
        for table in tables:
            lon, lat = (table[name].to_numpy() for name in ("lon", "lat"))
            if np.isfinite(lon).any():
                west, south = min(west, np.nanmin(lon)), min(south, np.nanmin(lat))
                east, north = max(east, np.nanmax(lon)), max(north, np.nanmax(lat))
            told = table.drop_columns(["lon", "lat"]).append_column("geometry", points(lon, lat))
            # Without Arrow's own schema beside: it would hide from Arrow's readers what is added at the end.
            writer = writer or pq.ParquetWriter(out, told.schema, compression="zstd", store_schema=False)
            writer.write_table(told)
            count += told.num_rows
        if writer is not None:
            bounds = [float(edge) for edge in (west, south, east, north)] if np.isfinite(west) else None
            writer.add_key_value_metadata({"geo": json.dumps(_geo(bounds))})
    finally:
        if writer is not None:
            writer.close()
    return count


def points(lon: np.ndarray, lat: np.ndarray) -> pa.Array:
    """Points as well-known binary (n,); null where a coordinate is not known."""
    rows = np.zeros(len(lon), POINT)
    rows["order"], rows["kind"], rows["lon"], rows["lat"] = 1, 1, lon, lat
    known = np.isfinite(lon) & np.isfinite(lat)
    ends = np.concatenate(([0], np.cumsum(known) * POINT.itemsize)).astype(np.int32)
    nulls = pa.array(known).buffers()[1]
    buffers = [nulls, pa.py_buffer(ends), pa.py_buffer(rows[known].tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(lon), buffers)


def _geo(bounds: list[float] | None) -> dict[str, Any]:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
    if bounds is not None:
        column["bbox"] = bounds
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def write_csv(tables: Iterator[pa.Table], out: Path) -> int:
    """Rows written; the columns as in the states, empty where they are null."""
    writer: pc.CSVWriter | None = None
    count = 0
    try:
        for table in tables:
            place = table.schema.get_field_index("quality")
            plain = table.set_column(place, "quality", table["quality"].cast(pa.string()))
            writer = writer or pc.CSVWriter(out, plain.schema, write_options=pc.WriteOptions(quoting_style="needed"))
            writer.write(plain)
            count += plain.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count
