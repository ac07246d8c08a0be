"""What policies learn from the model."""

import shutil
from datetime import date
from ipaddress import IPv4Network

import pytest

from infra.estate.load import STACKS
from infra.policy.facts import facts_of
from infra.policy.model import STACK, PolicyItem
from infra.policy.rules import check, refused

TODAY = date(2017, 7, 9)


def model_findings(stack, root=STACKS, today=TODAY):
    return refused(check([PolicyItem(STACK, stack, "", {})], facts_of(stack, today, root)))


@pytest.fixture
def stacks(tmp_path):
    """The estate's data, to be spoilt."""
    return shutil.copytree(STACKS, tmp_path / "stacks")


def rewrite(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize("stack", ["2015-core", "2015-s09", "2016-s10", "2017-core", "2017-s09", "2018-s21"])
def test_the_years_as_they_are_written_break_no_policy(stack):
    """Guards against data that cannot be brought up, found only in the morning."""
    assert model_findings(stack) == ()


def test_a_small_lab_is_judged_by_the_contract_and_not_by_its_own_size():
    """Guards against a scale-up at the start of the race that its own policy forbids."""
    facts = facts_of("2017-s09", TODAY)
    assert facts.contract["processor"] == 24
    assert facts.node_roles["processor-24"] == "processor"
    assert facts.listeners["web-1"] == {8320}


def test_a_truck_of_another_year_with_the_same_prefix_is_found(stacks):
    """Guards against the conflict of 2016, which nobody saw because each truck was right on its own."""
    rewrite(stacks / "2016/second-truck.yaml", "10.{year}.20.0/24", "10.17.10.0/24")
    rewrite(stacks / "common/edition.yaml", "100.64.0.0/10]", "100.64.0.0/10, 10.17.10.0/24]")
    (found,) = model_findings("2017-s09", stacks)
    assert found.policy == "prefixes-apart"
    assert "10.17.10.0/24 of 2017 race overlaps 10.17.10.0/24 of 2016 truck-2" in found.sentence


def test_a_towns_handoff_may_come_again_in_another_year():
    """Guards against an alarm about prefixes that the towns give, the same every year."""
    others = {claim.prefix for claim in facts_of("2017-s09", TODAY).others}
    assert IPv4Network("100.64.9.0/29") not in others
    assert IPv4Network("10.16.20.0/24") in others


def test_an_expired_waiver_of_the_estate_is_refused_with_file_and_field(stacks):
    """Guards against an exception that nobody renews and everybody uses."""
    rewrite(stacks / "common/waivers.yaml", "expires: 2027-12-31", "expires: 2017-07-08")
    found = model_findings("2017-s09", stacks)
    assert {each.policy for each in found} == {"waivers-valid"}
    assert "stacks/common/waivers.yaml: waivers[0].expires" in found[0].sentence


def test_the_same_data_pass_on_the_day_before(stacks):
    """Guards against a clock that is read somewhere else than where the day is given."""
    rewrite(stacks / "common/waivers.yaml", "expires: 2027-12-31", "expires: 2017-07-08")
    assert model_findings("2017-s09", stacks, date(2017, 7, 8)) == ()
