"""What every resource of one stack in the lab shares."""

from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker

from infra.provider.resources import EtapeProvider


@dataclass(frozen=True)
class Lab:
    """One stack's part of the lab, and the engines that run it."""

    stack: str
    home: Path
    """ETAPE_HOME of whoever owns the stack."""
    image: str
    """Full id of the node's image; a tag could mean another image tomorrow."""
    authorized_key: str
    """The public key of whoever makes the machines."""
    docker: docker.Provider
    etape: EtapeProvider

    @classmethod
    def connect(cls, stack: str, home: Path, docker_host: str, image: str, authorized_key: str) -> "Lab":
        """With both providers explicit, so that no resource falls back to a default one."""
        providers = docker.Provider("docker", host=docker_host), EtapeProvider("etape", docker_host)
        return cls(stack, home, image, authorized_key, *providers)

    def docker_options(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """For a Docker resource: its fixed name is free only once the holder is gone."""
        return pulumi.ResourceOptions(parent=parent, provider=self.docker, delete_before_replace=True)

    def etape_options(self, parent: pulumi.Resource, protect: bool = False) -> pulumi.ResourceOptions:
        """For a resource of our own provider; a protected one goes only with the end of its season."""
        return pulumi.ResourceOptions(parent=parent, provider=self.etape, protect=protect)


def container_name(stack: str, node: str) -> str:
    """Name of a node's container, the same for the stack that owns it and the stack that plugs into it."""
    return f"{stack}-{node}"
