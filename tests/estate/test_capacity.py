"""Limits follow the stage, upwards only."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from infra.estate.capacity import Demand, demand_of, limits_under
from infra.estate.load import load_estate
from infra.estate.model import Limits

STAGE = load_estate("2017-s09").stage


@given(
    cpu=st.floats(min_value=1, max_value=4),
    memory=st.floats(min_value=1, max_value=4),
    base=st.builds(Limits, st.integers(1, 800), st.integers(16, 65536)),
)
def test_demand_never_lowers_a_limit(cpu, memory, base):
    """A service that is throttled below what it was measured to need falls behind the race."""
    limits = limits_under(base, Demand(cpu, memory))
    assert limits.cpu_percent >= base.cpu_percent
    assert limits.memory_mb >= base.memory_mb


@given(km=st.floats(min_value=1, max_value=400), longer=st.floats(min_value=0, max_value=100))
def test_a_longer_stage_asks_for_no_less(km, longer):
    """The backlog of a cut uplink grows with the day."""
    short, long = (demand_of(replace(STAGE, distance_km=length)) for length in (km, km + longer))
    assert long.memory >= short.memory >= 1.0
