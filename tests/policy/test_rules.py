"""Every policy: what it lets pass, and what it objects to."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.estate.model import Layer
from infra.policy.exposure import MANAGEMENT_PORTS
from infra.policy.model import Claim, Facts, Level, PolicyItem, Secret
from infra.policy.rules import POLICIES, check, refused
from tests.policy.examples import (
    DATA,
    EVIDENCE,
    FACTS,
    MACHINE,
    MANAGEMENT,
    OWNED,
    PASSWORD,
    SOUND,
    instead,
    item,
    labels,
    waiver,
    with_properties,
)


def machine(**properties) -> tuple[PolicyItem, ...]:
    return instead(with_properties(MACHINE, **properties))


def published(**port) -> tuple[PolicyItem, ...]:
    return machine(ports=[{"internal": 8330, "external": 8330, "ip": "127.0.0.1", **port}])


SECOND = replace(MACHINE, name="manage-2", urn=MACHINE.urn.replace("manage-1", "manage-2"))
LOOSE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA"

BREACHES: list[tuple[str, Sequence[PolicyItem], Facts, str, str]] = [
    # policy, items, facts, the resource that is named, words of the sentence
    ("ports-on-loopback", published(ip="0.0.0.0"), FACTS, "manage-1", "port 8330 on 0.0.0.0/0"),
    ("ports-on-loopback", published(ip="192.0.2.7"), FACTS, "manage-1", "on 192.0.2.7/32"),
    ("ports-on-loopback", published(ip=None), FACTS, "manage-1", "on 0.0.0.0/0"),
    ("ports-on-loopback", published(ip="::"), FACTS, "manage-1", "on ::/0"),
    ("ports-on-loopback", machine(publishAllPorts=True), FACTS, "manage-1", "every port"),
    ("no-management-port", published(internal=22, external=2222), FACTS, "manage-1", "management port 22"),
    ("no-management-port", published(internal=4222), FACTS, "manage-1", "management port 4222"),
    ("ports-as-declared", published(internal=9000), FACTS, "manage-1", "port 9000"),
    ("no-host-access", machine(privileged=True), FACTS, "manage-1", "is privileged"),
    ("no-host-access", machine(networkMode="host"), FACTS, "manage-1", "host's network namespace"),
    ("no-host-access", machine(pidMode="host"), FACTS, "manage-1", "host's pid namespace"),
    ("no-host-access", machine(volumes=[{"hostPath": "/etc"}]), FACTS, "manage-1", "a folder of the host: /etc"),
    ("no-host-access", machine(devices=[{"hostPath": "/dev/sda"}]), FACTS, "manage-1", "/dev/sda"),
    (
        "no-host-access",
        machine(mounts=[{"type": "bind", "source": "/var/run/docker.sock", "target": "/d"}]),
        FACTS,
        "manage-1",
        "Docker's socket",
    ),
    ("least-capabilities", machine(capabilities={"adds": ["CAP_SYS_MODULE"]}), FACTS, "manage-1", "CAP_SYS_MODULE"),
    ("confined-containers", machine(securityOpts=["seccomp=unconfined"]), FACTS, "manage-1", "without seccomp"),
    ("image-by-digest", machine(image="node:latest"), FACTS, "manage-1", "'node:latest'"),
    ("secrets-encrypted", instead(with_properties(PASSWORD, secret="plain")), FACTS, "hub_password", "readable"),
    (
        "secrets-encrypted",
        instead(replace(PASSWORD, properties={"length": 32}, secret_outputs=frozenset())),
        FACTS,
        "hub_password",
        "nothing says",
    ),
    ("no-plain-secret", machine(envs=["HUB_PASSWORD=hunter22"]), FACTS, "manage-1", "envs[0] sets HUB_PASSWORD"),
    (
        "no-plain-secret",
        machine(uploads=[{"content": LOOSE_KEY}]),
        FACTS,
        "manage-1",
        "uploads[0].content holds a private",
    ),
    (
        "no-plain-secret",
        machine(command=["agent", "nats://ops:pw@hub:4222"]),
        FACTS,
        "manage-1",
        "password in an address",
    ),
    (
        "no-plain-secret",
        instead(with_properties(EVIDENCE, store={"secret_key": "abc"})),
        FACTS,
        "evidence",
        "store.secret_key is a secret by its name",
    ),
    ("no-leaked-secret", machine(command=["-p", "correct-horse-battery"]), FACTS, "manage-1", "command[1] shows"),
    ("data-encrypted", instead(with_properties(DATA, driverOpts=None)), FACTS, "manage-1-data", "encrypted"),
    ("protected-core", instead(replace(DATA, protect=False)), FACTS, "manage-1-data", "not protected"),
    ("protected-core", instead(replace(PASSWORD, protect=False)), FACTS, "hub_password", "not protected"),
    ("protected-core", instead(replace(EVIDENCE, protect=False)), FACTS, "evidence", "not protected"),
    ("buckets-keep-versions", instead(with_properties(EVIDENCE, versioning=False)), FACTS, "evidence", "overwritten"),
    (
        "buckets-keep-versions",
        instead(with_properties(EVIDENCE, retention={"mode": "governance", "days": 400})),
        FACTS,
        "evidence",
        "lets evidence be deleted",
    ),
    (
        "buckets-private",
        instead(
            with_properties(
                EVIDENCE,
                policy=[{"name": "Open", "effect": "Allow", "principals": ["*"], "actions": ["s3:GetObject"]}],
            )
        ),
        FACTS,
        "evidence",
        "lets everybody s3:GetObject",
    ),
    ("owner-labels", machine(labels=labels(stack="2017-core", node="manage-1")), FACTS, "manage-1", "etape.home"),
    ("owner-labels", machine(labels=labels(**OWNED, node="edge-9")), FACTS, "manage-1", "a node of the model"),
    (
        "owner-labels",
        instead(with_properties(MANAGEMENT, labels=labels(home="0123456789ab", stack="2016-core"))),
        FACTS,
        "management",
        "etape.stack=2017-core",
    ),
    (
        "prefixes-apart",
        SOUND,
        replace(FACTS, others=(Claim("2016 race", IPv4Network("10.17.0.128/25")),)),
        "etape-2017-core",
        "10.17.0.0/24 of 2017 core overlaps 10.17.0.128/25 of 2016 race",
    ),
    (
        "prefixes-apart",
        instead(with_properties(MANAGEMENT, ipamConfigs=[{"subnet": "10.16.0.0/16"}])),
        FACTS,
        "management",
        "overlaps 10.16.0.0/24 of 2016 core",
    ),
    (
        "prefixes-in-supernets",
        SOUND,
        replace(FACTS, supernets=(IPv4Network("10.18.0.0/16"),)),
        "etape-2017-core",
        "outside 10.18.0.0/16",
    ),
    (
        "prefixes-in-supernets",
        instead(with_properties(MANAGEMENT, ipamConfigs=[{"subnet": "192.0.2.0/24"}])),
        FACTS,
        "management",
        "outside the management network",
    ),
    ("capacity-within-contract", (*SOUND, SECOND), FACTS, "2017-core", "2 machines of role manage; the contract has 1"),
    (
        "waivers-valid",
        SOUND,
        replace(FACTS, waivers=(waiver("no-such-policy"),)),
        "etape-2017-core",
        "stacks/common/waivers.yaml: waivers[0].policy: there is no policy 'no-such-policy'",
    ),
]


def test_a_sound_stack_passes_every_policy():
    """Guards against a policy that objects to everything."""
    assert check(SOUND, FACTS) == ()


@pytest.mark.parametrize(("policy", "items", "facts", "resource", "words"), BREACHES)
def test_a_breach_is_refused_with_the_resource_and_the_reason(policy, items, facts, resource, words):
    """Guards against a policy that lets everything pass, or that leaves the reader to search."""
    found = [each for each in check(items, facts) if each.policy == policy]
    assert [each.resource for each in found] == [resource]
    assert words in found[0].sentence
    assert found[0].level is Level.MANDATORY
    assert found[0] in refused(check(items, facts))


def test_every_policy_is_tried():
    """Guards against a new policy that nobody has ever seen object."""
    assert {policy.name for policy in POLICIES} == {policy for policy, *_ in BREACHES}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_policy_says_its_risk_its_remedy_and_its_controls(policy):
    """Guards against a refusal that an engineer cannot act on and an auditor cannot place."""
    assert policy.risk.endswith(".")
    assert policy.remedy
    assert {control.split()[0] for control in policy.controls} <= {"CCM", "ISO", "CIS"}
    assert policy.controls


def test_what_a_day_takes_away_need_not_be_protected():
    """Guards against a stage that cannot be taken down at night."""
    night = instead(replace(DATA, protect=False))
    assert check(night, replace(FACTS, layer=Layer.STAGE)) == ()


def test_a_secret_that_is_encrypted_everywhere_is_no_leak():
    """Guards against an alarm about the two places where a secret has to be."""
    assert check(instead(with_properties(MACHINE, envs=Secret(["HUB_PASSWORD=correct-horse-battery"]))), FACTS) == ()


def test_a_finding_never_shows_the_secret():
    """Guards against a report that publishes what it found."""
    told = [str(each) for each in check(machine(command=["-p", "correct-horse-battery"]), FACTS)]
    assert told
    assert not any("correct-horse" in each for each in told)
    assert "correct-horse" not in repr(PASSWORD)


def test_a_policy_judges_one_resource_like_all_of_them():
    """Guards against a breach that is found only once everything has been made."""
    alone = (item(MACHINE.type, "manage-1", {**MACHINE.properties, "privileged": True}),)
    assert [each.policy for each in refused(check(alone, FACTS))] == ["no-host-access"]


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_a_port_passes_only_on_an_address_of_the_loopback(number):
    """Guards against an address that is spelt like the loopback and is none, or is one and is spelt otherwise."""
    address = IPv4Address(number)
    found = {each.policy for each in check(published(ip=str(address)), FACTS)}
    assert ("ports-on-loopback" in found) is (address not in ip_network("127.0.0.0/8"))


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_a_management_port_is_found_on_either_side(internal, external):
    """Guards against SSH that is published under another number."""
    found = {each.policy for each in check(published(internal=internal, external=external), FACTS)}
    assert ("no-management-port" in found) is bool(MANAGEMENT_PORTS & {internal, external})
