"""What holds between stacks: every address has one owner, and no more is run than is paid for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from itertools import product

from infra.policy.docker import containers, node_of, subnets
from infra.policy.model import STACK, Breach, Facts, PolicyItem, breach, policy


@policy(
    "prefixes-apart",
    remedy="give one of them a free prefix in stacks/",
    controls=("CCM IVS-06", "ISO 27001 A.8.22", "CIS 12.2"),
)
def prefixes_apart(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """Two trucks with one prefix, as in 2016: traffic goes to the wrong one, and nobody sees why."""
    for item in items:
        if item.type == STACK:
            for segment, other in product(facts.segments, facts.others):
                if segment.prefix.overlaps(other.prefix):
                    yield breach(item, f"{segment} overlaps {other}")
        for prefix, claim in product(subnets(item), (*facts.segments, *facts.others)):
            if prefix.version == claim.prefix.version and prefix.overlaps(claim.prefix):
                yield breach(item, f"its prefix {prefix} overlaps {claim}")


@policy(
    "prefixes-in-supernets",
    remedy="take a prefix inside the edition's supernets, and the management network as edition.yaml has it",
    controls=("CCM IVS-03", "ISO 27001 A.8.20", "CIS 12.2"),
)
def prefixes_in_supernets(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A prefix outside what was planned is one that firewalls and other trucks' routes do not know."""
    for item in items:
        if item.type == STACK:
            for segment in facts.segments:
                if not any(segment.prefix.subnet_of(supernet) for supernet in facts.supernets):
                    yield breach(item, f"{segment} is outside {' and '.join(map(str, facts.supernets))}")
        for prefix in subnets(item):
            if not (isinstance(prefix, IPv4Network) and prefix.subnet_of(facts.management)):
                yield breach(item, f"its prefix {prefix} is outside the management network {facts.management}")


@policy(
    "capacity-within-contract",
    remedy="raise the count in stacks/, which is what the contract pays for, or declare fewer machines",
    controls=("CCM IVS-02", "CCM CCC-04", "ISO 27001 A.8.6", "CIS 1.1"),
    whole_stack=True,
)
def capacity_within_contract(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """Machines beyond the contract cost money that nobody agreed to, or are somebody else's."""
    running: Counter[str] = Counter()
    for item in containers(items):
        role = facts.node_roles.get(node_of(item))
        if role is None:
            yield breach(item, "is no machine of the model")
        else:
            running[role] += 1
    for role, count in sorted(running.items()):
        if count > (paid := facts.contract.get(role, 0)):
            yield Breach(facts.stack, "", f"has {count} machines of role {role}; the contract has {paid}")
