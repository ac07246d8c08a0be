"""What the points of a course must be: enough, on the earth, near each other, and as long as the road book says."""

from collections.abc import Iterator, Sequence

import numpy as np

from tracking.course.formats.drawing import Drawing, Problem
from tracking.course.geometry import segment_lengths
from tracking.course.warp import Knot

LENGTH_TOLERANCE = 0.08
"""A trace may differ from its official distance by this share; mislabelled traces differ by more."""
LARGEST_HOLE_M = 2000.0
LARGEST_JOINT_M = 100.0
"""The next part of a line begins at most this far from where the part before it ends."""
CLIFF_M = 100.0
"""Height that no road gains from one point to the next at more than 45 degrees."""
FEWEST_POINTS = 50
MOST_HOLES = 20
"""So many are told one by one."""
EUROPE = ((-12.0, 32.0), (34.0, 62.0))
"""Longitudes and latitudes that a race on European roads keeps to; tells swapped columns from a far country."""


def point_problems(points: np.ndarray, drawing: Drawing) -> Iterator[Problem]:
    """Why the points (n, 3) of a drawing cannot be measured."""
    label = drawing.label
    if len(points) < FEWEST_POINTS:
        remedy = f"Trace the road with at least {FEWEST_POINTS} points"
        yield label, f"has {len(points)} points, too few for a course", remedy
    if len(flat := np.flatnonzero(np.isnan(points[:, 2]))):
        yield f"{label}[{flat[0]}]", f"{len(flat)} points have no elevation", drawing.heights
    wrong = ~np.isfinite(points[:, :2]).all(axis=1) | np.isinf(points[:, 2])
    if wrong.any():
        yield f"{label}[{wrong.argmax()}]", "is not a number (NaN or infinite)", "Correct or remove this point"
        return
    lon, lat, _ = points.T
    if len(points) and _in_europe(lat, lon) and not _in_europe(lon, lat):
        yield label, "longitude and latitude are swapped", drawing.order
    elif len(outside := np.flatnonzero((abs(lon) > 180) | (abs(lat) > 90))):
        reason = f"{len(outside)} points lie outside of -180..180, -90..90 degrees"
        yield f"{label}[{outside[0]}]", reason, "Give WGS 84 degrees"


def road_problems(points: np.ndarray, drawing: Drawing) -> Iterator[Problem]:
    """Where points (n, 3) that can be measured are no road."""
    label = drawing.label
    lon, lat, elevation = points.T
    yield from _joint_problems(drawing)
    lengths = segment_lengths(lon, lat)
    holes = np.flatnonzero(lengths > LARGEST_HOLE_M)
    for i in holes[:MOST_HOLES]:
        reason = f"the next point is {lengths[i] / 1000:.1f} km away: a part of the course is missing"
        yield f"{label}[{i}]", reason, "Complete the trace"
    if len(wild := np.flatnonzero((elevation < -450) | (elevation > 6000))):
        reason = f"elevation {elevation[wild[0]]:g} m is on no road ({len(wild)} such points)"
        yield f"{label}[{wild[0]}]", reason, "Give metres above the sea"
        return
    rise = abs(np.diff(elevation))
    if len(cliffs := np.flatnonzero((rise > CLIFF_M) & (rise > lengths))):
        i = int(cliffs[0])
        reason = f"elevation changes by {rise[i]:.0f} m in {lengths[i]:.0f} m of road ({len(cliffs)} such places)"
        yield f"{label}[{i}]", reason, "Correct the elevations there"


def length_problems(knots: Sequence[Knot], field: str) -> Iterator[Problem]:
    """Whether the raced part of the trace is as long as the official distance, told at that field."""
    (from_traced, _), (to_traced, official_m) = knots[0], knots[-1]
    traced_km, official_km = (to_traced - from_traced) / 1000, official_m / 1000
    off = traced_km / official_km - 1
    if abs(off) > LENGTH_TOLERANCE:
        reason = (
            f"says {official_km:g} km but the trace measures {traced_km:.1f} km, "
            f"{off:+.0%}, more than {LENGTH_TOLERANCE:.0%} off"
        )
        yield field, reason, "This is another stage's trace or distance: correct one of them"


def _joint_problems(drawing: Drawing) -> Iterator[Problem]:
    """A line in parts: each has to go on where the part before it ended."""
    at = 0
    for before, after in zip(drawing.parts, drawing.parts[1:], strict=False):
        at += len(before)
        lon, lat, _ = np.stack((before[-1], after[0])).T
        apart_m = float(segment_lengths(lon, lat)[0])
        if apart_m > LARGEST_JOINT_M:
            reason = f"a part of the line begins {apart_m / 1000:.1f} km from where the part before it ends"
            yield f"{drawing.label}[{at}]", reason, "Put the parts in the order in which they are ridden, or remove one"


def _in_europe(lon: np.ndarray, lat: np.ndarray) -> bool:
    (west, east), (south, north) = EUROPE
    return bool((lon.min() > west) and (lon.max() < east) and (lat.min() > south) and (lat.max() < north))
