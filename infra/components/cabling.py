"""Every cable of a layer, by the label that is printed on it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.lab import Lab
from infra.estate.model import Link, PortRef
from infra.provider.resources import Cable, CableArgs, PlugArgs


@dataclass(frozen=True)
class CablingArgs:
    """The links to lay, and by node name the container at each of their ends."""

    links: tuple[Link, ...]
    containers: Mapping[str, pulumi.Input[str]]


class Cabling(pulumi.ComponentResource):
    """The cables of one stack; an end may be in a container that the core owns."""

    labels: tuple[str, ...]

    def __init__(self, name: str, args: CablingArgs, lab: Lab) -> None:
        super().__init__("etape:lab:Cabling", name)
        options = lab.etape_options(self)

        def plug(end: PortRef) -> PlugArgs:
            return PlugArgs(end.node, end.port, args.containers[end.node])

        for link in args.links:
            Cable(link.label, CableArgs(link.label, plug(link.a), plug(link.b), link.mtu), options)
        self.labels = tuple(link.label for link in args.links)
        self.register_outputs({})
