"""What has to outlive a mistake: the season's data and secrets; and whose everything is."""

import re
from collections.abc import Iterator, Sequence

from infra.estate.model import Layer
from infra.policy.docker import CONTAINER, NETWORK, VOLUME, labels
from infra.policy.model import Breach, Facts, PolicyItem, breach, policy
from infra.policy.secrets import CREDENTIAL

BUCKET = "etape:index:Bucket"

_SEASONS = frozenset({VOLUME, CREDENTIAL, BUCKET})
_HOME = re.compile(r"^[0-9a-f]{12}$")


@policy(
    "protected-core",
    remedy="declare it with `protect`; `scripts/stage down --core` lifts the protection when the season ends",
    controls=("CCM CCC-04", "CCM BCR-08", "ISO 27001 A.8.13", "ISO 27001 A.8.32", "CIS 11.3"),
)
def protected_core(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A slip in the model, or a `destroy` of the wrong stack, takes the season's archive, evidence and keys away."""
    for item in items:
        if facts.layer is Layer.CORE and item.type in _SEASONS and not item.protect:
            yield breach(item, "holds what the season keeps, and is not protected from being destroyed")


@policy(
    "buckets-keep-versions",
    remedy="declare `versioning: true`; the evidence needs a retention in mode compliance too",
    controls=("CCM LOG-02", "CCM BCR-08", "ISO 27001 A.8.13", "ISO 27001 A.8.15", "CIS 8.10", "CIS 11.3"),
)
def buckets_keep_versions(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """An intruder, or a slip, overwrites the archive, or deletes the evidence of what was done."""
    for item in items:
        if item.type != BUCKET:
            continue
        if not item.properties.get("versioning"):
            yield breach(item, "forgets what an object was before it was overwritten")
        retention = item.properties.get("retention") or {}
        if item.name == "evidence" and retention.get("mode") != "compliance":
            yield breach(item, "lets evidence be deleted")


@policy(
    "buckets-private",
    remedy="name the accounts that may, in place of *",
    controls=("CCM IAM-05", "CCM DSP-17", "ISO 27001 A.8.3", "CIS 3.3"),
)
def buckets_private(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A bucket that is open to everybody gives the race's data, or its evidence, to whoever finds the address."""
    for item in items:
        for statement in (item.properties.get("policy") or ()) if item.type == BUCKET else ():
            if statement["effect"] == "Allow" and "*" in statement["principals"]:
                yield breach(
                    item, f"its statement {statement['name']} lets everybody {', '.join(statement['actions'])}"
                )


@policy(
    "owner-labels",
    remedy="declare the labels of infra/ownership.py",
    controls=("CCM DCS-06", "ISO 27001 A.5.9", "CIS 1.1"),
)
def owner_labels(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """What nobody's label is on stays behind after a teardown, or is taken away by another operator."""
    for item in items:
        if item.type not in (CONTAINER, NETWORK, VOLUME):
            continue
        found = labels(item)
        if not _HOME.match(found.get("etape.home", "")):
            yield breach(item, "has no label etape.home that says whose it is")
        if found.get("etape.stack") != facts.stack:
            yield breach(item, f"has no label etape.stack={facts.stack}")
        if item.type != NETWORK and found.get("etape.node") not in facts.node_roles:
            yield breach(item, "has no label etape.node with a node of the model")
