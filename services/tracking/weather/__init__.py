"""The weather along a course: an interface, and where it can come from.

Every source answers the same question, how the air is at some places at a moment. `recorded` takes it from a file of
stations, `simulated` from a seed. A service of a weather office is one more class with the same two members.
"""

from tracking.weather.recorded import RecordedWeather, read_weather
from tracking.weather.simulated import SimulatedWeather
from tracking.weather.source import Conditions, Places, Weather, places_along
from tracking.weather.temperature import Temperature, TemperatureAlong

__all__ = [
    "Conditions",
    "Places",
    "RecordedWeather",
    "SimulatedWeather",
    "Temperature",
    "TemperatureAlong",
    "Weather",
    "places_along",
    "read_weather",
]
