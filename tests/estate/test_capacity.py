"""What a stage gets follows from what the stage is, within the contract, and says why."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking.course.file import EARTH_RADIUS_M, Trace

from infra.estate.build import stage_of
from infra.estate.capacity import Contract, Profile, capacity_of, counts_at, limits_of, machines_of, pinned
from infra.estate.courses import finish_of, finish_on
from infra.estate.documents import GrowthDoc, LimitGrowthDoc
from infra.estate.load import STACKS, load_estate
from infra.estate.model import Capacity, Demand, Finish, Limits, Quantity
from infra.estate.reading import read_edition

EDITIONS = {int(folder.name): read_edition(STACKS, folder.name)[0] for folder in sorted(STACKS.glob("20*"))}
STAGES = [(edition, line.doc.number) for edition, written in EDITIONS.items() for line in written.stages]


@cache
def of_stage(edition: int, number: int, scale: str) -> tuple[Capacity, ...]:
    """What a stage gets, without building its estate."""
    doc = next(line.doc for line in EDITIONS[edition].stages if line.doc.number == number)
    return capacity_of(EDITIONS[edition], stage_of(edition, doc), scale)


factors = st.floats(min_value=1, max_value=4)
rules = st.builds(
    GrowthDoc,
    role=st.just("processor"),
    base=st.floats(0, 50),
    per_hour=st.floats(0, 10),
    profiles=st.dictionaries(st.sampled_from(["flat", "hilly", "mountain", "time trial"]), factors),
    finishes=st.dictionaries(st.sampled_from(Finish), factors),
    rest=st.integers(1, 60),
)
profiles = st.builds(
    Profile,
    terrain=st.sampled_from(["flat", "hilly", "mountain", "time trial"]),
    kilometres=st.floats(1, 400),
    expected=st.timedeltas(timedelta(minutes=10), timedelta(hours=12)),
    finish=st.sampled_from(Finish),
)
contracts = st.integers(1, 60).flatmap(
    lambda most: st.builds(
        Contract,
        most=st.just(most),
        pinned=st.integers(1, max(1, most // 10)),
        scale=st.sampled_from(["full", "small"]),
    )
)
limit_rules = st.builds(
    LimitGrowthDoc,
    hours=st.floats(1, 8),
    profiles=st.dictionaries(st.sampled_from(["flat", "hilly", "mountain", "time trial"]), factors),
    finishes=st.dictionaries(st.sampled_from(Finish), factors),
    rest=st.floats(0.1, 1),
)
bases = st.builds(Limits, st.integers(1, 800), st.integers(16, 65536))


@given(rule=rules, profile=profiles, more=st.timedeltas(timedelta(0), timedelta(hours=6)), contract=contracts)
def test_more_hours_never_get_fewer_machines(rule, profile, more, contract):
    """A stage that is expected to last ran short because a shorter one had got more."""
    longer = replace(profile, expected=profile.expected + more)
    assert machines_of(rule, longer, contract).race >= machines_of(rule, profile, contract).race


@given(rule=rules, profile=profiles, contract=contracts)
def test_machines_stay_within_the_contract_and_never_below_what_is_pinned(rule, profile, contract):
    """A bill that nobody signed; a service whose machine was taken away under it."""
    capacity = machines_of(rule, profile, contract)
    assert contract.pinned <= capacity.rest <= capacity.race <= contract.at_scale(contract.most) <= contract.most


@given(rule=limit_rules, profile=profiles, base=bases)
def test_a_race_never_gets_less_than_was_measured_and_rest_never_more_than_the_race(rule, profile, base):
    """A service that is throttled below what it was measured to need falls behind the race."""
    cpu, memory = limits_of(rule, profile, "feed", base)
    assert cpu.race >= base.cpu_percent
    assert memory.race >= base.memory_mb
    assert 0 < cpu.rest <= cpu.race


@given(rule=limit_rules, profile=profiles, base=bases)
def test_memory_is_the_same_at_rest(rule, profile, base):
    """A limit that is lowered below what a live service holds has the kernel end it."""
    _, memory = limits_of(rule, profile, "feed", base)
    assert memory.rest == memory.race


@pytest.mark.parametrize(("edition", "number"), STAGES)
@pytest.mark.parametrize("scale", ["small", "full"])
def test_every_stage_rests_with_no_more_than_it_races_with_and_races_within_its_contract(edition, number, scale):
    """A rule that is right in general and wrong on one day of a season."""
    for each in of_stage(edition, number, scale):
        assert 0 < each.rest <= each.race
        if each.quantity is Quantity.MACHINES:
            contract = next(group.doc.count for group in EDITIONS[edition].servers if group.doc.role == each.subject)
            assert each.race <= contract
            assert pinned(EDITIONS[edition], each.subject) <= each.rest


@pytest.mark.parametrize("edition", EDITIONS)
def test_of_two_stages_of_a_kind_the_longer_gets_no_fewer_machines(edition):
    """Rules that make sense one by one and none over a season."""
    written = EDITIONS[edition]
    stages = [stage_of(edition, line.doc) for line in written.stages]
    for one, other in permutations(stages, 2):
        alike = (one.profile, one.course) == (other.profile, other.course)
        if alike and one.expected_finish - one.race_start <= other.expected_finish - other.race_start:
            shorter, longer = (counts_at(capacity_of(written, each, "full"), Demand.RACE) for each in (one, other))
            assert all(longer[role] >= count for role, count in shorter.items())


@pytest.mark.parametrize("stack", ["2015-s10", "2016-s12", "2017-s13", "2018-s21"])
@pytest.mark.parametrize("scale", ["small", "full"])
def test_at_rest_a_stage_has_every_service_and_all_that_keeps_data(stack, scale):
    """An archive's volume, or the one processor, gone with a machine that went."""
    race, rest = load_estate(stack, scale), load_estate(stack, scale, demand="rest")
    assert {node.name for node in rest.nodes} <= {node.name for node in race.nodes}
    assert {service.name for service in rest.services} == {service.name for service in race.services}
    assert {s.node for s in rest.services if s.keeps_data} == {s.node for s in race.services if s.keeps_data}
    for each in race.capacity:
        if each.quantity is Quantity.MACHINES:
            assert sum(node.role == each.subject for node in race.nodes) == each.race
            assert sum(node.role == each.subject for node in rest.nodes) == each.rest


def test_a_mountain_stage_of_a_long_afternoon_takes_the_whole_contract_and_a_flat_one_does_not():
    """A profile that is written down and changes nothing."""
    mountain, flat = load_estate("2017-s09"), load_estate("2017-s21")
    assert _servers(mountain) == 60
    assert _servers(flat) < 60


def test_every_number_says_why():
    """A scale-up that an auditor has to take on trust."""
    estate = load_estate("2017-s09")
    assert estate.reasons("processor-7") == {
        Quantity.MACHINES: "mountain stage, 181.5 km, 4 h 55 min expected, summit finish: 24 of 24 processor machines"
    }
    assert estate.reasons("processor")[Quantity.CPU] == (
        "mountain stage, 181.5 km, 4 h 55 min expected, summit finish: 330 %, 1.65 times the 200 % of a flat stage"
    )
    assert estate.reasons("edge-1") == {}


def test_what_the_contract_does_not_have_is_said():
    """A stage that gets less than it asks for, and nobody is told before it starts."""
    assert (
        load_estate("2017-s12")
        .reasons("processor-1")[Quantity.MACHINES]
        .endswith("24 of 24 processor machines (it asks for 27, the contract has no more)")
    )


def test_the_small_scale_says_what_a_tenth_is():
    """A lab whose two processors are explained as twenty-four."""
    estate = load_estate("2017-s09", "small", demand="rest")
    assert estate.reasons("processor-1")[Quantity.MACHINES] == (
        "before the scale-up and after the finish: 2 of 24 processor machines; at the small scale 1"
    )


def test_the_core_is_the_same_at_rest():
    """A scale-down of one stage that changes the season's machines."""
    assert load_estate("2017-core", demand="rest") == load_estate("2017-core")
    assert load_estate("2017-s09", demand=Demand.REST).core == load_estate("2017-s09").core


@pytest.mark.parametrize(
    ("gradient", "finish"), [(-0.03, Finish.FLAT), (0.01, Finish.FLAT), (0.03, Finish.UPHILL), (0.08, Finish.SUMMIT)]
)
def test_a_finish_is_what_the_last_five_kilometres_climb(gradient, finish):
    """A valley after a mountain that counts as a summit."""
    assert finish_of(climbing(flat_m=20_000, climb_m=6_000, gradient=gradient)) is finish
    assert finish_of(climbing(flat_m=6_000, climb_m=20_000, gradient=0.08, then_flat_m=6_000)) is Finish.FLAT


def test_the_stand_ins_finish_as_they_did():
    """A reader of courses that takes the start for the finish."""
    finishes = {name: finish_on(STACKS / "courses", name) for name in ("2022-12.geojson", "2022-04.geojson")}
    assert finishes == {"2022-12.geojson": Finish.SUMMIT, "2022-04.geojson": Finish.FLAT}


def climbing(flat_m: float, climb_m: float, gradient: float, then_flat_m: float = 0.0) -> Trace:
    """A course due north with a point every 100 m: flat, then a climb, then flat again."""
    metres = np.arange(0, flat_m + climb_m + then_flat_m + 1, 100.0)
    elevation = np.clip(metres - flat_m, 0, climb_m) * gradient
    lat = 45.0 + np.degrees(metres / EARTH_RADIUS_M)
    lon = np.full_like(lat, 5.0)
    return Trace("Start", "Finish", "road", 2022, 1, metres[-1] / 1000, "nobody", lon, lat, elevation)


def _servers(estate) -> int:
    return sum(node.site == "cloud" and node.role != "fabric" for node in estate.nodes)
