"""What the feed's endpoints can be asked with."""

from pydantic import Field

from tracking.feeds.api import Parameters
from tracking.feeds.moments import FASTEST
from tracking.feeds.story import MAX_EVENTS, MAX_FORECASTS
from tracking.feeds.views import View

LATEST_MS = 4_102_444_800_000
"""2100-01-01: what is later is a mistake."""


class StreamParameters(Parameters):
    """How a stream is told."""

    deltas: bool = Field(default=False, description="First a snapshot, then only what changes.")
    view: View | None = Field(
        default=None,
        description="Only the groups, or the first riders, as a small page shows them; told as with `deltas`.",
    )
    last_event_id: str | None = Field(
        default=None, max_length=40, description="As the header Last-Event-ID, for those who cannot set it."
    )


class EventsParameters(Parameters):
    """How many events."""

    limit: int = Field(default=500, ge=1, le=MAX_EVENTS)


class ForecastsParameters(Parameters):
    """How many forecasts."""

    limit: int = Field(default=500, ge=1, le=MAX_FORECASTS)


class TimelineParameters(Parameters):
    """From when to when."""

    from_ms: int | None = Field(default=None, ge=0, le=LATEST_MS)
    to_ms: int | None = Field(default=None, ge=0, le=LATEST_MS)


class MomentParameters(Parameters):
    """Which moment."""

    time_ms: int = Field(ge=0, le=LATEST_MS, description="Race clock, Unix milliseconds.")


class ReplayParameters(Parameters):
    """From when, and how fast."""

    from_ms: int = Field(ge=0, le=LATEST_MS, description="Race clock, Unix milliseconds.")
    speed: float = Field(default=1.0, ge=1, le=FASTEST, description="Race seconds in a second.")
