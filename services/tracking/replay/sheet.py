"""The table of states that a replay writes: a row for each rider and second, in words and units that need no key."""

import numpy as np
import pyarrow as pa

KMH = 3.6
QUALITIES = ("fresh", "predicted", "lost", "finished", "interpolated")
NOTES = {
    "time_ms": "Unix milliseconds, UTC",
    "rider": "as the recording names the rider",
    "km_to_go": "official kilometres to the finish; null before the rider was ever found on the road",
    "gap_s": "since the first rider passed this same place; finished: behind the winner; null: not seen; time trial: "
    "own time less the best of others at this place, below 0 ahead of it; null: not started",
    "gap_m": "official metres behind the first rider",
    "speed_kmh": "now",
    "gradient": "rise over run, 0.05 is 5 %",
    "group": "on the road, 1 at the head; 0 for none",
    "position": "in the race, from 1",
    "quality": "fresh: seen within 3 s; predicted: within 60 s; lost: longer ago; finished: crossed the line; "
    "interpolated: lost, but seen before and afterwards. A replay places predicted riders between both as well",
    "lat": "WGS 84 degrees, on the road",
    "lon": "WGS 84 degrees, on the road",
    "group_id": "the same as long as the group lives; 0 for none",
    "gap_previous_s": "behind the rider in front; null for the first",
    "seen_ms": "fix time of the last reading believed; of finished riders, when they crossed the line; null: never",
    "revision": "0 as first told; 1 and more where late readings have amended it",
}


def schema_of(rider: pa.DataType) -> pa.Schema:
    """Columns, types and, as metadata of each column, what it means."""
    types = {
        "time_ms": pa.int64(),
        "rider": rider,
        "km_to_go": pa.float64(),
        "lat": pa.float64(),
        "lon": pa.float64(),
        "seen_ms": pa.int64(),
        "group": pa.uint16(),
        "group_id": pa.uint32(),
        "position": pa.uint16(),
        "quality": pa.dictionary(pa.int8(), pa.string()),
        "revision": pa.uint8(),
    }
    fields = [pa.field(name, types.get(name, pa.float32()), metadata={"meaning": note}) for name, note in NOTES.items()]
    return pa.schema(fields, metadata={"etape.quality": ", ".join(QUALITIES)})


def table_of(states: np.ndarray, riders: pa.Array | None = None) -> pa.Table:
    """RIDER_STATE (n,) as rows; `riders` names the numbers from 1, which by default are names themselves."""
    told = pa.array(states["rider"].astype(np.int64)) if riders is None else riders.take(pa.array(states["rider"] - 1))
    found = states["seen_ms"] > 0
    columns = {
        "time_ms": states["time_ms"],
        "rider": told,
        "km_to_go": pa.array(states["to_go_m"] / 1000, mask=~found),
        "gap_s": _known(states["gap_s"]),
        "gap_m": pa.array(np.ascontiguousarray(states["gap_m"]), mask=~found),
        "speed_kmh": states["speed_ms"] * np.float32(KMH),
        "gradient": states["gradient"],
        "group": states["group"],
        "position": states["position"],
        "quality": pa.DictionaryArray.from_arrays(states["quality"].astype(np.int8), list(QUALITIES)),
        "lat": pa.array(np.ascontiguousarray(states["lat"]), mask=~found),
        "lon": pa.array(np.ascontiguousarray(states["lon"]), mask=~found),
        "group_id": states["group_id"],
        "gap_previous_s": _known(states["gap_previous_s"]),
        "seen_ms": pa.array(np.ascontiguousarray(states["seen_ms"]), mask=~found),
        "revision": states["revision"],
    }
    arrays = [_array(columns[name]) for name in NOTES]
    return pa.Table.from_arrays(arrays, schema=schema_of(told.type))


def _known(column: np.ndarray) -> pa.Array:
    return pa.array(np.ascontiguousarray(column), mask=np.isnan(column))


def _array(column: np.ndarray | pa.Array) -> pa.Array:
    return pa.array(np.ascontiguousarray(column)) if isinstance(column, np.ndarray) else column
