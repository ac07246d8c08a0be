"""The Pulumi program: a stack's name -> its estate -> machines and cables -> typed outputs."""

from collections.abc import Mapping
from typing import cast

import pulumi

from infra.components.buckets import Buckets, BucketsArgs
from infra.components.cabling import Cabling, CablingArgs
from infra.components.credentials import Credentials
from infra.components.lab import Lab, container_name
from infra.components.management import ManagementArgs, ManagementNetwork
from infra.components.node import Node, NodeArgs
from infra.estate.load import DemandName, Scale, load_estate
from infra.estate.mistakes import EstateError
from infra.estate.model import Estate, Layer, Placement
from infra.estate.model import Node as NodeModel
from infra.operator_key import public_key
from infra.provider.resources import StoreArgs
from infra.workspace import Toolbox, Workspace

# Services that people open in a browser: their first instance answers on the host's loopback too.
_PUBLISHED = ("feed", "manage_centre", "race_centre")


def run() -> None:
    """Declare the stack that Pulumi names; whatever is wrong is said without a traceback."""
    config = pulumi.Config()
    placement, scale = config.get("placement") or Placement.LAB, config.get("scale") or "full"
    demand = config.get("demand") or "race"
    if placement not in set(Placement):
        raise pulumi.RunError(f"etape:placement is {placement!r}: set it to one of {', '.join(Placement)}")
    try:
        # It refuses what is no scale and no demand.
        estate = load_estate(pulumi.get_stack(), cast(Scale, scale), demand=cast(DemandName, demand))
    except EstateError as error:
        raise pulumi.RunError(str(error)) from None
    build(estate, connect(estate.stack, Workspace.from_environment()))


def connect(stack: str, workspace: Workspace) -> Lab:
    """The lab as set-up left it on this machine."""
    try:
        toolbox = Toolbox.read(workspace)
    except FileNotFoundError as error:
        raise pulumi.RunError(
            f"this machine is not set up ({error.filename} is missing): run scripts/stage up"
        ) from None
    return Lab.connect(stack, workspace.home, toolbox.docker_host, toolbox.lab_image, public_key(workspace))


def build(estate: Estate, lab: Lab) -> None:
    """A layer's machines on their management network, its cables, and for the core the season's secrets."""
    management = ManagementNetwork("management", ManagementArgs(estate.management), lab)
    nodes = {node.name: Node(node.name, _node_args(estate, node), management.name, lab) for node in estate.nodes}
    containers = {name: node.container for name, node in nodes.items()}
    cabling = Cabling("cabling", CablingArgs(estate.links, {**_of_core(estate), **containers}), lab)
    if estate.layer is Layer.CORE:
        credentials = Credentials("credentials", estate.secrets, lab)
        buckets = Buckets("buckets", _buckets_args(estate, nodes, credentials), lab)
        pulumi.export("credentials", pulumi.Output.secret(credentials.secrets))
        pulumi.export("buckets", dict(buckets.conditions))
    pulumi.export("nodes", {name: {"address": node.address, "host_key": node.host_key} for name, node in nodes.items()})
    pulumi.export("links", list(cabling.labels))


def _node_args(estate: Estate, node: NodeModel) -> NodeArgs:
    published = {
        service.port
        for service in estate.services
        if service.node == node.name and node.slot == 1 and service.name in _PUBLISHED and service.port
    }
    return NodeArgs(
        node=node.name,
        management=str(node.management),
        published=tuple(sorted(published)),
        keeps_data=estate.keeps_data(node.name),
        of_season=estate.layer is Layer.CORE,
    )


def _buckets_args(estate: Estate, nodes: Mapping[str, Node], credentials: Credentials) -> BucketsArgs:
    store = next(service for service in estate.services if service.name == "object_store")
    keys = credentials.secrets["object_store_access_key"], credentials.secrets["object_store_secret_key"]
    endpoint = f"http://{estate.node(store.node).management}:{store.port}"
    return BucketsArgs(estate.buckets, nodes[store.node], StoreArgs(endpoint, *keys))


def _of_core(estate: Estate) -> dict[str, str]:
    """Containers of the core that this layer's cables may end at, by the names that their own stack gave them."""
    core = estate.core
    return {node.name: container_name(core.stack, node.name) for node in core.nodes} if core else {}
