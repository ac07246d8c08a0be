"""The out-of-band network over which machines are managed."""

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_docker as docker

from infra.components.lab import Lab
from infra.ownership import owner_labels


@dataclass(frozen=True)
class ManagementArgs:
    """The network's prefix."""

    prefix: IPv4Network


class ManagementNetwork(pulumi.ComponentResource):
    """A Docker bridge, apart from the cables that the race's data takes."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: ManagementArgs, lab: Lab) -> None:
        super().__init__("etape:lab:ManagementNetwork", name)
        labels = owner_labels(lab.home, lab.stack).items()
        network = docker.Network(
            name,
            name=f"{lab.stack}-management",
            driver="bridge",
            ipam_configs=[docker.NetworkIpamConfigArgs(subnet=str(args.prefix), gateway=str(args.prefix[1]))],
            labels=[docker.NetworkLabelArgs(label=label, value=value) for label, value in labels],
            opts=lab.docker_options(self),
        )
        self.name = network.name
        self.register_outputs({})
