"""Where the weather comes from, as the processor's and the feed's config say it; light, as a feed needs no kernel."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from tracking.service import Section
from tracking.weather import SimulatedWeather, Weather, read_weather


class WeatherConfig(Section):
    """Where the weather comes from: a file, or a seed for one that is simulated; with neither it is not known."""

    file: Path | None = None
    seed: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.file is not None and self.seed is not None:
            raise ValueError("file and seed exclude each other")
        return self


def weather_of(config: WeatherConfig) -> Weather | None:
    """The source that a config names; raises `Mistakes` for a file that cannot be used."""
    if config.file is not None:
        return read_weather(config.file)
    return None if config.seed is None else SimulatedWeather(config.seed)
