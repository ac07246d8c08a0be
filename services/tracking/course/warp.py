"""From the metres of a trace to the official ones, through places whose official distance is known.

A trace and a road book never measure the same: the line cuts corners or wobbles, begins where the riders gather, and is
off by another share on every stretch. Between two places that both know, the difference is spread evenly.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tracking.course.formats.drawing import Mark, MarkKind, Problem
from tracking.course.geometry import Plane, along_trace

ON_ROAD_M = 100.0
"""A place that lies farther from the road is not on it."""
SAME_M = 1.0
STRETCH_TOLERANCE = 0.08
SHORT_STRETCH_M = 200.0
"""Trace and road book may differ by this much on any stretch: a banner is not put up to the metre."""

Knot = tuple[float, float]
"""(traced, official) metres of one place."""


@dataclass(frozen=True, slots=True, eq=False)
class TracedRoad:
    """A trace on a flat map. Arrays (n,)."""

    plane: Plane
    x: np.ndarray
    y: np.ndarray
    along: np.ndarray
    """Metres from the first point, as the trace measures."""

    @property
    def length_m(self) -> float:
        """As the trace measures."""
        return float(self.along[-1])

    def passages(self, lat: float, lon: float) -> tuple[np.ndarray, np.ndarray]:
        """(metres along the trace, metres away) of each time that the road comes by a place, in the road's order; both
        empty where it never does."""
        x, y = self.plane.project(np.asarray(lat), np.asarray(lon))
        dx, dy = np.diff(self.x), np.diff(self.y)
        length2 = dx * dx + dy * dy
        dot = (x - self.x[:-1]) * dx + (y - self.y[:-1]) * dy
        share = np.clip(np.divide(dot, length2, out=np.zeros_like(dot), where=length2 > 0), 0, 1)
        off = np.hypot(self.x[:-1] + share * dx - x, self.y[:-1] + share * dy - y)
        near = np.flatnonzero(off <= ON_ROAD_M)
        if not len(near):
            return near.astype(float), near.astype(float)
        times = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
        nearest = np.array([time[off[time].argmin()] for time in times])
        return self.along[nearest] + share[nearest] * np.diff(self.along)[nearest], off[nearest]


def traced_road(lon: np.ndarray, lat: np.ndarray) -> TracedRoad:
    """The road of a trace (n,), (n,) in degrees."""
    plane = Plane(lat=float(lat.mean()), lon=float(lon.mean()))
    x, y = plane.project(lat, lon)
    return TracedRoad(plane, x, y, along_trace(lon, lat))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A place of known official distance, and where on the trace it may be."""

    field: str
    name: str
    official_m: float
    traced_m: np.ndarray
    """(k,), one for each passage."""
    off_m: np.ndarray


def warp(
    road: TracedRoad, length_m: float, marks: Iterable[Mark], neutral_km: float | None
) -> tuple[tuple[Knot, ...], list[Problem]]:
    """The knots from the official start to the finish, and all that is wrong with the places they come from.

    A place that the road passes several times is taken at the passage that makes trace and road book agree best, all
    places considered together. Without a place at the official start or finish, the trace's own ends are these.
    """
    known, problems = _all_known(road, length_m, marks, neutral_km)
    knots, disorder = _in_order(known)
    problems += disorder
    if not problems and len(known) > 2:
        problems += _stretch_problems(known, knots)
    return knots, problems


def official_of(knots: Sequence[Knot], traced_m: np.ndarray) -> np.ndarray:
    """Official metres of places on the raced part of a trace, same shape."""
    traced, official = np.array(knots).T
    return np.interp(traced_m, traced, official)


def traced_of(knots: Sequence[Knot], official_m: np.ndarray) -> np.ndarray:
    """Metres along the trace of official ones, same shape."""
    traced, official = np.array(knots).T
    return np.interp(official_m, official, traced)


def _all_known(
    road: TracedRoad, length_m: float, marks: Iterable[Mark], neutral_km: float | None
) -> tuple[list[_Known], list[Problem]]:
    """In official order, with the ends; of places at the same official distance the first one."""
    told = [mark for mark in marks if mark.place is not None and mark.official_km is not None]
    if neutral_km and not any(mark.official_km == 0 for mark in told):
        told.append(Mark("neutral_km", MarkKind.CHECKPOINT, "the official start", neutral_km, 0.0))
    known: list[_Known] = []
    problems: list[Problem] = []
    for mark in sorted(told, key=lambda mark: float(mark.official_km or 0)):
        place, problem = _located(road, mark, length_m)
        if problem is not None:
            problems.append(problem)
        elif known and place.official_m - known[-1].official_m < SAME_M:
            problems += _elsewhere(place, known[-1])
        else:
            known.append(place)
    if not known or known[0].official_m > SAME_M:
        known.insert(0, _end("start", 0.0, 0.0))
    if known[-1].official_m < length_m - SAME_M:
        known.append(_end("finish", length_m, road.length_m))
    return known, problems


def _end(name: str, official_m: float, traced_m: float) -> _Known:
    return _Known(name, f"the {name}", official_m, np.array([traced_m]), np.zeros(1))


def _located(road: TracedRoad, mark: Mark, length_m: float) -> tuple[_Known, Problem | None]:
    """A place with its passages; the problem says why it has none."""
    official_m = float(mark.official_km or 0) * 1000
    problem = None
    if isinstance(mark.place, tuple):
        traced, off = road.passages(*mark.place)
        if not len(traced):
            reason = f"{_called(mark)} lies more than {ON_ROAD_M:g} m from the road"
            problem = mark.field, reason, "Correct its place"
    else:
        traced_m = float(mark.place or 0) * 1000
        traced, off = np.array([min(traced_m, road.length_m)]), np.zeros(1)
        if traced_m > road.length_m + SAME_M:
            reason = f"{_called(mark)} is {traced_m / 1000:g} km along a trace of {road.length_m / 1000:.1f} km"
            problem = mark.field, reason, "Correct its kilometres along the trace"
    if official_m > length_m + SAME_M:
        reason = f"{_called(mark)} has the official distance {official_m / 1000:g} km, beyond the finish"
        problem = mark.field, reason, f"Give at most {length_m / 1000:g} km"
    return _Known(mark.field, _called(mark), min(official_m, length_m), traced, off), problem


def _called(mark: Mark) -> str:
    return mark.name or f"the {mark.kind}"


def _elsewhere(place: _Known, same: _Known) -> Iterator[Problem]:
    apart_m = abs(place.traced_m[:, None] - same.traced_m[None, :]).min()
    if apart_m > 2 * ON_ROAD_M:
        reason = f"{place.name} and {same.name} have the same official distance but are {apart_m / 1000:.1f} km apart"
        yield place.field, reason, "Correct one of them"


def _in_order(known: Sequence[_Known]) -> tuple[tuple[Knot, ...], list[Problem]]:
    """The passages that rise along the road and agree best with the official distances; the least sum of differences
    from one place to the next decides."""
    problems: list[Problem] = []
    cost, came_from = known[0].off_m, []
    for before, here in zip(known, known[1:], strict=False):
        covered = here.traced_m[None, :] - before.traced_m[:, None]
        differs = np.where(covered >= SAME_M, abs(covered - (here.official_m - before.official_m)), np.inf)
        total = cost[:, None] + differs
        if np.isinf(total).all():
            blamed, other = (before, here) if here.field == "finish" else (here, before)
            side = "before" if blamed is here else "at or behind"
            reason = f"{blamed.name} lies {side} {other.name} on the road, against their official distances"
            problems.append((blamed.field, reason, "Correct its place or its official distance"))
            total = np.zeros_like(total)
        came_from.append(total.argmin(axis=0))
        cost = total.min(axis=0) + here.off_m
    chosen = [int(cost.argmin())]
    for origins in reversed(came_from):
        chosen.append(int(origins[chosen[-1]]))
    places = zip(known, reversed(chosen), strict=True)
    return tuple((float(place.traced_m[choice]), place.official_m) for place, choice in places), problems


def _stretch_problems(known: Sequence[_Known], knots: Sequence[Knot]) -> Iterator[Problem]:
    for i, ((from_traced, from_official), (traced, official)) in enumerate(zip(knots, knots[1:], strict=False), 1):
        told, measured = official - from_official, traced - from_traced
        allowed = max(STRETCH_TOLERANCE * told, min(SHORT_STRETCH_M, told / 2))
        if abs(measured - told) > allowed:
            blamed = known[i - 1] if i == len(known) - 1 else known[i]
            reason = (
                f"from {known[i - 1].name} to {known[i].name} are {told / 1000:.2f} official km, "
                f"but the trace measures {measured / 1000:.2f} km"
            )
            yield blamed.field, reason, "Correct the place or the official distance of one of them"
