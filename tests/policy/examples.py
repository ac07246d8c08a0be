"""A small stack without fault, and how to put one fault into it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from typing import Any

from infra.estate.governance import Waiver
from infra.estate.model import Layer
from infra.policy.docker import CONTAINER, NETWORK, VOLUME
from infra.policy.lifetime import BUCKET
from infra.policy.model import STACK, Claim, Facts, PolicyItem, Secret
from infra.policy.secrets import CREDENTIAL

TODAY = date(2017, 7, 9)

FACTS = Facts(
    stack="2017-core",
    layer=Layer.CORE,
    today=TODAY,
    node_roles={"store-1": "store", "manage-1": "manage"},
    listeners={"store-1": frozenset({7070}), "manage-1": frozenset({4222, 8330})},
    contract={"store": 1, "manage": 1},
    management=IPv4Network("172.30.16.0/24"),
    supernets=(IPv4Network("10.17.0.0/16"),),
    segments=(Claim("2017 core", IPv4Network("10.17.0.0/24")),),
    others=(Claim("2016 core", IPv4Network("10.16.0.0/24")),),
)


def waiver(policy: str, resource: str = "*", expires: date = date(2017, 12, 31)) -> Waiver:
    reason = "The lab's disks hold simulated readings alone"
    return Waiver(policy, resource, reason, "security-officer", expires, "stacks/common/waivers.yaml", "waivers[0]")


def labels(**named: str) -> list[dict[str, str]]:
    return [{"label": f"etape.{name}", "value": value} for name, value in named.items()]


def item(kind: str, name: str, properties: Mapping[str, Any], **options: Any) -> PolicyItem:
    return PolicyItem(kind, name, f"urn:pulumi:2017-core::etape::{kind}::{name}", properties, **options)


OWNED = {"home": "0123456789ab", "stack": "2017-core"}

STACK_ITEM = item(STACK, "etape-2017-core", {})
MACHINE = item(
    CONTAINER,
    "manage-1",
    {
        "image": "sha256:" + "0" * 64,
        "cgroupnsMode": "private",
        "envs": ["container=docker"],
        "capabilities": {"adds": ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]},
        "securityOpts": ["seccomp=/etc/etape/seccomp.json", "apparmor=etape"],
        "ports": [{"internal": 8330, "external": 8330, "ip": "127.0.0.1"}],
        "volumes": [{"volumeName": "2017-core-manage-1-data", "containerPath": "/var/lib/etape"}],
        "uploads": [{"file": "/etc/ssh/authorized_keys.d/root", "content": "ssh-ed25519 AAAA ops"}],
        "labels": labels(**OWNED, node="manage-1"),
    },
)
MANAGEMENT = item(NETWORK, "management", {"ipamConfigs": [{"subnet": "172.30.16.0/24"}], "labels": labels(**OWNED)})
DATA = item(
    VOLUME,
    "manage-1-data",
    {"driverOpts": {"type": "luks", "device": "/dev/mapper/data"}, "labels": labels(**OWNED, node="manage-1")},
    protect=True,
)
PASSWORD = item(
    CREDENTIAL,
    "hub_password",
    {"length": 32, "secret": Secret("correct-horse-battery")},
    protect=True,
    secret_outputs=frozenset({"secret"}),
)
EVIDENCE = item(
    BUCKET,
    "evidence",
    {"versioning": True, "retention": {"mode": "compliance", "days": 400}, "policy": [], "store": Secret()},
    protect=True,
)

SOUND: tuple[PolicyItem, ...] = (STACK_ITEM, MANAGEMENT, MACHINE, DATA, PASSWORD, EVIDENCE)


def with_properties(base: PolicyItem, **properties: Any) -> PolicyItem:
    return replace(base, properties={**base.properties, **properties})


def instead(changed: PolicyItem, items: Sequence[PolicyItem] = SOUND) -> tuple[PolicyItem, ...]:
    """The sound stack with one resource in place of the one of its name."""
    return tuple(changed if each.urn == changed.urn else each for each in items)
