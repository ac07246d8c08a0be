"""When a recorded race began, and whose clock was wrong, from nothing but its readings.

The start is when the field crossed kilometre 0. Before it, bikes stand in a depot (and all report one place), roll
through a neutral zone, or drive over the road in a bus; some appear late. So each device is asked when it went over the
first kilometre of the road, in order and at a rider's speed, and the earliest of those who went together give the
start. A device that went over it at quite another time, and is off by the same at a later gate, has a wrong clock.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracking.course import Course
from tracking.replay.recording import Recording

LINE_M = 20.0
"""A device that was seen before this had not crossed the line yet."""
GATE_M = 1000.0
"""Length of a gate: what is ridden in order, and at a rider's speed, is passed."""
ON_ROAD_M = 40.0
SLOWEST_MS, FASTEST_MS = 2.5, 25.0
"""Mean speed through a gate."""
TOGETHER_MS = 300_000
"""A start is where most devices cross within this time ..."""
AT_ONCE = 0.05
"""... and this share of them has crossed: nobody is first by a wrong reading alone."""
NEAR_M = 40.0
"""From when a device was here, and when four times as far, follows when it crossed the line."""
LATEST_M = 200.0
"""A device that appears later than this on the road says nothing about the start."""
STOOD_MS, WATCHED_MS = 20_000, 60_000
"""A device that was behind the line, on the road, for so long of the last minute before it started from a stand."""
TYPICAL_SPEED = 11.0
"""m/s, of a race that is under way when its recording begins."""
FIRST_READINGS = 200
CHUNK_ROWS = 4_000_000

WRONG_MS = 600_000
"""Who passes a gate so much later than the field, or sooner, may have a wrong clock; riders are late by less."""
FEWEST, MOST = 5, 0.5
"""Devices, and their share, that must have passed a gate together before another one's clock is thought wrong."""
QUARTER_MS, NEARLY_MS = 900_000, 120_000
"""Clocks of another zone are off by quarters of an hour; so near to one, the error is exactly that."""
LATER_GATES = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Shares of the course at which a gate may stand ..."""
MORE_GATES = 2
"""... and how many of them do, the first that can."""
ASTRAY_M = 200.0
"""No other leg of the road comes so near to a gate."""
LOSES_MS = 1_800_000
"""By so much riders may fall behind from one gate to the other."""


@dataclass(frozen=True)
class Start:
    """What a recording's readings tell of its beginning."""

    time_ms: int
    """When the field crossed kilometre 0, Unix milliseconds, a full second."""
    ahead_ms: dict[int, int]
    """Devices whose clock is wrong, and by how much it is ahead."""


def find_start(course: Course, recording: Recording) -> Start:
    """When the race began, and whose clocks were wrong.

    Where the recording begins on the way, the time at which a typical field would have begun.
    """
    gates = (0, *_later_gates(course))
    near: list[list[np.ndarray]] = [[] for _ in gates]
    for begin in range(0, len(recording.readings), CHUNK_ROWS):
        rows = recording.readings[begin : begin + CHUNK_ROWS]
        for gate, kept in zip(gates, near, strict=True):
            kept.append(rows[_off_place(course, rows, gate) < GATE_M + 2 * ON_ROAD_M])
    passages = [_passages(course, np.concatenate(rows), gate) for gate, rows in zip(gates, near, strict=True)]
    crossed_ms = _field_start(passages[0])
    if crossed_ms is None:
        first = next(recording.in_order())[:FIRST_READINGS]
        return Start(recording.first_ms - round(_middle_of(course, first) / TYPICAL_SPEED * 1000), {})
    return Start(crossed_ms, _wrong_clocks(passages))


def line_crossed(course: Course, readings: np.ndarray) -> int | None:
    """When the field crossed kilometre 0, Unix milliseconds, a full second; None where it never did.

    `readings`: READING (n,) near the start, in any order, of any sampling, with all faults that there are.
    """
    return _field_start(_passages(course, readings, 0))


Passages = tuple[np.ndarray, np.ndarray]
"""(devices, Unix milliseconds), each (k,) and ordered by time: who passed the beginning of a gate when."""


def _field_start(crossings: Passages) -> int | None:
    times = crossings[1]
    if not len(times):
        return None
    first, together = _together(times)
    start_ms = times[first + int(AT_ONCE * (together - 1))]
    return int(start_ms // 1000) * 1000


def _together(times: np.ndarray) -> tuple[int, int]:
    """(first, number) of the most times of (k,), ascending, that lie within `TOGETHER_MS`."""
    numbers = np.searchsorted(times, times + TOGETHER_MS, side="right") - np.arange(len(times))
    first = int(numbers.argmax())
    return first, int(numbers[first])


def _wrong_clocks(gates: Sequence[Passages]) -> dict[int, int]:
    """Devices whose clock is ahead, by how many milliseconds: off by the same at two gates, and never with the field.

    One gate is not enough: a team's bus drives over the road as well, and its riders may not be heard at the start.
    """
    devices, off_ms = zip(*(_off_field(*passages) for passages in gates), strict=True)
    ahead: dict[int, int] = {}
    on_time = {int(device) for who, off in zip(devices, off_ms, strict=True) for device in who[np.abs(off) < WRONG_MS]}
    for device in {int(device) for who in devices for device in who} - on_time:
        of_device = [off[who == device] for who, off in zip(devices, off_ms, strict=True)]
        for early, late in itertools.combinations(of_device, 2):
            pairs = [(one, other) for one in early for other in late if abs(one - other) < min(LOSES_MS, abs(one) / 2)]
            if pairs:
                ahead[device] = _likely_error(pairs[0][0])
                break
    return ahead


def _off_field(devices: np.ndarray, times: np.ndarray) -> Passages:
    """(devices, milliseconds later than the field passed the gate), each (k,); nobody where the field did not."""
    if not len(times):
        return devices, times
    first, together = _together(times)
    if together < FEWEST or together < MOST * len(np.unique(devices)):
        return devices[:0], times[:0]
    return devices, times - float(np.median(times[first : first + together]))


def _likely_error(off_ms: float) -> int:
    quarters_ms = round(off_ms / QUARTER_MS) * QUARTER_MS
    return quarters_ms if abs(off_ms - quarters_ms) < NEARLY_MS else round(off_ms)


def _later_gates(course: Course) -> list[int]:
    """The cells at which more gates stand: none where the road is folded everywhere, or too short for one."""
    reach = round(GATE_M / course.step_m)
    gates: list[int] = []
    for share in LATER_GATES:
        cell = round(share * (len(course.x) - 1))
        middle = cell + reach // 2
        off = np.hypot(course.x - course.x[middle], course.y - course.y[middle])
        elsewhere = np.abs(np.arange(len(off)) - middle) > 2 * reach
        if cell > 2 * reach and not (elsewhere & (off < GATE_M / 2 + ASTRAY_M)).any():
            gates.append(cell)
    return gates[:MORE_GATES]


def _passages(course: Course, readings: np.ndarray, gate: int) -> Passages:
    """Each time that a device passed the gate that begins at a cell."""
    near = np.sort(readings, order=("device", "time_ms"))
    along, off = _along_gate(course, near, gate)
    ends = np.flatnonzero(np.diff(near["device"].astype(int), append=-1)) + 1
    found = [
        (int(rows["device"][0]), time_ms)
        for rows, *places in _split(ends, near, along, off)
        for time_ms in _crossings(rows["time_ms"], *places)
    ]
    devices = np.array([device for device, _ in found], int)
    times = np.array([time_ms for _, time_ms in found], float)
    order = np.argsort(times, kind="stable")
    return devices[order], times[order]


def _split(ends: np.ndarray, *columns: np.ndarray) -> zip:
    """Each device's part of the columns."""
    return zip(*(np.split(column, ends[:-1]) if len(ends) else [] for column in columns), strict=True)


def _off_place(course: Course, readings: np.ndarray, cell: int) -> np.ndarray:
    """Metres (n,) from a place of the road; infinite for what is no place."""
    x, y = course.plane.project(readings["lat"], readings["lon"])
    off = np.hypot(x - course.x[cell], y - course.y[cell])
    return np.where(np.isfinite(off), off, np.inf)


def _middle_of(course: Course, readings: np.ndarray) -> float:
    """Metres from the start of the middle of the field; 0 where nobody is on the road."""
    x, y = course.plane.project(readings["lat"], readings["lon"])
    off2 = (x[:, None] - course.x) ** 2 + (y[:, None] - course.y) ** 2
    on_road = off2.min(axis=1) < ON_ROAD_M**2
    return float(np.median(course.distance[off2[on_road].argmin(axis=1)])) if on_road.any() else 0.0


def _along_gate(course: Course, readings: np.ndarray, gate: int) -> tuple[np.ndarray, np.ndarray]:
    """(metres into the gate, metres beside the road), each (n,), of the nearest place of it and half as much again."""
    cells = slice(gate, gate + round(1.5 * GATE_M / course.step_m))
    x, y = course.plane.project(readings["lat"], readings["lon"])
    along, off = np.zeros(len(x)), np.full(len(x), np.inf)
    for place_m, east, north in zip(course.distance[cells], course.x[cells], course.y[cells], strict=True):
        beside = np.hypot(x - east, y - north)
        nearer = beside < off
        along[nearer], off[nearer] = place_m - course.distance[gate], beside[nearer]
    return along, off


def _crossings(time_ms: np.ndarray, along: np.ndarray, off: np.ndarray) -> list[float]:
    """When a device crossed the line before it rode the gate, each time that it was seen to."""
    on_road = np.flatnonzero(off < ON_ROAD_M)
    time_ms, along = time_ms[on_road], along[on_road]
    behind = np.maximum.accumulate(np.where(along <= LINE_M, np.arange(len(along)), -1))
    done = np.flatnonzero(along >= GATE_M)
    first = behind[done] + 1
    took_s = (time_ms[done] - time_ms[first]) / 1000.0
    covered = along[done] - along[first]
    ridden = (along[first] <= LATEST_M) & (SLOWEST_MS * took_s < covered) & (covered < FASTEST_MS * took_s)
    begins, nth = np.unique(first[ridden], return_index=True)
    return [
        _crossed(time_ms[: end + 1], along[: end + 1], begin)
        for begin, end in zip(begins, done[ridden][nth], strict=True)
    ]


def _crossed(time_ms: np.ndarray, along: np.ndarray, first: int) -> float:
    """When the line was crossed by a device that was beyond it from reading `first` on, to the last one given."""
    near_m = max(NEAR_M, float(along[first]))
    begin = max(first - 1, 0)
    near_ms, far_ms = (_reached(time_ms[begin:], along[begin:], far) for far in (near_m, 4.0 * near_m))
    before = time_ms[:first][(along[:first] <= LINE_M) & (time_ms[:first] > time_ms[begin] - WATCHED_MS)]
    stood = first > 0 and time_ms[begin] - before[0] > STOOD_MS
    share = 1.0 if stood else 1.0 / 3.0  # four times as far in twice the time from a stand, in four times rolling
    crossed_ms = near_ms - share * (far_ms - near_ms)
    return float(crossed_ms if stood or first == 0 else max(crossed_ms, float(time_ms[begin])))


def _reached(time_ms: np.ndarray, along: np.ndarray, place_m: float) -> float:
    """When a place was reached: the middle of the first time and the last, as positions are not exact."""
    beyond = int(np.argmax(along >= place_m))
    short = int(np.flatnonzero(along < place_m)[-1]) if (along < place_m).any() else 0
    times = [_between(time_ms, along, max(beyond - 1, 0), beyond, place_m)]
    times.append(_between(time_ms, along, short, min(short + 1, len(along) - 1), place_m))
    return sum(times) / 2.0


def _between(time_ms: np.ndarray, along: np.ndarray, before: int, after: int, place_m: float) -> float:
    ridden = along[after] - along[before]
    share = min(max((place_m - along[before]) / ridden, 0.0), 1.0) if ridden > 0 else 1.0
    return float(time_ms[before] + share * (time_ms[after] - time_ms[before]))
