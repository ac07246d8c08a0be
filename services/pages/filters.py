"""Figures in the first HTML; they read as `web/src/parts/format.ts` writes them once the page is live."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

UNKNOWN = "–"


def decimal(value: float | None, digits: int = 1) -> str:
    """A fixed number of decimals."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def duration(seconds: float | None) -> str:
    """Seconds as m:ss, from an hour on as h:mm:ss."""
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def metres(value: float | None) -> str:
    """A distance in metres, from ten kilometres on in kilometres."""
    if value is None:
        return f"{UNKNOWN} m"
    return f"{value:.0f} m" if value < 10_000 else f"{value / 1000:.1f} km"


def ahead_or_behind(seconds: float | None) -> str:
    """A gap on someone else: −1:20 in front, +0:45 behind."""
    return UNKNOWN if seconds is None else f"{'−' if seconds < 0 else '+'}{duration(abs(seconds))}"


def gradient(ratio: float | None) -> str:
    """A ratio of rise over run as a percentage with its sign."""
    if ratio is None:
        return UNKNOWN
    percent = f"{ratio * 100:.1f}"
    return "0.0" if percent == "-0.0" else percent.replace("-", "−")


def clock(moment: str | None, zone: str) -> str:
    """An ISO time as HH:MM:SS in the zone that another ISO time carries, with that zone."""
    if moment is None:
        return "––:––:––"
    local = datetime.fromisoformat(moment).astimezone(datetime.fromisoformat(zone).tzinfo)
    return f"{local:%H:%M:%S} {zone_name(local.utcoffset() or timedelta())}"


def zone_name(offset: timedelta) -> str:
    """An offset as a reader says it: UTC, UTC+2, UTC−5:30."""
    minutes = round(offset / timedelta(minutes=1))
    if not minutes:
        return "UTC"
    whole, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{whole}{f':{rest:02}' if rest else ''}"


FILTERS: dict[str, Callable[..., Any]] = {
    "decimal": decimal,
    "duration": duration,
    "metres": metres,
    "ahead_or_behind": ahead_or_behind,
    "gradient": gradient,
    "clock": clock,
}
