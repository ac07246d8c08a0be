"""Each rule with a change that it finds and one, as like it as possible, that it does not."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import pytest

from infra.review.change import Risk
from infra.review.risk import WHILE_LIVE, Scene
from infra.review.rules import RULES
from infra.review.snapshot import Item, Secret
from tests.review.states import (
    CONTAINER,
    CORE,
    STAGE,
    bucket,
    changed,
    container,
    head,
    item,
    judged,
    link,
    node,
    only,
    segment,
    service,
    state,
    volume,
)

EDGE, WEB = container("edge-1"), container("web-1", ports=[{"internal": 80, "external": 80, "ip": "127.0.0.1"}])
DATA = [{"volumeName": "2017-s09-edge-1-data", "containerPath": "/var/lib/etape"}]
RACE = segment("race", "10.17.10.0/24")
READER = {"effect": "Allow", "principals": ["reader"], "actions": ["s3:GetObject"]}
AGENT = service("edge_agent", "edge-1", health_port=9100)
PERSON = item("person", "operator", {"roles": ["operator"], "keys": [{"public": "ssh-ed25519 A"}]}, CORE)
WAIVER = item("waiver", "pinned for *", {"expires": "2017-08-01", "reason": "the lab"}, STAGE)
LOCKED = bucket("evidence", retention={"mode": "COMPLIANCE", "days": 90})
KEY = item("etape:index:Credential", "hub", {"length": 32, "outputs": {"secret": Secret("a1b2")}}, CORE)


def machines(number: int) -> Item:
    """The capacity that asks for so many processors in the race."""
    return item("capacity", "processor machines", {"rest": 1, "race": number})


Items = tuple[Item, ...]
# By rule: what is there before, what after it that the rule finds, and what after it that it does not.
CASES: Mapping[str, tuple[Items, Items, Items]] = {
    "new": ((EDGE,), (EDGE, WEB), (EDGE,)),
    "retuned": (
        (AGENT,),
        (changed(AGENT, limits={"cpu_percent": 200, "memory_mb": 256}),),
        (changed(AGENT, title="Agent"),),
    ),
    "rescheduled": (
        (item("endpoint", "london", {"node": "a", "purpose": "data"}),),
        (item("endpoint", "london", {"node": "b", "purpose": "data"}),),
        (item("endpoint", "london", {"node": "a", "purpose": "Data team"}),),
    ),
    "waiver-ended": ((WAIVER,), (), (changed(WAIVER, reason="still the lab"),)),
    "reconfigured": ((EDGE,), (changed(EDGE, restart="always"),), (changed(EDGE, labels=[]),)),
    "renamed": ((node("edge-1"),), (node("edge-2"),), (node("edge-2", role="web", rack_unit=9, ports=["x"]),)),
    "rescaled": (
        (head(), node("processor-1"), node("processor-2"), machines(2)),
        (head(), node("processor-1"), machines(1)),
        (head(), node("processor-1"), machines(2)),
    ),
    "rotated-secret": (
        (KEY,),
        (changed(KEY, outputs={"secret": Secret("c3d4")}),),
        (changed(KEY, outputs={"secret": Secret("")}, title="of the hub"),),
    ),
    "made-anew": ((EDGE,), (changed(EDGE, image="sha256:2"),), (changed(EDGE, memory=512),)),
    "taken-away": ((EDGE, WEB), (EDGE,), (EDGE, changed(WEB, memory=512))),
    "exposure-widened": (
        (WEB,),
        (changed(WEB, ports=[{"internal": 80, "external": 80, "ip": "0.0.0.0"}]),),
        (changed(WEB, ports=[]),),
    ),
    "segment-widened": (
        (RACE,),
        (changed(RACE, prefix="10.17.8.0/21"),),
        (changed(RACE, prefix="10.17.10.0/25"),),
    ),
    "powers-gained": (
        (EDGE,),
        (changed(EDGE, capabilities={"adds": ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]}),),
        (changed(EDGE, capabilities={"adds": []}),),
    ),
    "bucket-opened": (
        (bucket("archive", policy=[READER]),),
        (bucket("archive", policy=[{**READER, "principals": ["*"]}]),),
        (bucket("archive", policy=[{**READER, "effect": "Deny"}]),),
    ),
    "unwatched": (
        (node("edge-1"), AGENT),
        (node("edge-1"),),
        (node("edge-1"), changed(AGENT, health_port=9101)),
    ),
    "overlapping": (
        (RACE, segment("ops", "10.17.11.0/24")),
        (RACE, segment("ops", "10.17.10.128/25")),
        (RACE, segment("ops", "10.17.12.0/24")),
    ),
    "who-decides": (
        (head(CORE), PERSON),
        (head(CORE), changed(PERSON, roles=["operator", "approver"])),
        (head(CORE, title="The season"), PERSON),
    ),
    "season-lost": ((container("wan-1", CORE), EDGE), (EDGE,), (container("wan-1", CORE),)),
    "data-lost": (
        (volume("edge-1"), changed(EDGE, volumes=DATA)),
        (volume("edge-1"), EDGE),
        (volume("edge-1"), changed(EDGE, volumes=DATA, image="sha256:2")),
    ),
    "unprotected": (
        (LOCKED,),
        (changed(LOCKED, retention={"mode": "COMPLIANCE", "days": 30}),),
        (changed(LOCKED, retention={"mode": "COMPLIANCE", "days": 365}),),
    ),
    "not-backed-up": (
        (node("storage-1"), service("recorder", "storage-1")),
        (node("storage-1"),),
        (node("storage-1"), service("recorder", "storage-1", title="Raw log")),
    ),
}


def found(before: Items, after: Items, **scene: Any) -> set[str]:
    """Names of all rules that find something, whatever class they end in."""
    comparison = judged(state(*before), state(*after, title="now"), **scene)
    changes = comparison.changes
    seen = Scene(comparison.a, comparison.b, **scene)
    return {rule.name for rule in RULES for change in changes if rule.finds(change, seen)}


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_a_rule_finds_what_it_is_for(name: str) -> None:
    """Guards against a rule that no change can set off."""
    before, after, _ = CASES[name]
    assert name in found(before, after)


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_a_rule_lets_what_only_looks_like_it_pass(name: str) -> None:
    """Guards against alarms that people learn to pass over."""
    before, _, after = CASES[name]
    assert name not in found(before, after)


@pytest.mark.parametrize(
    ("change", "risk"),
    [
        ((EDGE, changed(EDGE, labels=[])), Risk.R3),
        ((RACE, changed(RACE, title="Race data")), Risk.R0),
        ((AGENT, changed(AGENT, limits={"cpu_percent": 200, "memory_mb": 256})), Risk.R1),
        ((link("T1-07", "edge-2:eno1", "switch-1:port7"), link("T1-07", "edge-2:eno1", "switch-1:port9")), Risk.R2),
        ((AGENT, changed(AGENT, keeps_data=False)), Risk.R0),
        ((changed(AGENT, keeps_data=True), AGENT), Risk.R4),
    ],
)
def test_a_change_has_the_class_of_what_it_does(change: tuple[Item, Item], risk: Risk) -> None:
    """Guards against classes that follow from how a change is written."""
    comparison = judged(state(change[0]), state(change[1], title="now"))
    assert max((each.risk for each in comparison.changes), default=Risk.R0) is risk


def test_every_class_is_reached_by_some_rule() -> None:
    """Guards against a class in the table that nothing ever has."""
    assert {rule.risk for rule in RULES} == set(Risk) - {Risk.R0}


def test_while_a_stage_is_live_a_change_to_it_is_one_class_higher() -> None:
    """Guards against a limit that is changed in the finale as if it were the evening."""
    before, after = state(AGENT), state(changed(AGENT, limits={"cpu_percent": 50, "memory_mb": 256}))
    assert only(judged(before, after)).risk is Risk.R1
    live = only(judged(before, after, live=frozenset({STAGE})))
    assert (live.risk, live.rules) == (Risk.R2, ("retuned", WHILE_LIVE))


def test_a_live_stage_does_not_raise_a_comparison_with_another_day() -> None:
    """Guards against an alarm over tomorrow's stage because of today's race."""
    tomorrow = service("edge_agent", "edge-1", "2017-s10", health_port=9200)
    comparison = judged(state(AGENT), state(tomorrow, stacks=("2017-s10", CORE)), live=frozenset({STAGE}))
    assert WHILE_LIVE not in only(comparison).rules


def test_a_title_is_nothing_even_while_live() -> None:
    """Guards against a raised class for what cannot matter."""
    comparison = judged(state(RACE), state(changed(RACE, title="Race")), live=frozenset({STAGE}))
    assert only(comparison).risk is Risk.R0


def test_another_trucks_addresses_are_found_though_no_text_is_alike() -> None:
    """Guards against 2016: two trucks on one network, and nobody could tell why."""
    other = {"2016 truck": IPv4Network("10.17.0.0/18")}
    comparison = judged(state(RACE), state(changed(RACE, prefix="10.17.63.0/24")), elsewhere=other)
    assert "overlapping" not in only(comparison).rules
    moved_in = judged(state(changed(RACE, prefix="10.18.0.0/24")), state(RACE), elsewhere=other)
    assert only(moved_in).rules == ("overlapping",)


def test_a_new_container_with_a_public_port_is_a_wider_exposure() -> None:
    """Guards against a door in a wall that was just built."""
    public = container("web-2", ports=[{"internal": 80, "external": 81, "ip": "0.0.0.0"}])
    assert "exposure-widened" in only(judged(state(WEB), state(WEB, public))).rules
    assert only(judged(state(), state(WEB))).rules == ("new",)


def test_a_resource_that_is_no_longer_protected_is_the_gravest() -> None:
    """Guards against the first of two steps to a lost volume."""
    guarded = item("docker:index/volume:Volume", "store-1-data", {"protect": True}, CORE)
    change = only(judged(state(guarded), state(changed(guarded, protect=None))))
    assert change.risk is Risk.R4
    assert "unprotected" in change.rules


def test_kinds_in_the_cases_are_those_of_the_program() -> None:
    """Guards against rules that are tried on a kind that the program never declares."""
    from pulumi_docker import Container

    assert Container.pulumi_type == CONTAINER
