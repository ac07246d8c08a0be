"""What `pulumi up` of a stack has to make, in the estate's words: what golden files and tests hold the program to."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.estate.model import Estate, PortRef
from infra.estate.storage import Bucket


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing, with the properties whose change an auditor has to see."""

    kind: str
    """network, volume, node, cable, credential or bucket."""
    name: str
    properties: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = "  ".join(f"{key}={value}" for key, value in self.properties)
        return f"{self.kind:<10} {self.name:<22} {told}".rstrip()


def expected_resources(estate: Estate) -> tuple[Resource, ...]:
    """Everything that the stack itself owns: network, secrets, buckets, machines, their data, cables."""
    return (
        Resource("network", "management", (("prefix", str(estate.management)),)),
        *(Resource("credential", secret.name, (("length", str(secret.length)),)) for secret in estate.secrets),
        *(Resource("bucket", bucket.name, tuple(_bucket(bucket))) for bucket in estate.buckets),
        *(
            Resource("volume", f"{node.name}-data", (("node", node.name),))
            for node in estate.nodes
            if estate.keeps_data(node.name)
        ),
        *(
            Resource("node", node.name, (("address", str(node.management)), ("role", node.role), ("site", node.site)))
            for node in estate.nodes
        ),
        *(
            Resource("cable", link.label, (("a", _end(link.a)), ("b", _end(link.b)), ("mtu", str(link.mtu))))
            for link in estate.links
        ),
    )


def _bucket(bucket: Bucket) -> Iterable[tuple[str, str]]:
    yield "versioning", "on" if bucket.versioning else "off"
    if bucket.retention:
        yield "retention", f"{bucket.retention.mode}/{bucket.retention.days}d"
    for each in bucket.policy:
        yield "policy", f"{each.name}:{each.effect}:{','.join(each.principals)}:{','.join(each.actions)}"


def _end(ref: PortRef) -> str:
    return f"{ref.node}:{ref.port}"
