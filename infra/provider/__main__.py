"""The plugin's entry, started by Pulumi through `pulumi-resource-etape`."""

import os

from infra.docker_engine import DockerEngine
from infra.provider.bucket import BucketKind
from infra.provider.cable import CableKind
from infra.provider.credential import CredentialKind
from infra.provider.kernel import Kernel
from infra.provider.machine import MachineKind
from infra.provider.plugin import EtapeProvider, Kind, Properties, serve


def connect(config: Properties) -> list[Kind]:
    """The kinds, on the Docker engine that the program names (else DOCKER_HOST's)."""
    docker = DockerEngine(config.get("docker_host") or os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    kernel = Kernel()
    planning = os.environ.get("ETAPE_PLANNING") == "true"
    return [CableKind(docker, kernel, planning), MachineKind(docker, kernel), CredentialKind(), BucketKind()]


if __name__ == "__main__":
    serve(EtapeProvider(connect))
