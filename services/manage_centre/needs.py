"""Which services another one misses. Pure."""

from manage_centre.graph import Graph, Service
from manage_centre.state import Judgement, State


def missed(graph: Graph, judgement: Judgement, service: Service) -> list[Service]:
    """The services that it needs and that are down or unknown: those of its own site where there are some."""
    found = []
    for name in service.needs:
        offers = [one for one in graph.services.values() if one.name == name]
        near = [one for one in offers if _site(graph, one) == _site(graph, service)] or offers
        found += [one for one in near if judgement.services[one.key].state in (State.BAD, State.UNKNOWN)]
    return found


def _site(graph: Graph, service: Service) -> str:
    return graph.nodes[service.node].site
