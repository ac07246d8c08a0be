"""Breaches that are allowed for a time."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from infra.policy.model import Level
from infra.policy.rules import check, refused
from tests.policy.examples import DATA, FACTS, MACHINE, SOUND, TODAY, instead, waiver, with_properties

UNENCRYPTED = instead(with_properties(DATA, driverOpts=None))


def under(*waivers, on=TODAY):
    return replace(FACTS, waivers=waivers, today=on)


def test_a_waived_breach_is_told_and_not_refused():
    """Guards against a waiver that hides what it allows."""
    allowed = waiver("data-encrypted", "*-data")
    breach, use = check(UNENCRYPTED, under(allowed))
    assert (breach.policy, breach.level, breach.waiver) == ("data-encrypted", Level.ADVISORY, allowed)
    assert "Waived until 2017-12-31 by security-officer" in str(breach)
    assert "allows 1 breaches until 2017-12-31: The lab's disks" in use.sentence


@pytest.mark.parametrize("other", [waiver("data-encrypted", "edge-*"), waiver("protected-core", "*")])
def test_a_waiver_is_for_its_own_policy_and_resources(other):
    """Guards against one waiver that opens every door."""
    assert [each.policy for each in refused(check(UNENCRYPTED, under(other)))] == ["data-encrypted"]


@pytest.mark.parametrize(("days", "held"), [(0, True), (1, False)])
def test_a_waiver_holds_to_the_end_of_its_last_day(days, held):
    """Guards against an exception that becomes the rule."""
    allowed = waiver("data-encrypted", "*-data", expires=TODAY)
    policies = {each.policy for each in refused(check(UNENCRYPTED, under(allowed, on=TODAY + timedelta(days=days))))}
    assert policies == (set() if held else {"data-encrypted", "waivers-valid"})


def test_an_expired_waiver_is_refused_even_where_it_is_not_needed():
    """Guards against waivers that nobody has looked at since."""
    (found, _) = check(SOUND, under(waiver("data-encrypted", expires=date(2017, 7, 8))))
    assert (found.policy, found.level) == ("waivers-valid", Level.MANDATORY)
    assert str(found).startswith(
        "waivers-valid: etape-2017-core: stacks/common/waivers.yaml: waivers[0].expires: "
        "the waiver of data-encrypted for * expired on 2017-07-08."
    )
    assert "have the security-officer decide anew" in str(found)


def test_no_waiver_waives_the_rules_for_waivers():
    """Guards against an expired waiver that another one keeps alive."""
    found = refused(check(SOUND, under(waiver("waivers-valid"), waiver("data-encrypted", expires=date(2016, 1, 1)))))
    assert [each.policy for each in found] == ["waivers-valid", "waivers-valid"]


def test_a_waiver_that_allows_nothing_is_told():
    """Guards against a hole that stays open after its reason is gone."""
    (found,) = check(SOUND, under(waiver("data-encrypted")))
    assert (found.policy, found.level) == ("waivers", Level.ADVISORY)
    assert "allows nothing" in found.sentence


def test_the_unconfined_containers_of_the_lab_need_their_waiver():
    """Guards against a lab whose risk nobody answers for."""
    loose = instead(with_properties(MACHINE, securityOpts=["apparmor=unconfined", "seccomp=unconfined"]))
    assert [each.policy for each in refused(check(loose, FACTS))] == ["confined-containers"]
    assert refused(check(loose, under(waiver("confined-containers")))) == ()
