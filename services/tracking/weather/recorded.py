"""Weather from a file: what stations near the course have measured."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracking.briefing.tables import Row, Table, read_table
from tracking.weather.source import Conditions, Places, blowing

NEEDED = ("station", "lat", "lon", "time", "wind_ms", "wind_from_deg")
OPTIONAL = ("temperature_c", "pressure_hpa", "humidity_pct", "rain_mm_h")
LIMITS = {
    "wind_ms": (0.0, 75.0),
    "wind_from_deg": (0.0, 360.0),
    "temperature_c": (-40.0, 55.0),
    "pressure_hpa": (600.0, 1090.0),
    "humidity_pct": (0.0, 100.0),
    "rain_mm_h": (0.0, 300.0),
}
MEASURED = ("east_ms", "north_ms", *OPTIONAL)
HOLDS_MS = 3_600_000
"""A report says nothing about what is longer ago or longer ahead than this."""
NEAREST_KM = 0.5
"""Stations nearer than this count as if they were this far away."""
KM_PER_DEGREE = 111.195


@dataclass(frozen=True, slots=True, eq=False)
class _Station:
    lat: float
    lon: float
    time_ms: np.ndarray
    """Of its reports, (r,), ascending."""
    reports: np.ndarray
    """(r, 6) as `MEASURED`."""

    def at(self, time_ms: int) -> np.ndarray:
        """(6,) between the reports before and after; NaN where they are too far away in time."""
        later = int(np.searchsorted(self.time_ms, time_ms))
        near = [number for number in (later - 1, later) if 0 <= number < len(self.time_ms)]
        near = [number for number in near if abs(self.time_ms[number] - time_ms) <= HOLDS_MS]
        if len(near) < 2:
            return self.reports[near[0]] if near else np.full(len(MEASURED), np.nan)
        before, after = self.reports[near[0]], self.reports[near[1]]
        share = (time_ms - self.time_ms[near[0]]) / (self.time_ms[near[1]] - self.time_ms[near[0]])
        between = before + share * (after - before)
        return np.where(np.isnan(between), np.where(np.isnan(before), after, before), between)


class RecordedWeather:
    """Between the stations, each counts by the inverse square of its distance."""

    def __init__(self, stations: tuple[_Station, ...], source: str) -> None:
        self._stations = stations
        self.source = source

    def at(self, places: Places, time_ms: int) -> Conditions:
        """The air at these places; NaN where no station has a report within an hour."""
        reports = np.array([station.at(time_ms) for station in self._stations])
        north_km = np.subtract.outer(places.lat, [station.lat for station in self._stations]) * KM_PER_DEGREE
        east_km = np.subtract.outer(places.lon, [station.lon for station in self._stations]) * KM_PER_DEGREE
        east_km *= np.cos(np.radians(places.lat))[:, None]
        weight = 1 / np.maximum(north_km**2 + east_km**2, NEAREST_KM**2)
        known = np.isfinite(reports)
        with np.errstate(invalid="ignore"):
            columns = (weight @ np.where(known, reports, 0.0)) / (weight @ known)
        return Conditions(**dict(zip(MEASURED, columns.T, strict=True)))


def read_weather(file: Path) -> RecordedWeather:
    """The weather of a table (CSV or JSON) with a row for each report of each station.

    Columns: station (its name), lat, lon, time (ISO 8601 with offset), wind_ms, wind_from_deg (clockwise from north)
    and, as far as known, temperature_c, pressure_hpa (at the station), humidity_pct and rain_mm_h. Raises `Mistakes`
    with all that is wrong.
    """
    table = read_table(file, NEEDED, OPTIONAL)
    reports: dict[str, list[tuple[float, ...]]] = {}
    for row in table.rows:
        lat, lon, time_ms = row.number("lat", -90, 90), row.number("lon", -180, 180), row.time_ms("time")
        figures = [row.number(name, *limits) for name, limits in LIMITS.items()]
        if lat is not None and lon is not None and time_ms is not None:
            report = (lat, lon, float(time_ms), *(np.nan if figure is None else figure for figure in figures))
            _add(table, row, reports.setdefault(str(row.text("station")), []), report)
    table.check()
    stations = tuple(_station(np.array(sorted(rows, key=lambda report: report[2]))) for rows in reports.values())
    return RecordedWeather(stations, f"recorded at {', '.join(reports)}")


def _add(table: Table, row: Row, before: list[tuple[float, ...]], report: tuple[float, ...]) -> None:
    if before and report[:2] != before[0][:2]:
        table.wrong(f"{row.where}: lat, lon", "the station stood elsewhere before", "give it another name")
    if any(report[2] == other[2] for other in before):
        table.wrong(f"{row.where}: time", "the station has reported this moment before", "keep one of the rows")
    before.append(report)


def _station(rows: np.ndarray) -> _Station:
    """From rows (r, 9): lat, lon, time, wind and where it comes from, and the optional columns."""
    east, north = blowing(rows[:, 3], rows[:, 4])
    return _Station(rows[0, 0], rows[0, 1], rows[:, 2].astype(np.int64), np.column_stack((east, north, rows[:, 5:])))
