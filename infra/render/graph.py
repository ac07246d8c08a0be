"""The estate as the Manage Centre draws it: things, what joins them, what depends on what."""

from infra.estate.model import Estate, Link, Node, PortRef, Segment, Service, Site, Stage


def render_graph(estate: Estate) -> dict:
    """What the stack itself owns, as JSON; a link of a stage may end at a node of the core's graph."""
    return {
        "stack": estate.stack,
        "edition": estate.edition,
        "title": estate.title,
        "layer": estate.layer.value,
        "stage": _stage(estate.stage) if estate.stage else None,
        "sites": [_site(site) for site in estate.sites],
        "nodes": [_node(node) for node in estate.nodes],
        "links": [_link(link) for link in estate.links],
        "segments": [_segment(segment) for segment in estate.segments],
        "services": [_service(service) for service in estate.services],
        "endpoints": [{"site": e.site, "node": e.node, "purpose": e.purpose} for e in estate.endpoints],
    }


def _stage(stage: Stage) -> dict:
    return {
        "edition": stage.edition,
        "number": stage.number,
        "date": stage.date.isoformat(),
        "start": stage.start,
        "finish": stage.finish,
        "distance_km": stage.distance_km,
        "kind": stage.kind,
        "profile": stage.profile,
        "opens": stage.opens.isoformat(),
        "race_start": stage.race_start.isoformat(),
        "expected_finish": stage.expected_finish.isoformat(),
        "pack_up": stage.pack_up.isoformat(),
        "course": stage.course,
    }


def _site(site: Site) -> dict:
    return {
        "name": site.name,
        "title": site.title,
        "kind": site.kind.value,
        "timezone": site.timezone,
        "location": site.location,
    }


def _node(node: Node) -> dict:
    return {
        "name": node.name,
        "title": node.title,
        "role": node.role,
        "slot": node.slot,
        "site": node.site,
        "rack_unit": node.rack_unit,
        "layer": node.layer.value,
        "management": str(node.management),
        "ports": list(node.ports),
        "addresses": [str(interface.address) for interface in node.interfaces],
        "forwards": node.forwards,
    }


def _link(link: Link) -> dict:
    return {"label": link.label, "a": _end(link.a), "b": _end(link.b), "segment": link.segment}


def _end(end: PortRef) -> dict:
    return {"node": end.node, "port": end.port}


def _segment(segment: Segment) -> dict:
    return {"name": segment.name, "prefix": str(segment.prefix), "title": segment.title}


def _service(service: Service) -> dict:
    return {
        "name": service.name,
        "title": service.title,
        "node": service.node,
        "unit": service.unit,
        "port": service.port,
        "needs": list(service.needs),
    }
