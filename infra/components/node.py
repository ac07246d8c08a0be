"""A node in the lab: a container that boots systemd and answers SSH like the machine it stands for."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.components.lab import Lab, container_name
from infra.ownership import node_labels
from infra.provider.resources import Machine, MachineArgs

# Sorted and with CAP_: any other spelling is replaced at the next refresh.
_CAPABILITIES = ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]
_SECURITY = ["apparmor=unconfined", "seccomp=unconfined"]
_TMPFS = {"/run": "", "/run/lock": "", "/tmp": ""}
# Where services keep their data; what else is on the disk comes again with the image and the next deploy.
_DATA = "/var/lib/etape"
# What asks systemd for an orderly halt.
_STOP_SIGNAL = "SIGRTMIN+3"


@dataclass(frozen=True)
class NodeArgs:
    """A node's name, its management address, the TCP ports that it shows on the host's loopback, whether what its
    services write outlives the container, and whether that is the season's, which nothing but its end takes away.
    """

    node: str
    management: str
    published: tuple[int, ...]
    keeps_data: bool
    of_season: bool


class Node(pulumi.ComponentResource):
    """Ready when it exists: `address` and `host_key` are what Ansible needs."""

    address: str
    container: pulumi.Output[str]
    host_key: pulumi.Output[str]
    resource: pulumi.Resource
    """The machine itself; what lives inside it goes with it."""
    ready: pulumi.Resource
    """Exists once the machine answers."""

    def __init__(self, name: str, args: NodeArgs, network: pulumi.Input[str], lab: Lab) -> None:
        super().__init__("etape:lab:Node", name)
        labels = node_labels(lab.home, lab.stack, args.node).items()
        data = [self._data_volume(args, lab)] if args.keeps_data else []
        container = docker.Container(
            name,
            name=container_name(lab.stack, args.node),
            hostname=args.node,
            image=lab.image,
            must_run=True,
            envs=["container=docker"],
            command=["/sbin/lab-init"],
            capabilities=docker.ContainerCapabilitiesArgs(adds=_CAPABILITIES),
            security_opts=_SECURITY,
            cgroupns_mode="private",
            tmpfs=_TMPFS,
            stop_signal=_STOP_SIGNAL,
            volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=_DATA) for volume in data],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network, ipv4_address=args.management)],
            ports=[docker.ContainerPortArgs(internal=port, external=port, ip="127.0.0.1") for port in args.published],
            uploads=[
                docker.ContainerUploadArgs(
                    file="/etc/ssh/authorized_keys.d/root", content=lab.authorized_key, permissions="0600"
                )
            ],
            labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in labels],
            # Another operator's key would make every machine anew; those of the estate log in by what is deployed.
            opts=pulumi.ResourceOptions.merge(
                lab.docker_options(self), pulumi.ResourceOptions(ignore_changes=["uploads"])
            ),
        )
        machine = Machine(name, MachineArgs(args.node, container.id, args.management), lab.etape_options(self))
        self.address = args.management
        self.container = container.id
        self.host_key = machine.host_key
        self.resource, self.ready = container, machine
        self.register_outputs({})

    def _data_volume(self, args: NodeArgs, lab: Lab) -> docker.Volume:
        """A volume of its own name, so that an `up` after a kill finds the one that was made but never recorded."""
        labels = node_labels(lab.home, lab.stack, args.node).items()
        return docker.Volume(
            f"{args.node}-data",
            name=f"{container_name(lab.stack, args.node)}-data",
            labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in labels],
            # Another label would replace the volume, and with it the data.
            opts=pulumi.ResourceOptions.merge(
                lab.docker_options(self), pulumi.ResourceOptions(ignore_changes=["labels"], protect=args.of_season)
            ),
        )
