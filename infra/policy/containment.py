"""What a container may do to the host that runs it, and what it is made of."""

import re
from collections.abc import Iterator, Sequence

from infra.policy.docker import containers, listed
from infra.policy.model import Breach, Facts, PolicyItem, breach, policy

_NAMESPACES = ("networkMode", "pidMode", "ipcMode", "usernsMode", "cgroupnsMode")
_CAPABILITIES = frozenset({"CAP_NET_ADMIN", "CAP_SYS_ADMIN"})
"""What systemd and a router need in a container, and no more."""
_DIGEST = re.compile(r"^(?:[\w./:-]+@)?sha256:[0-9a-f]{64}$")
_SOCKET = "docker.sock"


@policy(
    "no-host-access",
    remedy="take it out: machines are reached through their management address",
    controls=("CCM IVS-06", "CCM IAM-10", "ISO 27001 A.8.2", "ISO 27001 A.8.22", "CIS 4.1"),
)
def no_host_access(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A privileged container, a namespace, path, device or Docker socket of the host: one machine owns all of them."""
    for item in containers(items):
        if item.properties.get("privileged"):
            yield breach(item, "is privileged")
        for namespace in _NAMESPACES:
            if item.properties.get(namespace) == "host":
                yield breach(item, f"shares the host's {namespace.removesuffix('Mode')} namespace")
        for path in _host_paths(item):
            what = "holds Docker's socket" if path.endswith(_SOCKET) else "mounts a folder of the host"
            yield breach(item, f"{what}: {path}")
        for device in listed(item, "devices"):
            yield breach(item, f"has the host's device {device.get('hostPath')}")


@policy(
    "least-capabilities",
    remedy=f"add no more than {' and '.join(sorted(_CAPABILITIES))}",
    controls=("CCM IAM-05", "ISO 27001 A.8.2", "CIS 4.1", "CIS 4.8"),
)
def least_capabilities(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """Each further capability is a further part of the host's kernel that a taken-over service can misuse."""
    for item in containers(items):
        added = (item.properties.get("capabilities") or {}).get("adds") or ()
        for capability in sorted(set(added) - _CAPABILITIES):
            yield breach(item, f"has the capability {capability}")


@policy(
    "confined-containers",
    remedy="give the container a seccomp and an AppArmor profile, or have the risk waived for a time",
    controls=("CCM IVS-04", "ISO 27001 A.8.9", "CIS 4.1"),
)
def confined_containers(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """Without seccomp and AppArmor a fault of the kernel is one system call away from every service."""
    for item in containers(items):
        loose = [option.partition("=")[0] for option in listed(item, "securityOpts") if option.endswith("=unconfined")]
        if loose:
            yield breach(item, f"runs without {' and '.join(sorted(loose))}")


@policy(
    "image-by-digest",
    remedy="name the image by its full id, sha256:<64 digits>",
    controls=("CCM CCC-04", "CCM CCC-06", "ISO 27001 A.8.9", "ISO 27001 A.8.32", "CIS 4.1"),
)
def image_by_digest(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A tag can mean another image tomorrow: what was approved is not what is started."""
    for item in containers(items):
        image = item.properties.get("image")
        if isinstance(image, str) and not _DIGEST.match(image):
            yield breach(item, f"starts the image {image!r}, whose content is not fixed")


def _host_paths(item: PolicyItem) -> Iterator[str]:
    for volume in listed(item, "volumes"):
        if volume.get("hostPath"):
            yield volume["hostPath"]
    for mount in listed(item, "mounts"):
        if mount.get("type") == "bind":
            yield str(mount.get("source"))
