"""Every policy, and the one function that holds resources to them. Pure: the same input gives the same findings."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from infra.estate.governance import Waiver
from infra.estate.mistakes import Mistake
from infra.policy.containment import confined_containers, image_by_digest, least_capabilities, no_host_access
from infra.policy.exposure import no_management_port, ports_as_declared, ports_on_loopback
from infra.policy.fleet import capacity_within_contract, prefixes_apart, prefixes_in_supernets
from infra.policy.lifetime import buckets_keep_versions, buckets_private, owner_labels, protected_core
from infra.policy.model import STACK, Breach, Facts, Finding, Level, Policy, PolicyItem, breach, policy
from infra.policy.secrets import data_encrypted, no_leaked_secret, no_plain_secret, secrets_encrypted
from infra.policy.waivers import waived, waiver_mistakes, waiver_use

_WAIVABLE = (
    ports_on_loopback,
    no_management_port,
    ports_as_declared,
    no_host_access,
    least_capabilities,
    confined_containers,
    image_by_digest,
    secrets_encrypted,
    no_plain_secret,
    no_leaked_secret,
    data_encrypted,
    protected_core,
    buckets_keep_versions,
    buckets_private,
    owner_labels,
    prefixes_apart,
    prefixes_in_supernets,
    capacity_within_contract,
)


def void_waivers(waivers: Iterable[Waiver], today: date) -> tuple[Mistake, ...]:
    """What makes waivers of the estate void on a day."""
    return waiver_mistakes(waivers, [each.name for each in _WAIVABLE], today)


@policy(
    "waivers-valid",
    remedy="mend the file that is named: every `up` is refused until then",
    controls=("CCM CCC-08", "CCM GRC-04", "ISO 27001 A.5.36"),
)
def waivers_valid(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A waiver that outlives its day, or names nothing, is a hole that nobody decided on."""
    for item in items:
        if item.type == STACK:
            for mistake in void_waivers(facts.waivers, facts.today):
                yield breach(item, str(mistake).rstrip("."))


POLICIES: tuple[Policy, ...] = (*_WAIVABLE, waivers_valid)


def check(items: Sequence[PolicyItem], facts: Facts) -> tuple[Finding, ...]:
    """Hold a whole stack to every policy; findings by policy in the order above, then by resource.

    What the model gets wrong is told of the stack's own resource, which is there even where nothing else is stored.
    """
    if not any(item.type == STACK for item in items):
        items = (PolicyItem(STACK, facts.stack, "", {}), *items)
    found = tuple(finding for each in POLICIES for finding in judge(each, items, facts))
    return (*found, *waiver_use(found, facts.waivers, facts.stack))


def judge(policy: Policy, items: Sequence[PolicyItem], facts: Facts) -> tuple[Finding, ...]:
    """Hold resources to one policy. The rules for waivers are the one policy that nothing waives."""
    findings = (
        Finding(policy.name, policy.level, each.resource, each.urn, each.sentence, policy.remedy)
        for each in policy.rule(items, facts)
    )
    ordered = sorted(findings, key=lambda each: (each.resource, each.sentence))
    return waived(ordered, facts.waivers if policy in _WAIVABLE else (), facts.today)


def refused(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that keep an operation from being carried out."""
    return tuple(finding for finding in findings if finding.level is Level.MANDATORY)
