"""States as rides: where each rider was seen, in the order of time, until the finish.

What is only thought (a rider who was not heard for a minute and more) is no part of a ride.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
from gpxpy.gpx import GPX, GPXTrack, GPXTrackPoint, GPXTrackSegment

ON_THE_ROAD = ("fresh", "predicted")
BREAK_MS = 60_000
"""A track is interrupted where nothing is known for so long."""
COLUMNS = ("time_ms", "lat", "lon", "speed_kmh")


@dataclass(frozen=True, eq=False)
class RiderRide:
    """One rider's; arrays (n,), times rising."""

    rider: str
    time_ms: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    speed_kmh: np.ndarray


def rides_of(tables: Iterator[pa.Table]) -> list[RiderRide]:
    """Every rider's ride, in the order of their numbers or names."""
    found: dict[int | str, list[np.ndarray]] = defaultdict(list)
    for table in tables:
        on_the_road = np.isin(np.asarray(table["quality"].cast(pa.string())), ON_THE_ROAD)
        table = table.filter(pa.array(on_the_road))
        columns = np.array([table[name].to_numpy().astype(float) for name in COLUMNS])
        riders = np.asarray(table["rider"])
        for rider in np.unique(riders):
            found[rider].append(columns[:, riders == rider])
    rides = []
    for rider in sorted(found):
        columns = np.concatenate(found[rider], axis=1)
        time_ms, lat, lon, speed = columns[:, np.argsort(columns[0], kind="stable")]
        rides.append(RiderRide(str(rider), time_ms.astype(np.int64), lat, lon, speed))
    return rides


def write_gpx(tables: Iterator[pa.Table], out: Path) -> int:
    """Points written: a track for each rider, a segment for each stretch without a break."""
    gpx = GPX()
    gpx.creator = "Etape"
    count = 0
    for ride in rides_of(tables):
        track = GPXTrack(name=ride.rider)
        for part in np.split(np.arange(len(ride.time_ms)), np.flatnonzero(np.diff(ride.time_ms) > BREAK_MS) + 1):
            points = [
                GPXTrackPoint(lat, lon, time=datetime.fromtimestamp(time_ms / 1000, UTC))
                for lat, lon, time_ms in zip(
                    np.round(ride.lat[part], 7).tolist(),
                    np.round(ride.lon[part], 7).tolist(),
                    ride.time_ms[part].tolist(),
                    strict=True,
                )
            ]
            track.segments.append(GPXTrackSegment(points))
            count += len(points)
        gpx.tracks.append(track)
    out.write_text(gpx.to_xml(version="1.1"), encoding="utf-8")
    return count


def write_moving_features(tables: Iterator[pa.Table], out: Path) -> int:
    """Points written: OGC Moving Features JSON, a MovingPoint for each rider with its speed."""
    features = []
    count = 0
    for ride in rides_of(tables):
        times = [f"{moment}Z" for moment in ride.time_ms.astype("datetime64[ms]").astype(str).tolist()]
        places = np.round(np.column_stack((ride.lon, ride.lat)), 7).tolist()
        speeds = np.round(ride.speed_kmh, 2).tolist()
        features.append(
            {
                "type": "Feature",
                "id": ride.rider,
                "properties": {"rider": ride.rider},
                "geometry": {"type": "LineString", "coordinates": places} if len(places) > 1 else None,
                "temporalGeometry": {
                    "type": "MovingPoint",
                    "datetimes": times,
                    "coordinates": places,
                    "interpolation": "Linear",
                },
                "temporalProperties": [
                    {
                        "datetimes": times,
                        "speed": {"type": "Measure", "form": "KMH", "values": speeds, "interpolation": "Linear"},
                    }
                ],
            }
        )
        count += len(times)
    crs = {"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    trs = {"type": "Name", "properties": {"name": "urn:ogc:data:time:iso8601"}}
    out.write_bytes(orjson.dumps({"type": "FeatureCollection", "crs": crs, "trs": trs, "features": features}))
    return count
